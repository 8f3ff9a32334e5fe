"""The deployment under test, as an administrator would write it: a target per behaviour.

Each behaviour has a group of its own, and one with a healthy second target.
"""

from __future__ import annotations

from tests.faults.behaviours import SILENCE
from tests.faults.table import ROWS
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
_ATTEMPT_TIMEOUT = {"comments-for-ever": "400ms"}

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
providers:
{providers}
profiles:
  agent:
    stream: native
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
    cooldown: {{failures: 1000, base: 1s, max: 1s}}
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

_GROUP = """\
  {id}:
    surfaces: [chat, responses, messages]
    members: [{members}]
    policy: {{kind: ordered, attempts: 2, attempt_timeout: {attempt_timeout}, total_timeout: 60s}}
    reasoning: {{unsupported: drop}}
    codex: {{base_instructions: Answer plainly.}}
"""


def deployment(port: int, closed_port: int, hole_port: int, transport: str = "fast") -> str:
    """The YAML, for a fault upstream on `port`."""
    providers = {name: (port, timeouts) for name, timeouts in _TIMEOUTS.items()}
    providers["closed"] = (closed_port, _TIMEOUTS["steady"])
    providers["hole"] = (hole_port, _TIMEOUTS["hasty"])
    providers["deep-hole"] = (hole_port, _TIMEOUTS["steady"].replace("3s", "15s"))
    groups = _groups()
    return _HEAD.format(
        providers="".join(
            _PROVIDER.format(
                id=name, port=at, timeouts=limits, key_env=PROVIDER_KEY_ENV, transport=transport
            )
            for name, (at, limits) in providers.items()
        ),
        provider_ids=", ".join(providers),
        targets="".join(_targets()),
        groups="".join(groups.values()),
        group_ids=", ".join(groups),
        user=CALLER.user,
        project=CALLER.project,
        env=CALLER.env,
        token_id=CALLER.id,
        sha256=CALLER.sha256,
    )


def _targets() -> list[str]:
    models = {row.behaviour: row.behaviour for row in ROWS} | PATIENT
    return [
        _TARGET.format(
            id=target,
            model=model or target,
            provider=_PROVIDER_OF.get(target, "steady"),
        )
        for target, model in models.items()
    ]


def _groups() -> dict[str, str]:
    groups = {}
    for name in (*(row.behaviour for row in ROWS), *PATIENT):
        pairs = {name: f"{{target: {name}}}"}
        pairs[f"{name}.then-good"] = f"{{target: {name}}}, {{target: good}}"
        if name == "good":
            pairs["good.then-good"] = "{target: good}, {target: good-in-one-piece}"
        if name in PATIENT:
            del pairs[f"{name}.then-good"]
        for group, members in pairs.items():
            groups[group] = _GROUP.format(
                id=group, members=members, attempt_timeout=_ATTEMPT_TIMEOUT.get(name, "25s")
            )
    return groups
