"""`review.json`: what a reviewer must know of a deployment and no request does.

Promises, the day that ages are judged by, evidence, who uses which client, the phase rules as they
are written. It is read back by the
commands that compare artifacts; the runtime never opens it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import msgspec

from compiler.model import ClientProfile, Deployment, Evidence, Promise
from runtime.vocabulary import PhaseRule

KEPT = "review.json"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `promises` by group, `uses` by caller (absent: all clients), `evidence` by way:
    `target/skin`, or `target/skin/bridge`.
    """

    as_of: dt.date
    max_age_days: int | None
    promises: dict[str, tuple[Promise, ...]]
    uses: dict[str, tuple[str, ...]]
    evidence: dict[str, Evidence]
    clients: dict[str, ClientProfile]
    phase_rules: dict[str, tuple[PhaseRule, ...]]


def kept_of(deployment: Deployment) -> Kept:
    """What is kept of a deployment beside its tables."""
    return Kept(
        as_of=deployment.as_of,
        max_age_days=deployment.evidence_max_age_days,
        promises={g.id: g.promises for g in deployment.groups.values() if g.promises},
        uses={c.id: c.clients for c in deployment.callers.values() if c.clients is not None},
        evidence=dict(_evidence(deployment)),
        clients=dict(deployment.clients),
        phase_rules={name: found.rules for name, found in deployment.phase_rules.items()},
    )


def kept_text(kept: Kept) -> str:
    """The file as people review it: an entry per line, in the author's order."""
    sections = msgspec.to_builtins(kept)
    rows = ",\n".join(f"{_json(name)}: {_section(value)}" for name, value in sections.items())
    return f"{{\n{rows}\n}}\n"


def read_kept(content: bytes) -> Kept:
    """The file of an artifact. Raises msgspec.DecodeError where it is none."""
    return msgspec.json.decode(content, type=Kept)


def _section(value: object) -> str:
    if not isinstance(value, Mapping) or not value:
        return _json(value)
    rows = ",\n".join(f"  {_json(name)}: {_json(entry)}" for name, entry in value.items())
    return f"{{\n{rows}\n}}"


def _evidence(deployment: Deployment) -> Iterator[tuple[str, Evidence]]:
    for target in deployment.targets.values():
        for skin in target.skins.values():
            way = f"{target.id}/{skin.dialect}"
            claims = {way: skin.evidence}
            claims |= {f"{way}/{name}": b.evidence for name, b in skin.bridges.items()}
            for place, evidence in claims.items():
                if evidence is not None:
                    yield place, deployment.evidence[evidence]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
