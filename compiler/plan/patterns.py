"""Patterns of phase rules: whether one is safe to run on every request, and what spares its run.

It reads a pattern as the standard library's own parser does, and runs none.
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]  # typeshed leaves the parser out
import re._parser as parser  # type: ignore[import-not-found]  # typeshed leaves the parser out
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from runtime.phases import SEEN

# Steps that a search may take at one place of the text: a few times along all of it and back. So
# it takes tenths of a second on text made to be slow, and microseconds on any other.
_MOST_STEPS: Final = 5 * SEEN
_SHORTEST_WORD: Final = 3  # shorter ones stand in nearly every text

_REPEATS: Final = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_REFUSED: Final = {
    codes.GROUPREF: "refers back to a group",
    codes.GROUPREF_EXISTS: "depends on a group",
    codes.ASSERT: "looks around",
    codes.ASSERT_NOT: "looks around",
}
_CATEGORIES: Final = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
_ANYTHING: Final = None
_First = frozenset[str] | None  # characters something may begin with; None: any
_NOTHING: Final[frozenset[str]] = frozenset()


def pattern_problem(pattern: str) -> str:
    """Why a pattern may not be used; empty when it may."""
    try:
        parsed = parser.parse(pattern, re.IGNORECASE)
        re.compile(pattern, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        return f"is no regular expression: {error}"
    if problem := _problem_in(parsed, repeated=False):
        return problem
    steps, _ = _work(parsed, _NOTHING)
    if steps > _MOST_STEPS:
        return "can match one text in too many ways: unbounded repeats or choices in a row"
    return ""


def one_of(pattern: str) -> tuple[str, ...]:
    """Words in lower case, some of which stand in every text that a safe pattern is found in.

    Empty where there are none to be relied on. The pattern is one without a `pattern_problem`.
    """
    words = _words(parser.parse(pattern, re.IGNORECASE))
    return tuple(dict.fromkeys(words)) if _length(words) >= _SHORTEST_WORD else ()


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


def _inside(code: Any, argument: Any) -> list[Any]:
    """The patterns inside one item of a parsed pattern."""
    if code in _REPEATS:
        return [argument[2]]
    if code is codes.BRANCH:
        return list(argument[1])
    if code is codes.SUBPATTERN:
        return [argument[3]]
    return [argument] if code is codes.ATOMIC_GROUP else []


# --- how long a search may take ----------------------------------------------------------------


def _work(parsed: Any, after: _First) -> tuple[int, int]:
    """Steps to try a pattern at one place, at most, and the ways in which it may match there.

    Whatever stands behind an item is tried once for each of its ways.
    """
    steps, ways, literal = 0, 1, False
    items = list(parsed)
    for place, (code, argument) in enumerate(items):
        cost, more = _work_of(code, argument, _first(items[place + 1 :], after))
        steps += 0 if literal and code is codes.LITERAL else ways * cost
        ways *= more
        literal = code is codes.LITERAL  # a word is one step: its first letter decides mostly
    return steps, ways


def _work_of(code: Any, argument: Any, after: _First) -> tuple[int, int]:
    if code in _REPEATS:
        low, high, inner = min(argument[0], SEEN), min(argument[1], SEEN), argument[2]
        steps, ways = _work(inner, after)
        once = code is codes.POSSESSIVE_REPEAT or low == high or _apart(inner, after)
        return max(high, 1) * max(steps, 1), ways if once else (high - low) * ways + 1
    if code is codes.BRANCH:
        works = [_work(branch, after) for branch in argument[1]]
        total: Callable[[Iterable[int]], int] = max if _exclusive(argument[1]) else sum
        return total(work[0] for work in works), total(work[1] for work in works)
    inside = _inside(code, argument)
    if not inside:
        return int(code is not codes.AT), 1
    steps, ways = _work(inside[0], after)
    return steps, 1 if code is codes.ATOMIC_GROUP else ways


def _apart(repeated: Any, after: _First) -> bool:
    """Whether no character of a repeat can begin what follows: then it ends in one place only."""
    if after is _ANYTHING or len(repeated) != 1:
        return False
    code, argument = repeated[0]
    return not any(_matches(code, argument, character) for character in after)


def _exclusive(branches: Iterable[Any]) -> bool:
    """Whether at most one of some branches can match at a place, told by how they begin."""
    words = sorted(_leading(branch) for branch in branches)
    return all(not after.startswith(word) for word, after in pairwise(words))


def _leading(parsed: Any) -> str:
    """The letters a pattern begins with."""
    word = ""
    for code, argument in parsed:
        if code is not codes.LITERAL:
            break
        word += chr(argument).casefold()
    return word


def _first(items: Iterable[Any], after: _First) -> _First:
    """The characters that some items, and what follows them, may begin with."""
    found: frozenset[str] = _NOTHING
    for code, argument in items:
        if code is codes.AT:
            continue
        begins = _begins(code, argument)
        if begins is _ANYTHING:
            return _ANYTHING
        found |= begins
        if not (code in _REPEATS and argument[0] == 0):
            return found
    return _ANYTHING if after is _ANYTHING else found | after


def _begins(code: Any, argument: Any) -> _First:
    if code is codes.LITERAL:
        return frozenset((chr(argument),))
    found: frozenset[str] = _NOTHING
    inside = _inside(code, argument)
    for inner in inside:
        begins = _first(inner, _ANYTHING)
        if begins is _ANYTHING:
            return _ANYTHING
        found |= begins
    return found if inside else _ANYTHING


def _matches(code: Any, argument: Any, character: str) -> bool:
    """Whether a single item takes a character in either case; what is not known here takes all."""
    known = _CLASSES.get(code)
    if known is None:
        return True
    return re.match(f"[{known(argument)}]", character, re.IGNORECASE) is not None


# One item of a pattern that takes one character -> how it is written between brackets.
_CLASSES: Final[Mapping[Any, Callable[[Any], str]]] = {
    codes.LITERAL: lambda code: re.escape(chr(code)),
    codes.NOT_LITERAL: lambda code: "^" + re.escape(chr(code)),
    codes.RANGE: lambda ends: "-".join(re.escape(chr(code)) for code in ends),
    codes.NEGATE: lambda _: "^",
    codes.CATEGORY: lambda category: _CATEGORIES[category],
    codes.IN: lambda items: "".join(_CLASSES[code](argument) for code, argument in items),
}


# --- what a match cannot do without ------------------------------------------------------------


def _words(parsed: Any) -> list[str]:
    """The longest words of which every match holds one; none where no word is sure to stand."""
    best: list[str] = []
    word = ""
    for code, argument in [*parsed, (None, None)]:
        if code is codes.LITERAL and argument < 128:
            word += chr(argument).lower()
            continue
        best = max(best, [word] if word else [], _required(code, argument), key=_length)
        word = ""
    return best


def _required(code: Any, argument: Any) -> list[str]:
    if code is None or (code in _REPEATS and argument[0] == 0):
        return []
    found = [_words(inner) for inner in _inside(code, argument)]
    return [word for words in found for word in words] if all(found) else []


def _length(words: list[str]) -> int:
    return min(map(len, words), default=0)
