"""6xx: who may call and how much: tokens, limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from compiler.diagnostics import Finding, Path, Severity, rule
from compiler.model import BudgetDef, CallerDef, Deployment, LimitDef, TokenDef

TOKENS_AT_ONCE: Final = 2


@rule("IL610")
def limits_missing(deployment: Deployment) -> Iterator[Finding]:
    """A caller with groups has no limits.

    An agent in a loop spends a month's budget in a night; a caller who may spend without limit
    should be a decision somebody wrote down, as a set of limits with large numbers.

    Bad:

        alice: {user: alice, project: web, env: dev, groups: [coder]}

    Good:

        alice: {user: alice, project: web, env: dev, groups: [coder], limits: developer}
    """
    for caller in deployment.callers.values():
        if caller.groups and caller.limits is None:
            yield Finding(
                ("callers", caller.id),
                f"`{caller.id}` has groups and no `limits`",
                hint="add `limits:` with a set of limits",
                on="key",
            )


@rule("IL611")
def token_of_another(deployment: Deployment) -> Iterator[Finding]:
    """A token's id names another user, project or environment than its caller's.

    The id reads `rtr_<org>_<user>_<project>_<env>_<key>`; logs and reports show it, and it must
    not mislead them.

    Bad:

        alice:
          user: alice
          project: web
          env: dev
          groups: []
          tokens: [{id: rtr_acme_bob_web_dev_k1, sha256: "7e7d…"}]

    Good:

        alice:
          tokens: [{id: rtr_acme_alice_web_dev_k1, sha256: "7e7d…"}]
    """
    for caller, path, token in _tokens(deployment):
        _, _, user, project, env, _ = token.id.split("_")
        parts = {"user": user, "project": project, "env": env}
        own = {"user": caller.user, "project": caller.project, "env": caller.env}
        wrong = [part for part in parts if parts[part] != own[part]]
        if wrong:
            told = ", ".join(f"{part} `{parts[part]}`, not `{own[part]}`" for part in wrong)
            yield Finding(
                (*path, "id"),
                f"this token id of `{caller.id}` names {told}",
                hint=f"`interlock token new FILE --caller {caller.id}` writes a fitting one",
            )


@rule("IL612")
def token_twice(deployment: Deployment) -> Iterator[Finding]:
    """Two tokens share an id or a digest.

    The runtime looks tokens up by id, so one of two would never work; and two ids with one digest
    cannot both be right, for the id is part of what was digested.

    Bad:

        tokens:
          - {id: rtr_acme_alice_web_dev_k1, sha256: "7e7d…"}
          - {id: rtr_acme_alice_web_dev_k1, sha256: "a0e4…"}

    Good:

        tokens:
          - {id: rtr_acme_alice_web_dev_k1, sha256: "7e7d…"}
          - {id: rtr_acme_alice_web_dev_k2, sha256: "a0e4…"}
    """
    seen: dict[str, str] = {}
    for caller, path, token in _tokens(deployment):
        for field, value in (("id", token.id), ("sha256", token.sha256)):
            if value in seen:
                yield Finding(
                    (*path, field),
                    f"another token of `{seen[value]}` has this {_CALLED[field]}",
                    hint=f"mint another: `interlock token new FILE --caller {caller.id}`",
                )
            seen.setdefault(value, caller.id)


_CALLED: Final = {"id": "id", "sha256": "digest"}


@rule("IL613")
def too_many_tokens(deployment: Deployment) -> Iterator[Finding]:
    """A caller has more than two usable tokens.

    Two at once are enough to rotate; every further one is a credential nobody watches. Give each
    machine a caller of its own.

    Bad:

        tokens: [{id: …_k1, sha256: …}, {id: …_k2, sha256: …}, {id: …_k3, sha256: …}]

    Good:

        tokens: [{id: …_k2, sha256: …}, {id: …_k3, sha256: …}]
    """
    for caller in deployment.callers.values():
        usable = [
            index
            for index, token in enumerate(caller.tokens)
            if not _why_dead(token.status, token.expires, deployment.as_of)
        ]
        for index in usable[TOKENS_AT_ONCE:]:
            yield Finding(
                ("callers", caller.id, "tokens", index),
                f"`{caller.id}` has {len(usable)} usable tokens",
                hint="remove or disable the oldest, or give the other machine its own caller",
            )


@rule("IL614", Severity.WARNING)
def dead_credential(deployment: Deployment) -> Iterator[Finding]:
    """A token or caller is disabled, or expired by `as_of`.

    It answers 403, which is fine while people move; afterwards the line is only history.

    Bad:

        as_of: 2026-11-20
        callers:
          ci:
            tokens: [{id: rtr_acme_ci_web_ci_k1, sha256: "d3ee…", expires: 2026-01-31}]

    Good:

        callers:
          ci:
            tokens: [{id: rtr_acme_ci_web_ci_k2, sha256: "77b1…", expires: 2027-01-31}]
    """
    for caller in deployment.callers.values():
        why = _why_dead(caller.status, caller.expires, deployment.as_of)
        if why:
            yield _dead(("callers", caller.id), why, f"the caller `{caller.id}`")
    for _, path, token in _tokens(deployment):
        why = _why_dead(token.status, token.expires, deployment.as_of)
        if why:
            yield _dead(path, why, f"the token `{token.id}`")


@rule("IL615", Severity.WARNING)
def caller_without_token(deployment: Deployment) -> Iterator[Finding]:
    """A caller has no token, so nobody can be this caller.

    Tokens are how callers are told apart; groups and limits of this one never count.

    Bad:

        alice: {user: alice, project: web, env: dev, groups: [coder], limits: developer}

    Good:

        alice:
          user: alice
          project: web
          env: dev
          groups: [coder]
          limits: developer
          tokens: [{id: rtr_acme_alice_web_dev_k1, sha256: "7e7d…"}]
    """
    for caller in deployment.callers.values():
        if not caller.tokens:
            yield Finding(
                ("callers", caller.id),
                f"`{caller.id}` has no token",
                hint=f"mint one: `interlock token new {deployment.file} --caller {caller.id}`",
                on="key",
            )


@rule("IL616")
def limits_inconsistent(deployment: Deployment) -> Iterator[Finding]:
    """The numbers of a set of limits contradict one another, or it limits nothing.

    A day must not hold more than its month, and the output reserved for one request not more than
    the tokens of a minute: no request could ever begin.

    Bad:

        developer: {tpm: 1000, reserve_output: 4096, day: {usd: 40}, month: {usd: 10}}

    Good:

        developer: {tpm: 200000, reserve_output: 4096, day: {usd: 40}, month: {usd: 400}}
    """
    for id_, limits in deployment.limits.items():
        path: Path = ("limits", id_)
        for field in ("requests", "tokens", "usd"):
            day, month = getattr(limits.day, field), getattr(limits.month, field)
            if day is not None and month is not None and day > month:
                yield Finding(
                    (*path, "day", field),
                    f"a day of `{id_}` holds more {field} ({day:g}) than its month ({month:g})",
                    hint="raise the month or lower the day",
                )
        if limits.tpm is not None and limits.reserve_output > limits.tpm:
            yield Finding(
                (*path, "reserve_output"),
                f"`{id_}` reserves more output than a minute holds: no request could begin",
                hint="raise `tpm` or lower `reserve_output`",
            )
        if _limits_nothing(limits):
            yield Finding(
                path,
                f"`{id_}` limits nothing",
                hint="add `rpm`, `tpm`, `concurrent`, `day` or `month`",
                on="key",
                severity=Severity.WARNING,
            )


def _limits_nothing(limits: LimitDef) -> bool:
    numbers = (limits.rpm, limits.tpm, limits.concurrent)
    return numbers == (None, None, None) and limits.day == limits.month == BudgetDef()


def _tokens(deployment: Deployment) -> Iterator[tuple[CallerDef, Path, TokenDef]]:
    for caller in deployment.callers.values():
        for index, token in enumerate(caller.tokens):
            yield caller, ("callers", caller.id, "tokens", index), token


def _why_dead(status: str, expires: dt.date | None, as_of: dt.date) -> str:
    if status == "disabled":
        return "is disabled"
    return f"expired on {expires}" if expires and expires < as_of else ""


def _dead(path: Path, why: str, what: str) -> Finding:
    return Finding(path, f"{what} {why}", hint="remove it when nobody uses it any more", on="key")
