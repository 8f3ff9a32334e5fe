"""The last head of a connection is taken for the next one only where reading it gives the same."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.edge.head import Head, LastHead
from runtime.errors import RouterError

HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: t\r\nContent-Length: %b\r\nX-Api-Key: k\r\n\r\n"
FIELDS = ("method", "target", "path", "query", "version", "headers", "length", "chunked",
          "expects_continue", "keep_alive", "request_id")  # fmt: skip


def fresh(data: bytes) -> Head | None:
    """The head as it reads by itself; None where it is refused."""
    head = Head()
    try:
        head.read(data)
    except RouterError:
        return None
    return head


def last() -> LastHead:
    """A connection on which one good head has come."""
    first = HEAD % b"12"
    remembered, head = LastHead(), fresh(first)
    assert head is not None
    remembered.keep(head, first)
    return remembered


def same(one: Head, other: Head) -> bool:
    return all(getattr(one, field) == getattr(other, field) for field in FIELDS)


LENGTHS = st.text("0123456789 +-\t\r\n,x_\u0661", max_size=22).map(lambda text: text.encode())


@settings(max_examples=200, deadline=None)
@given(LENGTHS)
@example(b"")
@example(b"+5")
@example(b"1_0")
@example(b"5\r\nTransfer-Encoding: chunked")
@example(b"5\r\nContent-Length: 6")
@example(b"9" * 18)
@example(b"9" * 19)
def test_a_length_is_what_it_is_in_a_head_read_anew(length: bytes):
    data = HEAD % length
    again, anew = last().again(data), fresh(data)
    assert again is None or (anew is not None and same(again, anew))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(HEAD % b"345")), st.integers(0, 3), st.binary(max_size=3))
def test_a_head_that_differs_anywhere_is_not_taken_for_the_last_one(at: int, cut: int, put: bytes):
    data = HEAD % b"345"
    data = data[:at] + put + data[at + cut :]
    again, anew = last().again(data), fresh(data)
    assert again is None or (anew is not None and same(again, anew))


def test_only_the_length_of_the_body_has_to_be_read_of_a_head_that_repeats():
    remembered = last()
    again = remembered.again(HEAD % b"3456")
    assert again is not None
    assert (again.length, again.headers[b"content-length"]) == (3456, b"3456")
    assert remembered.again(HEAD.replace(b"k\r\n", b"other\r\n") % b"3456") is None
