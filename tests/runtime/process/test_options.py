"""How the command line and INTERLOCK_* variables become options."""

import pytest
from click.testing import CliRunner

from compiler.cli import main as interlock
from runtime.main import CannotRun, Options, read_options


def test_an_argument_wins_over_its_variable():
    env = {"INTERLOCK_PORT": "81", "INTERLOCK_HEAD_START": "3", "INTERLOCK_LOG": ""}
    options = read_options(["folder", "--port", "82"], env)
    assert (options.port, options.head_start, options.log) == (82, 3.0, "info")


def test_options_read_back_from_the_line_they_write():
    options = read_options(["folder", "--head-start", "0.5", "--workers", "3"], {})
    assert read_options(options.arguments(), {}) == options
    assert options != Options(options.artifact)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_head_start_takes_time(seconds):
    with pytest.raises(CannotRun, match="--head-start"):
        read_options(["folder"], {"INTERLOCK_HEAD_START": seconds})


def test_serve_hands_its_options_on():
    done = CliRunner().invoke(interlock, ["serve", "folder", "--head-start", "0"])
    assert done.exit_code == 2
    assert "--head-start must be above 0" in done.stderr


@pytest.mark.parametrize("days", ["0", "-1", "36501"])
def test_rows_are_kept_for_a_day_at_least(days):
    with pytest.raises(CannotRun, match="--keep-days"):
        read_options(["folder"], {"INTERLOCK_KEEP_DAYS": days})


def test_rows_are_kept_for_ever_unless_somebody_says_otherwise():
    assert read_options(["folder"], {}).keep_days is None
    assert read_options(["folder", "--keep-days", "90"], {}).keep_days == 90
