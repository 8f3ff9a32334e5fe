"""6xx: how long is waited, and whether the waits fit into one another."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics import Finding, Severity, rule
from compiler.model import Deployment, GroupDef


@rule("IL606")
def waits_inconsistent(deployment: Deployment) -> Iterator[Finding]:
    """The waits of a provider contradict one another.

    `connect` must not be longer than `first_byte`, nor `first_byte` or `idle` longer than `total`;
    a cooldown grows from `base` up to `max`.

    Bad:

        timeouts: {first_byte: 60s, total: 30s}

    Good:

        timeouts: {first_byte: 60s, total: 900s}
    """
    for id_, provider in deployment.providers.items():
        waits, cooldown = provider.timeouts, provider.cooldown
        pairs = (
            ("timeouts", "connect", waits.connect, "first_byte", waits.first_byte),
            ("timeouts", "first_byte", waits.first_byte, "total", waits.total),
            ("timeouts", "idle", waits.idle, "total", waits.total),
            ("cooldown", "base", cooldown.base, "max", cooldown.max),
        )
        for block, short, low, long, high in pairs:
            # A default that is longer than a written total is only cut short by it.
            if low > high and deployment.written("providers", id_, block, short):
                known = "" if deployment.written("providers", id_, block, long) else ", its default"
                yield Finding(
                    ("providers", id_, block, short),
                    f"`{short}` ({low:g}s) of `{id_}` is longer than `{long}` ({high:g}s{known})",
                    hint=f"make `{long}` at least as long as `{short}`",
                )


@rule("IL640")
def attempts_do_not_fit(deployment: Deployment) -> Iterator[Finding]:
    """The attempts of a group do not fit into its total time.

    The last of them would be cut short, or never made.

    Bad:

        policy: {kind: ordered, attempts: 3, attempt_timeout: 120s, total_timeout: 300s}

    Good:

        policy: {kind: ordered, attempts: 3, attempt_timeout: 100s, total_timeout: 300s}
    """
    for id_, group in deployment.groups.items():
        needed = group.attempts * group.attempt_timeout
        if needed > group.total_timeout:
            yield Finding(
                ("groups", id_, "policy"),
                f"{group.attempts} attempts of {group.attempt_timeout:g}s do not fit into the"
                f" {group.total_timeout:g}s of `{id_}`",
                hint=f"set `total_timeout: {needed:g}s`, or fewer or shorter attempts",
                on="key",
            )


@rule("IL647", Severity.WARNING)
def wait_never_ends(deployment: Deployment) -> Iterator[Finding]:
    """A provider waits longer for the first byte than the groups that use it allow an attempt.

    The attempt ends first, always; the provider's own number never counts.

    Bad:

        providers:
          openai: {timeouts: {first_byte: 120s}}
        groups:
          coder: {policy: {attempt_timeout: 90s}}

    Good:

        providers:
          openai: {timeouts: {first_byte: 60s}}
    """
    for id_, provider in deployment.providers.items():
        groups = [g for g in deployment.groups.values() if _uses(deployment, g, id_)]
        longest = max((g.attempt_timeout for g in groups), default=None)
        path = ("providers", id_, "timeouts", "first_byte")
        wait = provider.timeouts.first_byte
        if longest is not None and deployment.written(*path) and wait > longest:
            yield Finding(
                path,
                f"`{id_}` waits {wait:g}s for the first byte, and no group waits longer than"
                f" {longest:g}s for an attempt",
                hint="lower it, or raise `attempt_timeout` of a group",
            )


def _uses(deployment: Deployment, group: GroupDef, provider: str) -> bool:
    targets = (deployment.targets.get(member.target) for member in group.members)
    return any(target.provider == provider for target in targets if target)
