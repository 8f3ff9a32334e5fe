"""What is kept of texts that come again has bounds, and holds no more than it says."""

import sys

import msgspec
import pytest

from runtime.repeats import Repeats


class _Made(msgspec.Struct):
    weight: int = 0


def _text(number: int, size: int = 100) -> msgspec.Raw:
    return msgspec.Raw(b'"%0*d"' % (size - 2, number))


def _is_kept(repeats: Repeats, text: msgspec.Raw, how: tuple = ()) -> bool:
    """Whether a text is known; one that is not, stays unknown."""

    def fail() -> _Made:
        raise LookupError

    try:
        repeats.made(how, (text,), fail)
    except LookupError:
        return False
    return True


def test_what_was_made_is_given_again_to_whoever_asks_for_the_same():
    repeats = Repeats()
    first = repeats.made(("a",), (_text(1), _text(2)), _Made)
    assert repeats.made(("a",), (_text(1), _text(2)), _Made) is first
    assert repeats.made(("b",), (_text(1), _text(2)), _Made) is not first
    assert repeats.made(("a",), (_text(2), _text(1)), _Made) is not first
    assert repeats.made(("a",), (_text(1),), _Made) is not first
    assert repeats.made(("a",), (_text(1), _text(2)), _Made) is first


def test_a_text_is_kept_once_for_all_that_is_made_of_it():
    repeats = Repeats()
    for how in "abc":
        for number in range(64):
            repeats.made((how,), (_text(number),), _Made)
    assert all(_is_kept(repeats, _text(number), (how,)) for how in "abc" for number in range(64))


@pytest.mark.parametrize("size", [lambda number: 100, lambda number: 100 + number])
def test_the_text_that_was_asked_for_longest_ago_goes_first(size):
    repeats = Repeats()
    texts = [_text(number, size(number)) for number in range(66)]
    for text in texts[:64]:
        repeats.made((), (text,), _Made)
    repeats.made((), (texts[0],), _Made)
    for text in texts[64:]:
        repeats.made((), (text,), _Made)
    kept = [_is_kept(repeats, text) for text in texts]
    assert kept.count(True) == 64
    assert kept[64:] == [True, True]


@pytest.mark.parametrize("size", [lambda number: 100, lambda number: 100 + number])
def test_a_text_that_was_asked_for_again_stays_while_others_of_its_age_go(size):
    repeats = Repeats()
    texts = [_text(number, size(number)) for number in range(65)]
    for text in (*texts[:64], texts[0], texts[64]):
        repeats.made((), (text,), _Made)
    assert [_is_kept(repeats, text) for text in texts[:3]] == [True, False, True]


def test_bytes_are_bounded_with_what_was_made_of_them():
    repeats = Repeats()
    for number in range(40):
        repeats.made((), (_text(number, 1000 + number),), lambda: _Made(400 * 1024))
    kept = [_is_kept(repeats, _text(number, 1000 + number)) for number in range(40)]
    assert kept == [False] * 20 + [True] * 20


@pytest.mark.parametrize(("size", "weight"), [(600 * 1024, 0), (1000, 600 * 1024)])
def test_what_is_too_large_is_not_kept_and_nothing_goes_for_it(size, weight):
    repeats = Repeats()
    repeats.made((), (_text(1),), _Made)
    repeats.made(("other",), (_text(2, size),), lambda: _Made(weight))
    assert not _is_kept(repeats, _text(2, size), ("other",))
    assert _is_kept(repeats, _text(1))


def test_what_is_too_large_leaves_what_else_was_made_of_its_text():
    repeats = Repeats()
    repeats.made(("small",), (_text(1),), _Made)
    repeats.made(("large",), (_text(1),), lambda: _Made(600 * 1024))
    assert _is_kept(repeats, _text(1), ("small",))
    assert not _is_kept(repeats, _text(1), ("large",))


def test_the_body_that_a_text_stood_in_is_let_go():
    repeats = Repeats()
    body = b'{"tools":[%b]}' % b",".join([b"1"] * 500)
    held = sys.getrefcount(body)
    repeats.made((), tuple(msgspec.json.decode(body, type=dict[str, msgspec.Raw]).values()), _Made)
    assert sys.getrefcount(body) == held
