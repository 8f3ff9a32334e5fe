"""What a log line may look like, whatever is put into it."""

from __future__ import annotations

import asyncio
import json
import logging
import os

import pytest

from runtime import log


@pytest.fixture
def lines(tmp_path):
    """Reads what was logged; the log of the process is put back afterwards."""
    path = tmp_path / "log"
    handlers, level = logging.root.handlers[:], logging.root.level
    with path.open("wb") as file:
        log.configure("info", file.fileno())
        yield lambda: [json.loads(text) for text in path.read_bytes().splitlines()]
        log.configure("off")
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


NASTY = 'a\nb\r\x1b[31m\x7f\u2028\u2029\x85\x00é\U0001f600"\\'


def test_a_line_is_one_line_of_ascii_whatever_stands_in_it():
    line = log.line("info", "request", {"peer": NASTY})
    assert line.endswith(b"\n")
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    assert json.loads(line)["peer"] == NASTY


def test_fields_that_are_not_in_the_list_are_left_out():
    record = json.loads(log.line("info", "request", {"prompt": "secret", "status": 200}))
    assert "prompt" not in record
    assert record["status"] == 200


def test_long_values_are_cut():
    assert len(json.loads(log.line("info", "x", {"peer": "a" * 9999}))["peer"]) == 256


def test_lines_below_the_level_are_not_written(lines):
    log.log("debug", "quiet")
    log.log("info", "loud")
    assert [line["event"] for line in lines()] == ["loud"]


def test_a_fault_is_logged_with_its_place_and_without_its_text(lines):
    try:
        raise ValueError("secret-marker")
    except ValueError as exc:
        log.log_internal(exc)
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert "test_lines.py" in line["at"]
    assert "secret-marker" not in json.dumps(line)


def test_records_of_libraries_lose_their_text(lines):
    logging.getLogger("some.library").error("token secret-marker is wrong")
    (line,) = lines()
    assert (line["logger"], line["level"]) == ("some.library", "error")
    assert "secret-marker" not in json.dumps(line)


def test_a_reader_that_does_not_read_costs_lines_and_no_time():
    reader, writer = os.pipe()

    async def flood() -> None:
        sink = log.Sink(writer, "info")
        for _ in range(100):
            for _ in range(100):
                sink.put(b"x" * 999 + b"\n")
            sink.flush()
        assert sink.dropped > 0
        os.set_blocking(reader, False)
        while True:
            try:
                os.read(reader, 1_000_000)
            except BlockingIOError:
                if not sink.pending:
                    break
                sink.flush()

    asyncio.run(flood())
    os.close(reader)
    os.close(writer)


def test_a_closed_reader_does_no_harm():
    reader, writer = os.pipe()
    os.close(reader)
    sink = log.Sink(writer, "info")
    sink.put(b"x\n")
    assert not sink.pending
    os.close(writer)
