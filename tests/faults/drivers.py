"""A reader per dialect that checks the grammar of a stream and says how the stream ended.

The verdict is the view of a client: FALSE_COMPLETE is a broken stream that looks finished.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.faults.answers import TEXT
from tests.support.wire import Answer

Json = dict[str, Any]


class Verdict(StrEnum):
    """How a stream looks to its client."""

    COMPLETE = "complete"
    ERROR_EVENT = "error event, then cut"
    ERROR_EVENT_ENDED = "error event, then a regular end"
    ABORTED = "cut without a word"
    FALSE_COMPLETE = "looks finished, but is not"


@dataclass
class Transcript:
    """What one stream said. `finished`: something a client takes for the end was seen."""

    ending: str
    text: str = ""
    pings: int = 0
    events: list[Json] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    models: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    error: Json | None = None
    finished: bool = False

    def verdict(self, *, upstream_was_whole: bool = True) -> Verdict:
        """How this stream looks, beside what is known of the upstream's."""
        if self.error is not None:
            if self.finished:
                return Verdict.FALSE_COMPLETE
            cut = self.ending == "aborted"
            return Verdict.ERROR_EVENT if cut else Verdict.ERROR_EVENT_ENDED
        if not self.finished:
            return Verdict.ABORTED if self.ending == "aborted" else Verdict.FALSE_COMPLETE
        honest = upstream_was_whole and self.text == TEXT and not self.violations
        if not honest:
            return Verdict.FALSE_COMPLETE
        return Verdict.COMPLETE if self.ending == "clean" else Verdict.ABORTED


def read_stream(dialect: str, answer: Answer) -> Transcript:
    """Reads the body of a streamed answer."""
    transcript = Transcript(answer.ending)
    reader = _READERS[dialect](transcript)
    *frames, rest = answer.body.replace(b"\r\n", b"\n").split(b"\n\n")
    for frame in frames:
        _read_frame(transcript, reader, frame)
    if rest:
        transcript.violations.append(f"half an event at the end: {rest[-80:]!r}")
    reader.close()
    return transcript


def _read_frame(transcript: Transcript, reader: Reader, frame: bytes) -> None:
    name, payload = None, None
    for line in frame.split(b"\n"):
        if line.startswith(b":"):
            transcript.pings += 1
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode()
        elif line.startswith(b"data:"):
            payload = line[5:].strip()
        elif line:
            transcript.violations.append(f"not an SSE line: {line[:80]!r}")
    if payload == b"[DONE]":
        reader.done()
        return
    if payload is None:
        if name is not None:
            transcript.violations.append(f"event {name} without data")
        return
    try:
        event = json.loads(payload)
    except ValueError:
        transcript.violations.append(f"not JSON: {payload[:80]!r}")
        return
    transcript.events.append(event)
    transcript.names.append(name or "")
    reader.read(name, event)


class Reader:
    """The grammar of one dialect; what is against it goes to `violations`."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.over = False

    def require(self, holds: object, rule: str) -> None:
        """Notes a broken rule."""
        if not holds:
            self.transcript.violations.append(rule)

    def read(self, name: str | None, event: Json) -> None:
        """One event."""
        raise NotImplementedError

    def done(self) -> None:
        """The line `data: [DONE]`."""
        self.require(False, "only Chat ends with [DONE]")

    def close(self) -> None:
        """The end of the body."""


class ChatReader(Reader):
    """Chat: chunks, a finish_reason per choice, then [DONE]."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__(transcript)
        self.finish: dict[int, str | None] = {}
        self.ids: set[str] = set()

    def read(self, name: str | None, event: Json) -> None:
        self.require(not self.over, "a chunk after [DONE]")
        self.require(self.transcript.error is None, "a chunk after an error")
        if "error" in event:
            self.transcript.error = event["error"]
            return
        self.require(event.get("object") == "chat.completion.chunk", "object is not a chunk")
        self.require("usage" not in event or event["usage"] is None, "usage nobody asked for")
        self.transcript.models.add(event.get("model", ""))
        self.ids.add(event.get("id", ""))
        self.require(len(self.ids) == 1, f"the id changes: {sorted(self.ids)}")
        for choice in event["choices"]:
            self._choice(choice)

    def _choice(self, choice: Json) -> None:
        index = choice["index"]
        self.require(self.finish.get(index) is None, "a choice goes on after its finish_reason")
        self.transcript.text += choice.get("delta", {}).get("content") or ""
        self.finish[index] = choice.get("finish_reason")
        # A client that reads a finish_reason has its answer, whatever comes after it.
        self.transcript.finished |= all(reason is not None for reason in self.finish.values())

    def done(self) -> None:
        self.require(not self.over, "[DONE] twice")
        self.require(None not in self.finish.values(), "[DONE] without a finish_reason")
        self.over = self.transcript.finished = True

    def close(self) -> None:
        if self.transcript.finished:
            self.require(self.over, "no [DONE]")


