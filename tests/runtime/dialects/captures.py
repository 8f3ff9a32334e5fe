"""The recorded requests of real agents, with cut texts padded back to their length."""

import json
import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "data" / "captures"
PATHS = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/messages/count_tokens": "messages",
}

_TRUNCATED = re.compile(r"…\[truncated by capture; original length (\d+) chars\]$")
_ELIDED = re.compile(r"…<elided (\d+) characters of client text>")


class Capture(NamedTuple):
    """One request. `size` is what went over the wire, before anything was cut."""

    name: str
    dialect: str
    headers: dict[bytes, bytes]
    body: bytes
    size: int


def captures() -> list[Capture]:
    """Every POST with a body that the four agents sent to a dialect's path."""
    found = []
    for file in sorted(FOLDER.glob("*/*.json")):
        if file.name.startswith("_"):
            continue
        record = json.loads(file.read_text())
        requests = record.get("requests", [record])
        posts = (request for request in requests if request["method"] == "POST")
        found += [_capture(file, post) for post in posts if isinstance(post.get("body"), dict)]
    return found


def _capture(file: Path, request: dict) -> Capture:
    name = f"{file.parent.name}/{file.stem}"
    if "." not in file.stem:
        name += f".{request['seq']:02}"
    headers = {key.lower().encode(): value.encode() for key, value in request["headers"]}
    body = json.dumps(_padded(request["body"]), ensure_ascii=False, separators=(",", ":"))
    size = request.get("body_bytes_on_wire") or request.get("original_body_bytes")
    return Capture(name, PATHS[request["path"]], headers, body.encode(), size)


def _padded(value):
    if isinstance(value, dict):
        return {key: _padded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_padded(inner) for inner in value]
    return _pad(value) if isinstance(value, str) else value


def _pad(text: str) -> str:
    if match := _TRUNCATED.search(text):
        kept = text[: match.start()]
        return kept + "x" * (int(match[1]) - len(kept))
    return _ELIDED.sub(lambda match: "x" * int(match[1]), text)
