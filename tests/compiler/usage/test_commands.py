"""`interlock usage` as an admin runs it."""

import csv
import io
import json
import sqlite3

import pytest
from click.testing import CliRunner
from rich.console import Console

from compiler.cli import main
from compiler.usage.page import as_page
from compiler.usage.tables import as_tables
from runtime.records.evidence import evidence
from runtime.records.record import Attempt
from runtime.records.report import report
from runtime.records.rows import Wanted
from runtime.records.store import FILE, open_store
from tests.compiler.usage.rows import NOON, asked, kept
from tests.support.router import free_port


def run(*arguments, env=None):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env)


@pytest.fixture
def data(tmp_path):
    bad = {"status": 502, "outcome": "error", "output": None, "cost": None, "savings": None}
    return kept(
        tmp_path,
        asked(1),
        asked(2, target="gpt", cost=0.0225, cost_baseline=0.075, savings=0.0525),
        asked(3, user="bob", caller="bob", project="vault", client="codex", **bad),
        asked(4, user="=cmd()", caller="ci", cost=None, cost_baseline=None, savings=None),
    )


def test_a_report_adds_up_what_each_used(data):
    ran = run("usage", "report", "--data", data, "--by", "user")
    head, *lines = ran.output.splitlines()
    assert ran.exit_code == 0
    assert head.split()[:4] == ["user", "requests", "failed", "refused"]
    assert lines[0].split()[:4] == ["alice", "2", "0", "0"]
    assert "$0.0267" in lines[0]
    assert "$0.1233" in lines[0]
    assert lines[-1].split()[:3] == ["all", "4", "1"]


def test_an_unknown_price_shows(data):
    ran = run("usage", "report", "--data", data, "--by", "caller")
    (line,) = [line for line in ran.output.splitlines() if line.startswith("ci ")]
    assert "$0.0000+?" in line


def test_names_cannot_be_formulas_in_a_spreadsheet(data):
    ran = run("usage", "report", "--data", data, "--by", "user", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.output)))
    assert [row["user"] for row in rows] == ["alice", "'=cmd()", "bob"]
    assert rows[0]["cost"] == "0.0267"
    assert rows[0]["input"] == "20000"


def test_names_cannot_break_a_markdown_table(tmp_path):
    data = kept(tmp_path, asked(1, user="a|b<img>"))
    ran = run("usage", "report", "--data", data, "--format", "markdown")
    head, rule, line = ran.output.splitlines()
    assert line.startswith("| a\\|b&lt;img> | 1 |")
    assert head.count(" | ") == rule.count(" | ")


def test_a_program_gets_plain_numbers(data):
    told = json.loads(run("usage", "report", "--data", data, "--format", "json").output)
    assert told["by"] == ["user"]
    assert told["total"]["requests"] == 4
    assert told["total"]["savings"] == pytest.approx(0.1233)
    assert told["lines"][0] == told["lines"][0] | {"user": "alice", "fallbacks": 0, "p50_ms": 2400}


@pytest.mark.parametrize(
    ("arguments", "requests"),
    [
        (("--since", "2026-11-20"), 4),
        (("--since", "2026-11-20T12:00:03"), 2),
        (("--until", "2026-11-20T12:00:03+00:00"), 2),
        (("--until", "2026-11-20"), 0),
        (("--where", "user=alice"), 2),
        (("--where", "status=502"), 1),
        (("--where", "stream=true", "--where", "client=codex"), 1),
        (("--where", "phase="), 4),
    ],
)
def test_a_report_is_about_the_rows_that_are_wanted(data, arguments, requests):
    ran = run("usage", "report", "--data", data, "--format", "json", *arguments)
    assert json.loads(ran.output)["total"]["requests"] == requests


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--by", "usr"), "did you mean `user`?"),
        (("--where", "usr=x"), "did you mean `user`?"),
        (("--where", "status=many"), "'many' is no value of 'status'"),
        (("--where", "user=a\x1b[31m"), "is no value of 'user'"),
        (("--where", "user=a", "--where", "user=b"), "'user' has two values; one row has one"),
        (("--since", "yesterday"), "neither a date (2026-11-20) nor an age (24h, 7d)"),
    ],
)
def test_a_slip_is_answered_with_what_is_meant(data, arguments, words):
    ran = run("usage", "report", "--data", data, *arguments)
    assert ran.exit_code == 2
    assert words in " ".join(ran.output.split())


