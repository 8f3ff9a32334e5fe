"""The deployment under test, as an administrator would write it: four targets per behaviour.

One speaks all dialects, three speak one alone and are reached over bridges as well. Each has a
group of its own, and some with a healthy second target.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.faults.answers import DIALECTS
from tests.faults.behaviours import SILENCE
from tests.faults.table import Cell, behind
from tests.faults.upstream import MODEL_PREFIX
from tests.support.router import Token

CALLER = Token("caller", "web", "ci", secret="qHvT3yZrW8kPm5XcNb7LdJ2fGs9")
PROVIDER_KEY = "wkzprovider-4Jq8TnVx2Rm6Yc0Lb"
PROVIDER_KEY_ENV = "FAULTS_PROVIDER_KEY"

# Seconds of silence after which the router sends the head of a stream: long enough for any fault
# that is not meant to be slow, shorter than the upstream's silence.
HEAD_START = SILENCE / 2
ENV = {PROVIDER_KEY_ENV: PROVIDER_KEY, "INTERLOCK_HEAD_START": str(HEAD_START)}

# What runs out is short for the targets that hang, and long for all others.
_TIMEOUTS = {
    "steady": "{connect: 3s, first_byte: 20s, idle: 20s, total: 60s}",
    "hasty": "{connect: 200ms, first_byte: 300ms, idle: 300ms, total: 20s}",
    "brief": "{connect: 500ms, first_byte: 700ms, idle: 700ms, total: 700ms}",
}
_PROVIDER_OF = {
    "refused": "closed",
    "connecting-hangs": "hole",
    "connecting-hangs-patiently": "deep-hole",
    "hangs-before-head": "hasty",
    "hangs-after-head": "hasty",
    "hangs-before-content": "hasty",
    "hangs-mid-body": "hasty",
    "content-for-ever": "brief",
}
# What only the deadline of an attempt can end
_ATTEMPT_TIMEOUT = {"comments-for-ever": "400ms", "slow-in-one-piece": "1500ms"}

# Targets of the tests beside the table: they hang for as long as the caller waits.
PATIENT = {
    "waits-before-head": "hangs-before-head",
    "waits-mid-body": "hangs-mid-body",
    "connecting-hangs-patiently": "",
}

_HEAD = """\
interlock: 1
name: faults
as_of: 2026-11-20
settings:
  keepalive: 300ms
  trace: {{show_upstream: {show_upstream}}}
providers:
{providers}
profiles:
  agent:
    stream: {stream}
    input: [text]
    tools: [function, parallel, forced]
limits:
  wide: {{rpm: 100000, tpm: 1000000000, concurrent: 1000}}
projects:
  web: {{providers: [{provider_ids}]}}
targets:
{targets}
groups:
{groups}
callers:
  caller:
    user: {user}
    project: {project}
    env: {env}
    groups: [{group_ids}]
    limits: wide
    tokens:
      - {{id: {token_id}, sha256: {sha256}}}
"""

_PROVIDER = """\
  {id}:
    base_url: http://127.0.0.1:{port}/v1
    auth: bearer
    key_env: {key_env}
    allow_http: true
    timeouts: {timeouts}
    cooldown: {cooldown}
    transport: {transport}
"""

_TARGET = """\
  {id}:
    provider: {provider}
    model: {model}
    context: 200000
    skins:
      chat: {{use: agent}}
      responses: {{use: agent}}
      messages: {{use: agent, output_cap: {{field: max_tokens, max: 64000, over: clamp}}}}
"""

# A target with one skin, to which bridges lead from the other two dialects.
_BRIDGED_TARGET = """\
  {id}:
    provider: {provider}
    model: {model}
    context: 200000
    skins:
      {dialect}:
        use: agent
        output_cap: {{field: {cap}, max: 64000, over: clamp, default: 32000}}
        bridges: {{{bridges}}}
"""
_BRIDGE = "{origin}_to_{dialect}: {{carry: [stream, tools, tools.forced]}}"
_CAPS = {"chat": "max_tokens", "responses": "max_output_tokens", "messages": "max_tokens"}

_GROUP = """\
  {id}:
    surfaces: [{surfaces}]
    members: [{members}]
    policy: {{kind: ordered, attempts: 2, attempt_timeout: {attempt_timeout}, total_timeout: 60s}}
    reasoning: {{unsupported: drop}}
    codex: {{base_instructions: Answer plainly.}}
"""


def deployment(
    port: int,
    closed_port: int,
    hole_port: int,
    cells: Iterable[Cell],
    *,
    transport: str = "fast",
    show_upstream: bool = True,
    stream: str = "native",
    failures: int = 1000,
) -> str:
    """The YAML for these cells and the patient targets, with a fault upstream on `port`.

    Targets rest after so many `failures`; many cells share one, and none may spoil it for others.
    """
    providers = {name: (port, timeouts) for name, timeouts in _TIMEOUTS.items()}
    providers["closed"] = (closed_port, _TIMEOUTS["steady"])
    providers["hole"] = (hole_port, _TIMEOUTS["hasty"])
    providers["deep-hole"] = (hole_port, _TIMEOUTS["steady"].replace("3s", "15s"))
    members, surfaces = _members(cells)
    targets = dict.fromkeys(target for group in members.values() for target in group)
    return _HEAD.format(
        stream=stream,
        show_upstream=str(show_upstream).lower(),
        providers="".join(
            _PROVIDER.format(
                id=name,
                port=at,
                timeouts=limits,
                key_env=PROVIDER_KEY_ENV,
                transport=transport,
                cooldown=f"{{failures: {failures}, base: 60s, max: 60s}}",
            )
            for name, (at, limits) in providers.items()
        ),
        provider_ids=", ".join(providers),
        targets="".join(map(_target, targets)),
        groups="".join(_group(group, members[group], surfaces[group]) for group in members),
        group_ids=", ".join(members),
        user=CALLER.user,
        project=CALLER.project,
        env=CALLER.env,
        token_id=CALLER.id,
        sha256=CALLER.sha256,
    )


def _members(cells: Iterable[Cell]) -> tuple[dict[str, tuple[str, ...]], dict[str, set[str]]]:
    """The targets of each group, and the dialects of its callers."""
    members: dict[str, tuple[str, ...]] = {}
    surfaces: dict[str, set[str]] = {}
    for cell in cells:
        members[cell.group] = cell.targets
        surfaces.setdefault(cell.group, set()).add(cell.dialect)
    for name, model in PATIENT.items():
        for target in (name, *(behind(name, dialect) for dialect in DIALECTS if model)):
            members[target] = (target,)
            surfaces[target] = set(DIALECTS)
    return members, surfaces


def _target(target: str) -> str:
    name, _, spoken = target.partition("--")[0].partition(".")
    fields = {
        "id": target,
        "model": MODEL_PREFIX + (PATIENT.get(name) or name),
        "provider": _PROVIDER_OF.get(name, "steady"),
    }
    if not spoken:
        return _TARGET.format(**fields)
    origins = (origin for origin in DIALECTS if origin != spoken)
    return _BRIDGED_TARGET.format(
        **fields,
        dialect=spoken,
        cap=_CAPS[spoken],
        bridges=", ".join(_BRIDGE.format(origin=origin, dialect=spoken) for origin in origins),
    )


def _group(group: str, targets: tuple[str, ...], surfaces: set[str]) -> str:
    name = targets[0].partition(".")[0]
    return _GROUP.format(
        id=group,
        surfaces=", ".join(sorted(surfaces)),
        members=", ".join(f"{{target: {target}}}" for target in targets),
        attempt_timeout=_ATTEMPT_TIMEOUT.get(name, "25s"),
    )