class ResponsesReader(Reader):
    """Responses: numbered events of one response between created and its end."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__(transcript)
        self.last = -1
        self.ids: set[str] = set()
        self.items: set[int] = set()

    def read(self, name: str | None, event: Json) -> None:
        kind = event["type"]
        self.require(not self.over, f"{kind} after the end")
        self.require(name in (None, kind), f"event {name} carries type {kind}")
        first = not self.ids and self.last < 0
        self.require((kind == "response.created") == first, f"{kind} at the wrong place")
        number = event.get("sequence_number", -1)
        self.require(number == self.last + 1, f"sequence_number {number} after {self.last}")
        self.last = number
        if "response" in event:
            self._response(kind, event["response"])
        match kind:
            case "response.in_progress":
                self.transcript.pings += 1
            case "response.output_item.added":
                self.items.add(event["output_index"])
            case "response.output_text.delta":
                self.require(event["output_index"] in self.items, "a delta without its item")
                self.transcript.text += event["delta"]
            case "error":
                self.require(False, "clients do not understand `error` events: response.failed")

    def _response(self, kind: str, response: Json) -> None:
        self.transcript.models.add(response["model"])
        self.ids.add(response["id"])
        self.require(len(self.ids) == 1, f"the response id changes: {sorted(self.ids)}")
        if kind == "response.failed":
            self.require(response["status"] == "failed", "failed, but its status is another")
            self.transcript.error = response["error"]
            self.over = True
        elif kind in ("response.completed", "response.incomplete"):
            self.over = self.transcript.finished = True


class MessagesReader(Reader):
    """Messages: one message, its blocks one after the other, its stop."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__(transcript)
        self.started = False
        self.block: int | None = None
        self.stop_reason: str | None = None

    def read(self, name: str | None, event: Json) -> None:
        kind = event["type"]
        self.require(name == kind, f"event {name} carries type {kind}")
        self.require(not self.over, f"{kind} after message_stop")
        self.require(self.transcript.error is None, f"{kind} after an error")
        if kind == "ping":
            self.transcript.pings += 1
        elif kind == "error":
            self.transcript.error = event["error"]
        else:
            self.require((kind == "message_start") != self.started, f"{kind} at the wrong place")
            self._content(kind, event)

    def _content(self, kind: str, event: Json) -> None:
        match kind:
            case "message_start":
                self.started = True
                self.transcript.models.add(event["message"]["model"])
            case "content_block_start":
                self.require(self.block is None, "a block inside a block")
                self.block = event["index"]
            case "content_block_delta":
                self.require(self.block == event["index"], "a delta outside its block")
                self.transcript.text += event["delta"].get("text", "")
            case "content_block_stop":
                self.require(self.block == event["index"], "the stop of another block")
                self.block = None
            case "message_delta":
                self.require(self.block is None, "message_delta inside a block")
                self.stop_reason = event["delta"].get("stop_reason")
            case "message_stop":
                self.require(self.stop_reason is not None, "message_stop without a stop_reason")
                self.over = self.transcript.finished = True
            case _:
                self.require(False, f"unknown event {kind}")


_READERS: dict[str, Callable[[Transcript], Reader]] = {
    "chat": ChatReader,
    "responses": ResponsesReader,
    "messages": MessagesReader,
}


# --- unstreamed ----------------------------------------------------------------------------------


def read_whole(dialect: str, answer: Answer) -> tuple[str, str]:
    """The text and the model of an unstreamed answer; raises where it is none."""
    if answer.ending != "clean":
        raise ValueError(f"the body is {answer.ending}")
    body = json.loads(answer.body)
    if dialect == "chat":
        choice = body["choices"][0]
        assert choice["finish_reason"], "no finish_reason"
        return choice["message"]["content"], body["model"]
    if dialect == "responses":
        assert body["status"] == "completed", body["status"]
        return body["output"][0]["content"][0]["text"], body["model"]
    assert body["stop_reason"], "no stop_reason"
    return body["content"][0]["text"], body["model"]
