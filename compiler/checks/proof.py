"""6xx: prices and evidence: what a reader must be able to check, and by which day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from compiler.checks.walk import skins
from compiler.diagnostics import Finding, Path, Severity, rule
from compiler.model import Deployment
from compiler.resolve import NO_DATE


@rule("IL641")
def price_missing(deployment: Deployment) -> Iterator[Finding]:
    """A price is needed and not there.

    Savings are counted against the group's `baseline`, so the baseline needs a price; a member
    without one costs nothing in reports, and stands last in a `cheapest` policy (a warning).

    Bad:

        targets:
          big: {provider: own, model: big, skins: {chat: {}}}
        groups:
          coder: {baseline: big, surfaces: [chat], members: [{target: big}]}

    Good:

        targets:
          big: {provider: own, model: big, price: big, skins: {chat: {}}}
    """
    for id_, group in deployment.groups.items():
        base = deployment.targets.get(group.baseline or "")
        if base and base.price is None:
            yield Finding(
                ("groups", id_, "baseline"),
                f"`{base.id}` is the baseline of `{id_}` and has no price",
                hint=f"add `price:` to `targets.{base.id}`",
            )
    for target in _members_to_be_priced(deployment):
        yield Finding(
            ("targets", target),
            f"`{target}` has no price: its requests count as free",
            hint="add `price:`; `{input: 0, output: 0}` where it really costs nothing",
            on="key",
            severity=Severity.WARNING,
        )


def _members_to_be_priced(deployment: Deployment) -> list[str]:
    """Members without a price whose group compares prices."""
    compare = [g for g in deployment.groups.values() if g.kind == "cheapest" or g.baseline]
    members = dict.fromkeys(m.target for g in compare for m in g.members if m.target != g.baseline)
    found = (deployment.targets.get(name) for name in members)
    return [target.id for target in found if target and target.price is None]


@rule("IL642", Severity.WARNING)
def price_unsourced(deployment: Deployment) -> Iterator[Finding]:
    """A price does not say where and when it was read.

    Nobody can tell later whether it is old.

    Bad:

        big: {input: 5, output: 25}

    Good:

        big: {input: 5, output: 25, source: vendor price page, as_of: 2026-11-02}
    """
    for id_, price in deployment.prices.items():
        missing = [f for f in ("source", "as_of") if getattr(price, f) is None]
        if missing:
            yield Finding(
                ("prices", id_),
                f"the price `{id_}` has no {' and no '.join(f'`{f}`' for f in missing)}",
                hint=f"add `{missing[0]}:`",
                on="key",
            )


@rule("IL643")
def evidence_missing(deployment: Deployment) -> Iterator[Finding]:
    """`settings.evidence.require` is on, and a skin or bridge names no evidence.

    A claim that nobody tested routes real requests to a model that may fail on them.

    Bad:

        settings: {evidence: {require: true}}
        targets:
          small: {provider: own, model: small, skins: {chat: {stream: native}}}

    Good:

        targets:
          small: {provider: own, model: small, skins: {chat: {stream: native, evidence: run-118}}}
    """
    if deployment.evidence_required:
        for path, what, evidence in _claims(deployment):
            if evidence is None:
                yield Finding(
                    path,
                    f"{what} names no evidence, and `settings.evidence.require` asks for it",
                    hint="add `evidence:` with an entry of `evidence`",
                    on="key",
                )


@rule("IL644", Severity.WARNING)
def evidence_old(deployment: Deployment) -> Iterator[Finding]:
    """Evidence is older than `settings.evidence.max_age_days`, counted from `as_of`.

    Models change behind their names. A warning, and an error where evidence is required.

    Bad:

        as_of: 2026-11-20
        settings: {evidence: {max_age_days: 90}}
        evidence:
          run-12: {verified: 2026-01-05, by: smoke run 12}

    Good:

        evidence:
          run-118: {verified: 2026-11-03, by: smoke run 118}
    """
    oldest = deployment.evidence_max_age_days
    if oldest is None:
        return
    used = {evidence for _, _, evidence in _claims(deployment)}
    severity = Severity.ERROR if deployment.evidence_required else Severity.WARNING
    for id_, evidence in deployment.evidence.items():
        age = (deployment.as_of - evidence.verified).days
        if age > oldest and id_ in used:
            yield Finding(
                ("evidence", id_, "verified"),
                f"the evidence `{id_}` is {age} days old; {oldest} are allowed",
                hint="run the smoke tests again and write the new date",
                severity=severity,
            )


@rule("IL645")
def dated_later(deployment: Deployment) -> Iterator[Finding]:
    """Something is dated after `as_of`, the day this file speaks of.

    Nobody can have seen it yet: one of the two dates is wrong.

    Bad:

        as_of: 2026-11-20
        evidence:
          run-118: {verified: 2026-12-03, by: smoke run 118}

    Good:

        as_of: 2026-12-04
        evidence:
          run-118: {verified: 2026-12-03, by: smoke run 118}
    """
    dates: list[tuple[Path, dt.date | None]] = [
        (("evidence", id_, "verified"), e.verified) for id_, e in deployment.evidence.items()
    ]
    dates += [(("prices", id_, "as_of"), p.as_of) for id_, p in deployment.prices.items()]
    for path, date in dates:
        if date is not None and date > deployment.as_of:
            yield Finding(
                path,
                f"`{path[1]}` is dated {date}, after `as_of: {deployment.as_of}`",
                hint="move `as_of` on, or correct the date",
            )


@rule("IL646", Severity.WARNING)
def as_of_missing(deployment: Deployment) -> Iterator[Finding]:
    """The file does not say which day it speaks of.

    The build has no clock, so that the same file always gives the same artifact. Without `as_of`,
    ages are judged by the newest date in the file, and expired tokens go unnoticed.

    Bad:

        interlock: 1
        name: acme

    Good:

        interlock: 1
        name: acme
        as_of: 2026-11-20
    """
    if not deployment.written("as_of"):
        instead = "there is no date in the file either"
        if deployment.as_of != NO_DATE:
            instead = f"ages are judged by the newest date in the file, {deployment.as_of}"
        yield Finding(
            ("interlock",),
            f"there is no `as_of`; {instead}",
            hint="add `as_of:` with the day of the last review",
            on="key",
        )


def _claims(deployment: Deployment) -> Iterator[tuple[Path, str, str | None]]:
    """Whatever a skin or bridge claims to be able to do, and the evidence it names."""
    for path, target, skin in skins(deployment):
        yield path, f"the `{skin.dialect}` skin of `{target.id}`", skin.evidence
        for name, bridge in skin.bridges.items():
            yield (*path, "bridges", name), f"`{name}` to `{target.id}`", bridge.evidence
