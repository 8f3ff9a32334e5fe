"""6xx: numbers that hold for the whole deployment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from compiler.diagnostics import Finding, Severity, rule
from compiler.model import Deployment


@rule("IL660")
def budgets_unordered(deployment: Deployment) -> Iterator[Finding]:
    """A higher level has a smaller budget than a lower one.

    A caller's budget means the level it reaches, so budgets must rise with the levels.

    Bad:

        reasoning:
          budgets: {low: 8192, high: 2048}

    Good:

        reasoning:
          budgets: {low: 2048, high: 8192}
    """
    budgets = deployment.settings.budgets.items()  # in the order of the levels
    for (lower, less), (level, budget) in pairwise(budgets):
        if budget <= less:
            yield Finding(
                ("reasoning", "budgets", level),
                f"the budget of `{level}` ({budget}) is not above that of `{lower}` ({less})",
                hint="let budgets rise with the levels",
            )


@rule("IL661", Severity.WARNING)
def images_do_not_fit(deployment: Deployment) -> Iterator[Finding]:
    """An image may be larger than a whole request.

    Inline images travel as base64, a third larger than they are, so the body limit is reached
    first and callers read another error than the one about images.

    Bad:

        settings:
          body_limit: 8MiB
          images: {max_bytes: 20MiB}

    Good:

        settings:
          body_limit: 32MiB
          images: {max_bytes: 20MiB}
    """
    settings = deployment.settings
    largest = settings.images.max_bytes
    if largest is not None and largest * 4 // 3 > settings.body_limit:
        yield Finding(
            ("settings", "images", "max_bytes"),
            f"an inline image of {largest} bytes does not fit into a body of {settings.body_limit}",
            hint="raise `body_limit`, or lower `max_bytes`",
        )


@rule("IL662", Severity.WARNING)
def budget_unadvertised(deployment: Deployment) -> Iterator[Finding]:
    """A budget stands for a level that this deployment does not advertise, or a default does.

    Clients choose among advertised levels, so nobody can choose this one.

    Bad:

        reasoning:
          levels: {low: Quick answers}
          budgets: {low: 2048, high: 16384}

    Good:

        reasoning:
          levels: {low: Quick answers, high: Hard problems}
          budgets: {low: 2048, high: 16384}
    """
    levels = deployment.settings.levels
    if levels:
        for level in deployment.settings.budgets:
            if level not in levels:
                yield Finding(
                    ("reasoning", "budgets", level),
                    f"`{level}` has a budget and is not advertised",
                    hint=f"add `{level}` to `reasoning.levels`, or remove its budget",
                    on="key",
                )
    for id_, group in deployment.groups.items():
        default = group.reasoning_default
        if default and default not in levels:
            yield Finding(
                ("groups", id_, "reasoning", "default"),
                f"`{default}` is the default of `{id_}` and is not advertised",
                hint=f"add `{default}` to `reasoning.levels`, or choose another",
            )
