"""The deployment of these tests, and what its providers say when all goes well."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.support.router import Token
from tests.support.serving import Asked, Json

WEB = Token("ada", "web", "dev", secret="mUxBf0Lq7Wc2Rn9Tz4Vh6Kd1Pj8")
VAULT = Token("bob", "vault", "dev", secret="eYsJr5Gk3Hv8Qw1Zt6Nb0Mx4Lc7")
OFF = Token("cut", "web", "off", secret="aQsWd3Ef6Rg9Th2Yj5Uk8Il1Op4")
LATE = Token("late", "web", "old", secret="zXcVb7Nm4As1Df8Gh5Jk2Lq9We6")

YAML = f"""\
interlock: 1
name: serving
as_of: 2026-11-20
default_group: plain
settings:
  hosted_tools: {{web_search: prefer, image_generation: strip, mcp: refuse, web_fetch: prefer}}
reasoning:
  levels: {{low: Quick, medium: Everyday, high: Hard}}
  budgets: {{low: 2048, medium: 8192, high: 16384, xhigh: 31999}}
prices:
  large: {{input: 5.00, output: 25.00, source: invented, as_of: 2026-11-20}}
  small: {{input: 0.03, output: 0.15, source: invented, as_of: 2026-11-20}}
providers:
  one:
    base_url: https://one.example/v1
    key_env: ONE_KEY
    headers: {{HTTP-Referer: https://acme.example}}
  two:
    base_url: https://two.example/v1
    auth: x-api-key
    key_env: TWO_KEY
profiles:
  agent:
    stream: native
    input: [text]
    tools: [function, parallel, forced]
  rich:
    use: agent
    input: [text, image, document]
    image_sources: [url, inline]
    structured: [json_object, json_schema]
targets:
  small:
    provider: one
    model: small-upstream-1
    context: 20000
    price: small
    skins:
      chat: {{use: rich, output_cap: {{field: max_completion_tokens, max: 4096, over: clamp}}}}
      responses: {{use: rich, tools: [function, forced, custom, namespace]}}
      messages:
        use: rich
        structured: [json_schema]
        output_cap: {{field: max_tokens, max: 8192, over: clamp, default: 4096}}
  searching:
    provider: two
    model: searching-upstream-1
    context: 50000
    price: large
    skins:
      chat: {{use: rich, tools: [function, parallel, forced, "hosted:web_search"]}}
      responses:
        use: rich
        tools:
          - function
          - parallel
          - forced
          - custom
          - namespace
          - hosted:web_search
          - hosted:code_interpreter
      messages:
        use: rich
        structured: [json_schema]
        tools: [function, parallel, forced, "hosted:web_search", "hosted:code_execution"]
        output_cap: {{field: max_tokens, max: 8192, over: clamp, default: 4096}}
  keeper:
    provider: one
    model: keeper-upstream-1
    skins:
      responses: {{use: rich, stateful: true, reasoning: {{control: effort, levels: [low, high]}}}}
  holder:
    provider: two
    model: holder-upstream-1
    skins:
      responses: {{use: rich, stateful: true}}
groups:
  plain:
    surfaces: [responses, messages, chat]
    aliases: [claude-plain, "gpt-*"]
    policy: {{kind: ordered, attempts: 2}}
    members: [{{target: small}}, {{target: searching}}]
    baseline: searching
    reasoning: {{unsupported: drop}}
  search:
    surfaces: [responses, messages, chat]
    policy: {{kind: ordered}}
    members: [{{target: searching}}]
    reasoning: {{unsupported: drop}}
  state:
    surfaces: [responses]
    policy: {{kind: weighted}}
    members: [{{target: keeper}}, {{target: holder}}]
    reasoning: {{unsupported: drop}}
  talk:
    surfaces: [chat]
    policy: {{kind: ordered}}
    members: [{{target: small}}]
    reasoning: {{unsupported: refuse}}
  stages:
    surfaces: [responses, messages, chat]
    policy: {{kind: phases}}
    phase_rules: two
    phases: {{plan: [searching], build: [small, searching]}}
    reasoning: {{default: high, unsupported: drop}}
phase_rules:
  two:
    rules: [{{phase: plan, last_user: plan}}, {{phase: build}}]
limits:
  wide: {{rpm: 100000, tpm: 1000000000, concurrent: 1000}}
projects:
  web: {{providers: [one, two]}}
  vault: {{providers: [one, two]}}
callers:
  ada:
    user: ada
    project: web
    env: dev
    groups: [plain, search, state, talk, stages]
    limits: wide
    tokens: [{{id: {WEB.id}, sha256: {WEB.sha256}}}]
  bob:
    user: bob
    project: vault
    env: dev
    groups: [state]
    limits: wide
    tokens: [{{id: {VAULT.id}, sha256: {VAULT.sha256}}}]
  cut:
    user: cut
    project: web
    env: "off"
    groups: [plain]
    limits: wide
    tokens: [{{id: {OFF.id}, sha256: {OFF.sha256}, status: disabled}}]
  late:
    user: late
    project: web
    env: old
    groups: [plain]
    limits: wide
    expires: 2026-01-31
    tokens: [{{id: {LATE.id}, sha256: {LATE.sha256}}}]
"""

CHAT: Json = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "small-upstream-1-20260101",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200},
}
RESPONSES: Json = {
    "id": "resp_upstream1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "small-upstream-1-20260101",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hi.", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 1000, "output_tokens": 200, "total_tokens": 1200},
}
MESSAGES: Json = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "small-upstream-1-20260101",
    "content": [{"type": "text", "text": "Hi."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1000, "output_tokens": 200},
}


def good(asked: Asked) -> httpx.Response:
    """A short answer in the dialect and form that was asked for."""
    body = asked.body
    if asked.path.endswith("/count_tokens"):
        return httpx.Response(200, json={"input_tokens": 321})
    dialect = asked.path.rpartition("/v1/")[2].partition("/")[0]
    if not body.get("stream"):
        whole = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES}[dialect]
        more = {"previous_response_id": body.get("previous_response_id")}
        return httpx.Response(200, json=whole | more if dialect == "responses" else whole)
    events = {"chat": chat_events, "responses": responses_events, "messages": messages_events}
    return streamed(events[dialect](body))


def streamed(events: list[bytes]) -> httpx.Response:
    """A 200 stream of these events."""
    kind = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=kind, content=b"".join(events))


def data(event: Json) -> bytes:
    """One event without a name."""
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def named(event: Json) -> bytes:
    """One event under its own type."""
    return b"event: " + event["type"].encode() + b"\n" + data(event)


def chat_events(body: Json) -> list[bytes]:
    def chunk(delta: Json, finish: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "c1", "object": "chat.completion.chunk", "model": "up-1", "choices": [choice]}

    events = [data(chunk(d)) for d in ({"role": "assistant"}, {"content": "Hi"}, {"content": "."})]
    events.append(data(chunk({}, "stop")))
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append(data({**chunk({}), "choices": [], "usage": CHAT["usage"]}))
    return [*events, b"data: [DONE]\n\n"]


def responses_events(body: Json) -> list[bytes]:
    answer = RESPONSES | {"previous_response_id": body.get("previous_response_id")}
    begun = answer | {"status": "in_progress", "output": [], "usage": None}
    item = RESPONSES["output"][0]
    text = {"item_id": "msg_1", "output_index": 0, "delta": "Hi."}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item | {"content": []}},
        {"type": "response.output_text.delta", **text},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": answer},
    ]
    return [named(event | {"sequence_number": n}) for n, event in enumerate(events)]


def messages_events(body: Json) -> list[bytes]:
    start = MESSAGES | {"content": [], "stop_reason": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi."}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 200},
        },
        {"type": "message_stop"},
    ]
    return [named(event) for event in events]


def ask(dialect: str, model: str | None = "plain", **more: Any) -> Json:
    """The smallest request of a dialect."""
    if dialect == "responses":
        body: Json = {"input": "Say hi."}
    else:
        body = {"messages": [{"role": "user", "content": "Say hi."}]}
    if dialect == "messages":
        body["max_tokens"] = 1000
    if model is not None:
        body["model"] = model
    return body | more
