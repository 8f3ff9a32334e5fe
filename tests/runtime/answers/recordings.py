"""The recorded answers, and an oracle for what must become of them that shares no code of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[2] / "data" / "fixtures"
ASKED = "coder"

# Streams that a provider sent and no caller may take for a finished answer.
BROKEN = {
    "chat/groq__error-mid-stream-reasoning__1.sse": "an error event ends it",
    "chat/openrouter__error-mid-stream-reasoning__1.sse": "an error beside a choice ends it",
    "chat/openrouter__tool-call__1.sse": "no choice has a finish_reason",
    "chat/snowflake__logprobs__2.sse": "no choice has a finish_reason",
    "responses/openai__error-mid-stream__1.sse": "an error event ends it",
}


class Recording(NamedTuple):
    file: str
    dialect: str
    status: int
    streaming: bool
    content_type: str | None

    @property
    def body(self) -> bytes:
        return (FOLDER / self.file).read_bytes()

    @property
    def events(self) -> list[bytes]:
        """Whole events, each with its blank line; the last one may lack it."""
        return re.findall(rb".*?(?:\r?\n){2}|.+\Z", self.body, re.DOTALL)


def recordings() -> list[Recording]:
    rows = json.loads((FOLDER / "index.json").read_text())
    return [
        Recording(
            row["file"],
            row["dialect"],
            row["status"],
            row["streaming"],
            row["response_headers"].get("content-type"),
        )
        for row in rows
    ]


def streams(*, broken: bool = False) -> list[Recording]:
    return [r for r in recordings() if r.streaming and (r.file in BROKEN) is broken]


def watcher(recording: Recording, **options: Any) -> Any:
    return dialect(recording).Watcher(ASKED, **options)


def dialect(recording: Recording) -> Any:
    return import_module(f"runtime.dialects.{recording.dialect}.answer")


def expected(recording: Recording) -> bytes:
    """The stream with the caller's model name in it, and properly closed."""
    out = b"".join(renamed(event, recording.dialect) for event in recording.events)
    if not re.search(rb"\n\r?\n\Z", out):
        out += b"\n"
    if recording.dialect == "chat" and b"data: [DONE]" not in out:
        out += b"data: [DONE]\n\n"
    return out


def renamed(text: bytes, dialect: str) -> bytes:
    """One event, or a whole JSON answer, with the one value changed that must change."""
    document = document_of(text)
    holder = model_holder(document, dialect)
    if holder is None or not isinstance(holder.get("model"), str):
        return text
    spelling = json.dumps(holder["model"], ensure_ascii=False).encode()
    holder["model"] = ASKED
    for match in re.finditer(rb'"model"(\s*:\s*)' + re.escape(spelling), text):
        changed = b'%b"model"%b"coder"%b' % (text[: match.start()], match[1], text[match.end() :])
        if document_of(changed) == document:
            return changed
    raise AssertionError(f"no model to replace in {text!r}")


def model_holder(document: Any, dialect: str) -> dict[str, Any] | None:
    """The object whose `model` the caller reads."""
    if not isinstance(document, dict):
        return None
    if dialect == "messages" and document.get("type") != "message":
        return document["message"] if document.get("type") == "message_start" else None
    if dialect == "responses" and "output" not in document:
        return document.get("response")
    return document


def document_of(text: bytes) -> Any:
    """The JSON of one event or of a whole answer; None where there is none."""
    lines = re.findall(rb"(?m)^data: ?(.*?)\r?$", text) or [text]
    try:
        return json.loads(b"\n".join(lines))
    except ValueError:
        return None


def documents(stream: bytes) -> Iterator[Any]:
    for event in re.split(rb"\r?\n\r?\n", stream):
        if (document := document_of(event)) is not None:
            yield document