def test_where_no_rows_are_the_command_says_where_they_may_be(tmp_path):
    ran = run("usage", "report", "--data", tmp_path / "none", env={"INTERLOCK_DATABASE_URL": "x"})
    assert ran.exit_code == 2
    assert "no usage rows are here; name the router's data directory" in ran.output


def test_a_database_that_is_named_wrongly_is_not_shown():
    ran = run("usage", "report", env={"INTERLOCK_DATABASE_URL": "mysql://me:hunter2@db/x"})
    assert ran.exit_code == 2
    assert "must begin with postgresql://" in ran.output
    assert "hunter2" not in ran.output


def test_the_directory_of_the_router_is_found_by_its_variable(data):
    ran = run("usage", "report", "--format", "json", env={"INTERLOCK_DATA_DIR": str(data)})
    assert json.loads(ran.output)["total"]["requests"] == 4


def test_one_request_is_shown_whole(data):
    ran = run("usage", "show", "req_2", "--data", data / FILE)
    assert ran.exit_code == 0
    assert ran.output.startswith("req_2  2026-11-20T12:00:02.000+00:00  complete\n")
    for words in ("gpt-5.6", "$0.022500", "m3 gpt qwen", "400.0 ms"):
        assert words in ran.output


def test_of_an_unknown_request_nothing_is_shown(data):
    ran = run("usage", "show", "req_9", "--data", data)
    assert ran.exit_code == 1
    assert "no row for 'req_9'" in ran.output


def test_old_rows_are_counted_before_they_are_deleted(data):
    early = run("usage", "prune", "--before", "2026-11-20T12:00:03", "--data", data)
    assert "2 rows are from before 2026-11-20 12:00 UTC; --yes deletes them" in early.output
    assert total(data) == 4
    late = run("usage", "prune", "--before", "2026-11-20T12:00:03", "--data", data, "--yes")
    assert "2 rows from before 2026-11-20 12:00 UTC are deleted" in late.output
    assert total(data) == 2
    assert run("usage", "show", "req_1", "--data", data).exit_code == 1


def total(data):
    told = run("usage", "report", "--data", data, "--format", "json").output
    return json.loads(told)["total"]["requests"]


def test_a_moment_is_in_utc_unless_it_says_otherwise(data):
    for moment, requests in (("2026-11-20T13:00:02+01:00", 3), ("2026-11-20T12:00:02", 3)):
        ran = run("usage", "report", "--data", data, "--since", moment, "--format", "json")
        assert json.loads(ran.output)["total"]["requests"] == requests
    assert NOON == 1_795_176_000


EVIL = "\x1b[31mred\x07\nnext\x9b\u202e"


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_no_name_in_a_report_reaches_the_terminal_as_a_command(tmp_path, form):
    data = kept(tmp_path, asked(1, user=f"a{EVIL}"))
    output = run("usage", "report", "--data", data, "--format", form).output
    assert "a\\x1b[31mred" in output.replace("\\\\", "\\")
    assert all(c.isprintable() or c == "\n" for c in output)
    assert "next" in output.splitlines()[1 if form == "table" else 2]


def test_no_name_of_a_request_reaches_the_terminal_as_a_command(tmp_path):
    tried = Attempt(target=EVIL, provider="p", model="m", skin="chat")
    data = kept(tmp_path, asked(1, model=EVIL, dropped=(EVIL,), attempts=(tried,)))
    output = run("usage", "show", "req_1", "--data", data).output
    assert output.count("\\x1b[31mred\\x07\\nnext\\x9b\\u202e") == 3
    assert all(c.isprintable() or c == "\n" for c in output)


def test_an_attempt_is_shown_whole_and_its_times_are_readable(tmp_path):
    tried = {"provider": "a-provider-with-a-long-name", "model": "a-model-with-a-long-name"}
    attempt = Attempt(target="m3", skin="chat", bridge="chat_to_messages", ms=1234.5678, **tried)
    data = kept(tmp_path, asked(1, attempts=(attempt,)))
    last = run("usage", "show", "req_1", "--data", data).output.splitlines()[-1]
    for words in (*tried.values(), "chat_to_messages", "1,234.6 ms"):
        assert words in last


