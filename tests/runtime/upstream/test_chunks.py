"""Chunks are taken apart by hand or by httptools, and nobody can tell which."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.upstream.response import ChunkedBody, Progress

# Where the number of digits of a size changes, and where its chunk is too large for one by hand.
_SIZES = (1, 15, 16, 17, 254, 255, 256, 257, 4080, 4089, 4090, 4095, 4096, 4097)
_TEXT = b"5\r\nhello\r\n0\r\n\r\n"
_SPELT = ("%x", "%X", "0%x", "00%X", "%x;a=b", '%x;a="b"')
_MALFORMED = ("0x%x", "+%x", "-%x", "_%x", "%x_", "%x ", " %x", "f" * 16 + "%x", "%xg", "\u00b2%x")
_ENDS = (b"0\r\n\r\n", b"00\r\n\r\n", b"0;a=b\r\n\r\n", b"0\r\nx-trailer: 1\r\n\r\n")

# texts that look like chunks, of a given length
texts = st.builds(
    lambda size, by: (_TEXT * (size // len(_TEXT) + 2))[by : by + size],
    st.sampled_from(_SIZES) | st.integers(1, 60),
    st.integers(0, len(_TEXT)),
)


def chunk(text: bytes, spelt: str = "%x", *, off: int = 0) -> bytes:
    """A chunk; `off`: how many bytes more its size says."""
    return (spelt % (len(text) + off)).encode("latin-1") + b"\r\n" + text + b"\r\n"


chunks = st.builds(chunk, texts, st.sampled_from(_SPELT))
ends = st.sampled_from(_ENDS)


@st.composite
def streams(draw, *last):
    """The chunks of a body in pieces as they may come: whole chunks for the most part."""
    parts = [*draw(st.lists(chunks, max_size=6)), *last, draw(ends)]
    wire = b"".join(parts)
    places = [sum(map(len, parts[: n + 1])) for n in range(len(parts))]
    cuts = draw(st.sets(st.sampled_from(places) | st.integers(1, len(wire)), max_size=8))
    return [wire[begin:end] for begin, end in pairwise(sorted({0, *cuts, len(wire)}))]


def read(body: ChunkedBody, pieces: list[bytes]) -> tuple[bytes, Progress]:
    """What is in the body, and where it stands when no more of it is asked for."""
    body.start()
    found = b""
    for piece in pieces:
        found += body.feed(piece)
        if body.progress is not Progress.OPEN:
            break
    return found, body.progress


def byte_by_byte(pieces: list[bytes]) -> list[bytes]:
    """A chunk never comes whole: httptools reads them all."""
    return [bytes([byte]) for byte in b"".join(pieces)]


LOOKS_WHOLE = b"5\r\nhello\r\n"


@settings(max_examples=150, deadline=None)
@given(st.lists(streams(), min_size=1, max_size=3))
@example([[b"1e\r\n" + LOOKS_WHOLE, LOOKS_WHOLE, LOOKS_WHOLE + b"\r\n", b"0\r\n\r\n"]])
def test_bodies_read_the_same_wherever_they_are_cut(bodies: list[list[bytes]]):
    decoder, plain = ChunkedBody(), ChunkedBody()
    for pieces in bodies:
        expected = read(plain, byte_by_byte(pieces))
        assert expected[1] is Progress.COMPLETE
        assert read(decoder, pieces) == expected


FAULTS = {
    **{f"size {off:+}": partial(chunk, off=off) for off in (-2, -1, 1, 2)},
    **{f"size {spelt!r}": partial(chunk, spelt=spelt) for spelt in _MALFORMED},
    "no line end": lambda text: chunk(text)[:-2],
    "no line end but as many bytes": lambda text: chunk(text)[:-2] + b"ab",
    "half a line end": lambda text: chunk(text)[:-1],
    "a bare line feed": lambda text: chunk(text).replace(b"\r\n", b"\n", 1),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_malformed_chunk_is_refused_where_it_comes_whole(fault: Callable[[bytes], bytes]):
    for size in _SIZES[1:]:
        for text in (b"x" * size, (LOOKS_WHOLE * size)[:size]):
            is_malformed([chunk(b"before"), fault(text), b"0\r\n\r\n"])


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
@settings(max_examples=20, deadline=None)
@given(st.data(), texts.filter(lambda text: len(text) > 2))
def test_so_it_is_wherever_it_is_cut(
    fault: Callable[[bytes], bytes], data: st.DataObject, text: bytes
):
    is_malformed(data.draw(streams(fault(text))))


def is_malformed(pieces: list[bytes]) -> None:
    expected = read(ChunkedBody(), byte_by_byte(pieces))
    assert expected[1] is not Progress.COMPLETE
    assert read(ChunkedBody(), pieces) == expected


@pytest.mark.parametrize("spelt", ["%x", "%X"])
@pytest.mark.parametrize("size", [size for size in _SIZES if size < 4090])
def test_chunks_that_come_whole_do_not_reach_the_parser(size: int, spelt: str):
    body = ChunkedBody().start()
    body._parser = None  # whoever asked it now would fail
    text = b"x" * size
    assert body.feed(chunk(text, spelt)) == text
    assert body.feed(chunk(text[:2000], spelt) + chunk(b"more")) == text[:2000] + b"more"


@pytest.mark.parametrize("before", [b"", chunk(b"first")])
@pytest.mark.parametrize("behind", [b"x", chunk(b"more"), b"HTTP/1.1 200 OK\r\n\r\n"])
def test_bytes_behind_the_end_are_not_the_bodys(before: bytes, behind: bytes):
    body = ChunkedBody().start()
    body.feed(chunk(b"by hand"))
    assert body.feed(before + _ENDS[0] + behind) == b"first" * bool(before)
    assert body.progress is Progress.SURPLUS
