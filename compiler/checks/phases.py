"""6xx: rules that tell the phase of a request: safe patterns, a last word, true examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf

from compiler.diagnostics import Finding, Severity, did_you_mean, rule
from compiler.model import Deployment
from compiler.plan.patterns import pattern_problem
from runtime.phases import Detector, Said, said
from runtime.shape import estimate_input_tokens
from runtime.vocabulary import PhaseRule


@rule("IL650")
def pattern_unsafe(deployment: Deployment) -> Iterator[Finding]:
    """A pattern is no regular expression, or could take long on some text.

    It runs on every request, over up to 4,000 characters that the caller chooses. So it has no
    back-reference, no look-around, no repeat or choice inside a repeat, and only so many ways to
    match at one place: one unbounded repeat, or several that end where the next word begins, as in
    `write\\s+unit\\s+tests`. `{0,40}` is bounded.

    Bad:

        - {phase: debug, last_user: '(\\w+\\s*)+crash'}

    Good:

        - {phase: debug, last_user: '\\bcrash(es|ed)?\\b'}
    """
    for id_, rules in deployment.phase_rules.items():
        for index, row in enumerate(rules.rules):
            problem = pattern_problem(row.last_user) if row.last_user else ""
            if problem:
                yield Finding(
                    ("phase_rules", id_, "rules", index, "last_user"),
                    f"this pattern {problem}",
                    hint="write the words themselves: `\\b(crash|traceback)\\b`",
                )


@rule("IL651")
def rules_end_open(deployment: Deployment) -> Iterator[Finding]:
    """The last rule has a condition, or an earlier one has none.

    Every request is in some phase: the last rule catches what no other does. A rule without
    conditions before it would catch all, and the rules after it would be dead.

    Bad:

        rules:
          - {phase: plan, last_user: design}
          - {phase: implement, max_chars: 400}

    Good:

        rules:
          - {phase: plan, last_user: design}
          - {phase: implement}
    """
    for id_, rules in deployment.phase_rules.items():
        last = len(rules.rules) - 1
        for index, row in enumerate(rules.rules):
            path = ("phase_rules", id_, "rules", index)
            if index == last and not _catches_all(row):
                yield Finding(
                    path,
                    f"the last rule of `{id_}` does not catch all requests",
                    hint="add a rule with a phase alone behind it",
                )
            elif index < last and _catches_all(row):
                yield Finding(
                    path,
                    "this rule catches all: the rules behind it never count",
                    hint="move it to the end, or give it a condition",
                )


@rule("IL652", Severity.WARNING)
def rule_shadowed(deployment: Deployment) -> Iterator[Finding]:
    """A rule never counts: an earlier one holds whenever it does.

    Rules are tried in order, and the first that holds tells the phase.

    Bad:

        rules:
          - {phase: debug, last_user: crash}
          - {phase: test, last_user: crash, max_chars: 200}
          - {phase: implement}

    Good:

        rules:
          - {phase: test, last_user: crash, max_chars: 200}
          - {phase: debug, last_user: crash}
          - {phase: implement}
    """
    for id_, rules in deployment.phase_rules.items():
        for index, row in enumerate(rules.rules):
            for place, earlier in enumerate(rules.rules[:index]):
                if not _catches_all(earlier) and _implies(row, earlier):
                    yield Finding(
                        ("phase_rules", id_, "rules", index),
                        f"this rule never counts: rule {place + 1} holds whenever it does",
                        hint="put the narrower rule first, or remove it",
                    )
                    break


@rule("IL653")
def example_wrong(deployment: Deployment) -> Iterator[Finding]:
    """An example gets another phase than the file says.

    Examples are the tests of the rules: they keep a later change from moving requests unseen.

    Bad:

        rules: [{phase: debug, last_user: crash}, {phase: implement}]
        examples: {Why does this fail?: debug}

    Good:

        rules: [{phase: debug, last_user: 'crash|fail'}, {phase: implement}]
        examples: {Why does this fail?: debug}
    """
    for id_, rules in deployment.phase_rules.items():
        if any(row.last_user and pattern_problem(row.last_user) for row in rules.rules):
            continue  # reported already, and not safe to run
        known = list(dict.fromkeys(row.phase for row in rules.rules))
        for sentence, phase in rules.examples.items():
            path = ("phase_rules", id_, "examples", sentence)
            told = phase_of(sentence, rules.rules)
            if phase not in known:
                yield Finding(
                    path, f"no rule of `{id_}` tells `{phase}`", hint=did_you_mean(phase, known)
                )
            elif told != phase:
                yield Finding(
                    path,
                    f"this example is in the phase `{told}`, not `{phase}`",
                    hint="correct the rule that should have held, or the example",
                )


def phase_of(text: str, rules: Iterable[PhaseRule]) -> str | None:
    """The phase of a request that says `text` and nothing else, as the router tells it."""
    size = estimate_input_tokens(len(text.encode()), 0, 0)
    return Detector(rules).phase(said([text]) or Said("", 0, False), size)


def _catches_all(row: PhaseRule) -> bool:
    return row == PhaseRule(row.phase)


def _implies(row: PhaseRule, earlier: PhaseRule) -> bool:
    """Whether `earlier` holds whenever `row` does, as far as the conditions alone tell."""
    return (
        earlier.last_user in (None, row.last_user)
        and earlier.after_tools in (None, row.after_tools)
        and (earlier.max_chars is None or (row.max_chars or inf) <= earlier.max_chars)
        and (row.min_input_tokens or 0) >= (earlier.min_input_tokens or 0)
    )
