"""A deployment with groups that keep answers, and what is asked of its router."""

from __future__ import annotations

from typing import Any

from runtime.records.record import Record
from tests.runtime.serving.deployment import ask
from tests.support.router import Token
from tests.support.serving import PATHS, Got, Json, Served

ADA = Token("ada", "web", "dev", secret="wQe3rT5yU7iO9pA1sD2fG4hJ6kL")
EVE = Token("eve", "web", "dev", secret="zM8nB6vC4xZ2lK1jH3gF5dS7aPo")
BOB = Token("bob", "vault", "dev", secret="rF5tG6yH7uJ8iK9oL1pQ2aZ3wSx")
SURFACES = ("chat", "responses", "messages")


def _target(dialect: str) -> str:
    carry = "{carry: [stream, tools, image, reasoning, multiple]}"
    bridges = "\n".join(
        f"          {other}_to_{dialect}: {carry.replace(', multiple', '')}"
        for other in SURFACES
        if other != dialect
    )
    capped = dialect == "messages"
    return f"""\
  {dialect}:
    provider: one
    model: {dialect}-upstream-1
    price: paid
    skins:
      {dialect}:
        use: able
        structured: [{"json_schema" if capped else "json_object, json_schema"}]
        reasoning: {{control: {"adaptive" if capped else "effort"}, levels: [low, high]}}
{"        output_cap: {field: max_tokens, max: 8192, over: clamp, default: 4096}" if capped else ""}
{"        extras: [multiple, logprobs]" if dialect == "chat" else ""}
{"        stateful: true" if dialect == "responses" else ""}
        bridges:
{bridges}
"""


def _group(name: str, members: str, more: str = "cache: true") -> str:
    return (
        f"  {name}:\n    surfaces: [responses, messages, chat]\n"
        f"    policy: {{kind: ordered, attempts: 2}}\n    members: [{members}]\n    {more}\n"
    )


def yaml(settings: str = "{hosted_tools: {web_search: prefer}}") -> str:
    """The deployment, with some settings of its own."""
    groups = "".join(_group(dialect, f"{{target: {dialect}}}") for dialect in SURFACES[1:])
    groups += _group("chat", "{target: chat}", "cache: true\n    aliases: [shared]")
    groups += _group("two", "{target: chat}, {target: spare}", "cache: true\n    baseline: spare")
    groups += _group("other", "{target: chat}", "cache: true\n    aliases: [shared]")
    groups += _group("free", "{target: chat}", "cache: false")
    return f"""\
interlock: 1
name: keeping
as_of: 2026-11-20
settings: {settings}
prices:
  paid: {{input: 4, output: 20, source: invented, as_of: 2026-11-20}}
  dear: {{input: 10, output: 50, source: invented, as_of: 2026-11-20}}
providers:
  one: {{base_url: https://one.example/v1, key_env: ONE_KEY}}
  two: {{base_url: https://two.example/v1, key_env: TWO_KEY}}
profiles:
  able:
    stream: native
    input: [text, image, document]
    image_sources: [url, inline]
    tools: [function, parallel, "hosted:web_search"]
targets:
{"".join(map(_target, SURFACES))}
  spare:
    provider: two
    model: spare-upstream-1
    price: dear
    skins: {{chat: {{use: able}}}}
groups:
{groups}
limits:
  wide: {{rpm: 100000}}
projects:
  web: {{providers: [one, two]}}
  vault: {{providers: [one, two]}}
callers:
{_caller(ADA)}{_caller(EVE, first="other")}{_caller(BOB)}
"""


def _caller(token: Token, first: str = "chat") -> str:
    groups = sorted(("chat", "responses", "messages", "two", "other", "free"), key=first.__ne__)
    return f"""\
  {token.user}:
    user: {token.user}
    project: {token.project}
    env: dev
    groups: [{", ".join(groups)}]
    limits: wide
    tokens: [{{id: {token.id}, sha256: {token.sha256}}}]
"""


class Rows:
    """A recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.all: list[Record] = []

    def take(self, record: Record) -> None:
        self.all.append(record)

    @property
    def last(self) -> Record:
        return self.all[-1]


def question(surface: str, group: str, **more: Any) -> Json:
    """A request whose answer may be kept."""
    return ask(surface, group, temperature=0, **more)


def post(router: Served, surface: str, body: Json, token: Token = ADA, **headers: str) -> Got:
    """The answer, which has to be a good one."""
    got = router.post(PATHS[surface], token, body, **headers)
    assert got.status == 200, got.raw
    return got


def state_of(got: Got) -> str | None:
    """What the cache had for it."""
    return got.trace.get("cache")
