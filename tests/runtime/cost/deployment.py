"""A deployment whose prices are easy to reckon with, and rows of what its router answered."""

from __future__ import annotations

from typing import Any

import httpx

from runtime.records.record import Record
from tests.runtime.answers.recordings import FOLDER
from tests.support.router import Token
from tests.support.serving import PATHS, Got, Json, Served

ADA = Token("ada", "web", "dev", secret="qHw3Er6Ty9Ui2Op5As8Df1Gh4Jk")
SURFACES = ("chat", "responses", "messages")
_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
_ALL = "[responses, messages, chat]"


def _target(dialect: str, stream: str) -> str:
    bridges = "\n".join(
        f"          {other}_to_{dialect}: {{carry: [stream, tools, image]}}"
        for other in SURFACES
        if other != dialect
    )
    cap = ", output_cap: {field: max_tokens, max: 8192, over: clamp, default: 4096}"
    return f"""\
  {dialect}-{stream}:
    provider: one
    model: {dialect}-upstream-1
    price: paid
    skins:
      {dialect}:
        use: able
        stream: {stream}
{cap[2:].replace("output_cap", "        output_cap") if dialect == "messages" else ""}
        bridges:
{bridges}
"""


def _group(name: str, target: str, baseline: str | None) -> str:
    usual = f", baseline: {baseline}" if baseline else ""
    return (
        f"  {name}: {{surfaces: {_ALL}, policy: {{kind: ordered}}, members: [{{target: {target}}}]"
        f"{usual}}}\n"
    )


YAML = f"""\
interlock: 1
name: money
as_of: 2026-11-20
prices:
  paid: {{input: 4, output: 20, cache_read: 0.5, cache_write: 5, image: 0.002, image_tokens: 8,
    source: invented, as_of: 2026-11-20}}
  dear: {{input: 10, output: 50, image: 0.01, source: invented, as_of: 2026-11-20}}
  cheap: {{input: 1, output: 2, source: invented, as_of: 2026-11-20}}
providers:
  one: {{base_url: https://one.example/v1, key_env: ONE_KEY, key_id: team-key-7}}
profiles:
  able:
    input: [text, image]
    image_sources: [url, inline]
    tools: [function, parallel]
targets:
{"".join(_target(d, s) for d in SURFACES for s in ("native", "synthesized"))}
  dear:
    {{provider: one, model: dear-1, price: dear, skins: {{chat: {{use: able, stream: native}}}}}}
  cheap:
    {{provider: one, model: cheap-1, price: cheap, skins: {{chat: {{use: able, stream: native}}}}}}
  unpriced: {{provider: one, model: free-1, skins: {{chat: {{use: able, stream: native}}}}}}
groups:
{"".join(_group(d, f"{d}-native", "dear") for d in SURFACES)}
{"".join(_group(f"{d}-whole", f"{d}-synthesized", "dear") for d in SURFACES)}
{_group("losing", "chat-native", "cheap").replace(_ALL, "[chat]")}
{_group("plain", "chat-native", None).replace(_ALL, "[chat]")}
{_group("unknown", "unpriced", None).replace(_ALL, "[chat]")}
limits:
  wide: {{rpm: 100000}}
projects:
  web: {{providers: [one]}}
callers:
  ada:
    user: ada
    project: web
    env: dev
    groups: [{", ".join(SURFACES)}, {", ".join(f"{d}-whole" for d in SURFACES)},
      losing, plain, unknown]
    limits: wide
    tokens: [{{id: {ADA.id}, sha256: {ADA.sha256}}}]
"""


class Rows:
    """A recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.all: list[Record] = []

    def take(self, record: Record) -> None:
        self.all.append(record)


def replay(file: str, *edits: tuple[bytes, bytes]) -> httpx.Response:
    """A recorded answer as its provider sent it, but for some bytes that are there once."""
    body = (FOLDER / file).read_bytes()
    for old, new in edits:
        assert body.count(old) == 1
        body = body.replace(old, new)
    kind = "text/event-stream" if file.endswith(".sse") else "application/json"
    return httpx.Response(200, headers={"content-type": kind}, content=body)


def ask(surface: str, group: str, *, stream: bool = False, images: int = 0) -> Json:
    """A request with some images."""
    parts: dict[str, list[Json]] = {
        "chat": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PIXEL}"}}],
        "responses": [{"type": "input_image", "image_url": f"data:image/png;base64,{_PIXEL}"}],
        "messages": [
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": _PIXEL},
            }
        ],
    }
    text = {"type": "input_text" if surface == "responses" else "text", "text": "What is this?"}
    turn = {"role": "user", "content": [text, *(parts[surface] * images)]}
    body: dict[str, Any] = {"model": group, "stream": stream}
    body["input" if surface == "responses" else "messages"] = [turn]
    return body | ({"max_tokens": 1000} if surface == "messages" else {})


def answered(router: Served, rows: Rows, surface: str, body: Json) -> tuple[Got, Record]:
    """The answer and its row."""
    rows.all.clear()
    got = router.post(PATHS[surface], ADA, body)
    assert got.status == 200, got.raw
    (row,) = rows.all
    return got, row
