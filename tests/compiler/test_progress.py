"""A long command shows a person at a terminal how far it is, and leaves nothing behind."""

import io
import re
import time
from contextlib import redirect_stderr

import pytest

from compiler.cli.progress import waiting


class Terminal(io.StringIO):
    """Keeps what a terminal would show."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    return Terminal()


def until(look, seconds=10.0):
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "never shown"
        time.sleep(0.005)


def test_a_long_command_shows_what_it_does_and_how_many_of_its_steps_are_done(terminal):
    with redirect_stderr(terminal), waiting("checking [all]", steps=3, after=0) as step:
        until(lambda: "0/3" in terminal.getvalue())
        step()
        until(lambda: "1/3" in terminal.getvalue())
    assert "checking [all]" in terminal.getvalue()
    last = re.split(r"\x1b\[\d*[A-Z]", terminal.getvalue())[-1]
    assert last.strip() == "", "the bar is still there"


def test_steps_taken_before_it_is_shown_count(terminal):
    with redirect_stderr(terminal), waiting("comparing", steps=2, after=0.2) as step:
        step()
        until(lambda: "comparing" in terminal.getvalue())
    assert "1/2" in terminal.getvalue()
    assert "0/2" not in terminal.getvalue()


def test_a_short_command_shows_nothing(terminal):
    with redirect_stderr(terminal), waiting("checking", steps=1, after=3600) as step:
        step()
    assert terminal.getvalue() == ""


def test_a_pipe_is_shown_nothing():
    pipe = io.StringIO()
    with redirect_stderr(pipe), waiting("checking", steps=1, after=0) as step:
        step()
    assert pipe.getvalue() == ""


def test_what_goes_wrong_takes_the_bar_away_and_passes(terminal):
    def fail():
        with redirect_stderr(terminal), waiting("checking", after=0):
            until(lambda: "checking" in terminal.getvalue())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "\x1b[?25h" in terminal.getvalue(), "the cursor is still hidden"
