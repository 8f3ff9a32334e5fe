"""6xx: rules that tell the phase of a request: safe patterns, a last word, true examples."""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]  # typeshed leaves the parser out
import re._parser as parser  # type: ignore[import-not-found]  # typeshed leaves the parser out
from collections.abc import Iterable, Iterator
from typing import Any, Final

from compiler.diagnostics import Finding, Severity, did_you_mean, rule
from compiler.model import Deployment, PhaseRule

MANY: Final = 64  # a repeat that may go further counts as unbounded
_REPEATS: Final = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_REFUSED: Final = {
    codes.GROUPREF: "refers back to a group",
    codes.GROUPREF_EXISTS: "depends on a group",
    codes.GROUPREF_IGNORE: "refers back to a group",
    codes.ASSERT: "looks around",
    codes.ASSERT_NOT: "looks around",
}


@rule("IL650")
def pattern_unsafe(deployment: Deployment) -> Iterator[Finding]:
    """A pattern is no regular expression, or could take long on some text.

    It runs on every request, over up to 4,000 characters that the caller chooses. So it has no
    back-reference, no look-around, no repeat or choice inside a repeat, and at most one unbounded
    repeat in a row. `{0,40}` is bounded.

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


def phase_of(text: str, rules: Iterable[PhaseRule]) -> str:
    """The phase of a short request that says `text` and nothing else; empty if no rule holds."""
    for row in rules:
        if row.after_tools or (row.min_input_tokens or 0) > len(text):
            continue
        if row.max_chars is not None and len(text) > row.max_chars:
            continue
        if row.last_user is None or re.search(row.last_user, text, re.IGNORECASE):
            return row.phase
    return ""


def pattern_problem(pattern: str) -> str:
    """Why a pattern may not be used; empty when it may."""
    try:
        parsed = parser.parse(pattern, re.IGNORECASE)
        re.compile(pattern, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        return f"is no regular expression: {error}"
    return _problem_in(parsed, repeated=False) or (
        "has more than one unbounded repeat in a row" if _unbounded(parsed) > 1 else ""
    )


def _problem_in(parsed: Any, *, repeated: bool) -> str:
    """The first thing in a parsed pattern that may take long; `repeated`: inside a repeat."""
    for code, argument in parsed:
        if code in _REFUSED:
            return _REFUSED[code]
        if repeated and (code in _REPEATS or code is codes.BRANCH):
            return "has a repeat or a choice inside a repeat"
        again = code in _REPEATS and argument[1] > 1
        for inner in _inside(code, argument):
            problem = _problem_in(inner, repeated=repeated or again)
            if problem:
                return problem
    return ""


def _unbounded(parsed: Any) -> int:
    """How many unbounded repeats can follow one another."""
    count = 0
    for code, argument in parsed:
        if code in _REPEATS and argument[1] > MANY:
            count += 1
        count += max((_unbounded(inner) for inner in _inside(code, argument)), default=0)
    return count


def _inside(code: Any, argument: Any) -> list[Any]:
    """The patterns inside one item of a parsed pattern."""
    if code in _REPEATS:
        return [argument[2]]
    if code is codes.BRANCH:
        return list(argument[1])
    if code is codes.SUBPATTERN:
        return [argument[3]]
    return [argument] if code is codes.ATOMIC_GROUP else []


def _catches_all(row: PhaseRule) -> bool:
    return row == PhaseRule(row.phase)


def _implies(row: PhaseRule, earlier: PhaseRule) -> bool:
    """Whether `earlier` holds whenever `row` does, as far as the conditions alone tell."""
    return (
        earlier.last_user in (None, row.last_user)
        and earlier.after_tools in (None, row.after_tools)
        and (earlier.max_chars is None or (row.max_chars or 10**9) <= earlier.max_chars)
        and (row.min_input_tokens or 0) >= (earlier.min_input_tokens or 0)
    )