@pytest.mark.parametrize("request_id", ["req_\udcff", "req_\x00"])
def test_an_id_that_no_request_can_have_is_just_not_there(data, request_id):
    ran = run("usage", "show", request_id, "--data", data)
    assert ran.exit_code == 1
    assert "no row for 'req_\\" in ran.output


def test_a_report_of_nothing_says_so(data):
    ran = run("usage", "report", "--data", data, "--until", "2026-11-20")
    assert (ran.exit_code, ran.output) == (0, "no such requests\n")


def test_how_answers_were_sent_reads_as_it_is_asked_for(data):
    told = run("usage", "report", "--data", data, "--by", "stream", "--format", "json").output
    (line,) = json.loads(told)["lines"]
    assert line["stream"] == "true"


@pytest.mark.parametrize("before", ["99999w", "0001-01-01T00:00+14:00", "0001-01-01"])
def test_what_is_long_ago_is_before_all_rows(data, before):
    ran = run("usage", "prune", "--before", before, "--data", data)
    assert "0 rows are from before 1970-01-01" in ran.output


def test_the_last_of_all_years_is_a_moment_too(data):
    ran = run("usage", "prune", "--before", "9999-12-31T23:59-14:00", "--data", data)
    assert "4 rows are from before 9999" in ran.output


def test_rows_of_a_newer_program_are_left_alone(data):
    with sqlite3.connect(data / FILE) as database:
        database.execute("INSERT INTO migrations VALUES (99, 0)")
    ran = run("usage", "report", "--data", data)
    assert ran.exit_code == 2
    assert "are of version 99, this program knows" in ran.output


def test_a_database_that_cannot_be_asked_is_named_by_its_variable(tmp_path):
    url = f"postgresql://me:hunter2@127.0.0.1:{free_port()}/x"
    ran = run("usage", "report", env={"INTERLOCK_DATABASE_URL": url})
    assert ran.exit_code == 2
    assert "the database of INTERLOCK_DATABASE_URL: PostgreSQL: Connection" in ran.output
    assert "hunter2" not in ran.output


def test_a_file_without_tables_holds_no_rows(tmp_path):
    sqlite3.connect(tmp_path / FILE).execute("PRAGMA user_version = 1")
    ran = run("usage", "report", "--data", tmp_path)
    assert ran.exit_code == 2
    assert "no usage rows were ever kept there" in ran.output
    assert "usage.db" in ran.output


def test_on_a_narrow_terminal_nothing_of_an_attempt_is_left_out(data):
    store = open_store(str(data / FILE), read_only=True)
    (found,) = evidence(store, "req_1")
    store.close()
    out = io.StringIO()
    console = Console(file=out, width=30)
    for part in as_page(found):
        console.print(part)
    assert "\u2026" not in out.getvalue()


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_on_a_narrow_terminal_the_figures_stand_in_several_tables(data, width):
    store = open_store(str(data / FILE), read_only=True)
    made = report(store, ("user", "project"), Wanted())
    store.close()
    out = io.StringIO()
    console = Console(file=out, width=width)
    tables = list(as_tables(made, width))
    for table in tables:
        console.print(table)
    lines = out.getvalue().splitlines()
    assert "\u2026" not in out.getvalue()
    assert all(len(line.rstrip()) <= width for line in lines)
    heads = [line for line in lines if line.startswith("user")]
    assert len(heads) == len(tables) > 1
    titles = " ".join(" ".join(head.split()[2:]) for head in heads)
    (whole,) = as_tables(made, 1000)
    assert titles == " ".join(str(column.header) for column in whole.columns[2:])


def test_a_table_that_goes_to_a_file_is_one(tmp_path):
    data = kept(tmp_path, asked(1, user="u" * 150))
    output = run("usage", "report", "--data", data).output
    assert len(output.splitlines()) == 2
    assert "u" * 150 in output


def test_a_name_too_long_for_the_terminal_takes_no_room_from_the_figures(tmp_path):
    store = open_store(str(kept(tmp_path, asked(1, user="u" * 90)) / FILE), read_only=True)
    made = report(store, ("user",), Wanted())
    store.close()
    out = io.StringIO()
    tables = list(as_tables(made, 40))
    assert len(tables) < 14  # figures
    for table in tables:
        Console(file=out, width=40).print(table)
    assert {"requests", "fallbacks", "reasoning", "$0.0708"} <= set(out.getvalue().split())
    assert out.getvalue().count("u" * 20) >= 4
