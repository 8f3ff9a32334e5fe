"""Real routers under load whose workers, machine, database or disk fail: no row is lost or doubled.

What counts is what a client saw: a request whose answer came whole has its row.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from compiler.demo import ScriptedUpstream, help_out
from runtime.records.store import FILE
from tests.runtime.records.load import load
from tests.support.demo import DEPLOYMENT, PROVIDER
from tests.support.disks import fill, on_a_small_disk, seen_by
from tests.support.postgres import PASSWORD
from tests.support.router import ROOT, Router, build, running

TWO = ("--workers", "2")


@pytest.fixture(scope="module")
def artifact(tmp_path_factory) -> Iterator[Path]:
    """The demo's deployment, with its provider, for a caller in a hurry."""
    text = DEPLOYMENT.read_text(encoding="utf-8").replace("rpm: 600,", "rpm: 600000,")
    assert "600000" in text
    with ScriptedUpstream(help_out) as upstream:
        folder = tmp_path_factory.mktemp("records")
        yield build(text.replace(PROVIDER, upstream.base_url), folder)


def children(router: Router) -> list[int]:
    pid = router.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rows(place: Path | str, within: Sequence[str] = ()) -> Counter[str]:
    """How many rows each request id has; `within` is a command that runs a command."""
    script = (
        "import json, sys; from runtime.records.store import open_store\n"
        "store = open_store(sys.argv[1], read_only=True)\n"
        "print(json.dumps(store.query('SELECT id FROM requests'))); store.close()"
    )
    command = [*within, sys.executable, "-c", script, str(place)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return Counter(id_ for (id_,) in json.loads(done.stdout))


def wait_for(look, seconds=20.0):
    """Until something is true. The bound is so generous that only a fault meets it."""
    by = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < by
        time.sleep(0.1)


def each_once(answered: list[str], place: Path | str, within: Sequence[str] = ()) -> bool:
    """Whether every answered request has one row, and none has two; says which, if not."""
    found = rows(place, within)
    missing = [each for each in answered if each not in found]
    doubled = [each for each, count in found.items() if count > 1]
    assert len(set(answered)) == len(answered) > 0
    assert not doubled
    return not missing


def left(data: Path) -> list[Path]:
    """Segments that are not in a database yet."""
    return [path for path in (data / "journal").iterdir() if path.stat().st_size]


# --- processes ------------------------------------------------------------------------------------


def test_no_row_is_lost_or_doubled_when_workers_are_killed(artifact, tmp_path):
    with running(artifact, tmp_path, arguments=TWO) as router:
        with load(router.port) as asking:
            for pid in children(router):  # one of them has the turn to ingest
                asking.more(60)
                os.kill(pid, signal.SIGKILL)
            asking.more(60)
        router.terminate()
        assert router.wait() == 0
    assert each_once(asking.answered, tmp_path / "data" / FILE)
    assert left(tmp_path / "data") == []


def test_no_row_is_lost_or_doubled_when_the_whole_server_is_killed(artifact, tmp_path):
    with running(artifact, tmp_path, arguments=TWO) as router, load(router.port) as before:
        before.more(150)
        os.killpg(router.process.pid, signal.SIGKILL)
        router.wait()
    with running(artifact, tmp_path) as router:
        with load(router.port) as after:
            after.more(50)
        router.terminate()
        assert router.wait() == 0
    assert each_once(before.answered + after.answered, tmp_path / "data" / FILE)
    assert left(tmp_path / "data") == []


def test_an_orderly_end_leaves_every_row_in_the_database(artifact, tmp_path):
    with running(artifact, tmp_path, arguments=TWO) as router:
        with load(router.port) as asking:
            asking.more(100)
        router.terminate()
        assert router.wait() == 0
        assert asking.failed == []
    assert each_once(asking.answered, tmp_path / "data" / FILE)
    assert left(tmp_path / "data") == []


# --- the database ---------------------------------------------------------------------------------


@contextmanager
def on_postgres(artifact, tmp_path, database) -> Iterator[Router]:
    with running(artifact, tmp_path, {"INTERLOCK_DATABASE_URL": database.url}, TWO) as router:
        yield router


def test_killing_postgres_fails_no_request_and_costs_no_row(artifact, tmp_path, database):
    with on_postgres(artifact, tmp_path, database) as router:
        with load(router.port) as asking:
            wait_for(lambda: database.run("SELECT to_regclass('requests')") != [(None,)])
            asking.more(50)
            database.kill()
            asking.more(150)
            database.start()
            asking.more(50)
        wait_for(lambda: each_once(asking.answered, database.url))
        assert asking.failed == []
        assert PASSWORD not in router.logs()
        assert PASSWORD.encode() not in Path(f"/proc/{router.process.pid}/cmdline").read_bytes()


def test_a_postgres_that_hangs_fails_no_request_and_costs_no_row(artifact, tmp_path, database):
    with on_postgres(artifact, tmp_path, database) as router:
        with load(router.port) as asking:
            wait_for(lambda: database.run("SELECT to_regclass('requests')") != [(None,)])
            asking.more(50)
            database.pause()
            asking.more(150)
            database.resume()
            asking.more(50)
        wait_for(lambda: each_once(asking.answered, database.url))
        assert asking.failed == []


def test_a_router_starts_while_its_postgres_is_down(artifact, tmp_path, database):
    database.kill()
    with on_postgres(artifact, tmp_path, database) as router:
        with load(router.port) as asking:
            asking.more(50)
        database.start()
        wait_for(lambda: database.run("SELECT to_regclass('requests')") != [(None,)])
        wait_for(lambda: each_once(asking.answered, database.url))
        assert asking.failed == []


# --- the disk -------------------------------------------------------------------------------------


def test_a_full_disk_fails_no_request_and_what_fits_in_memory_comes_later(artifact, tmp_path):
    data = tmp_path / "data"
    with running(artifact, tmp_path, prefix=on_a_small_disk(data, "4m")) as router:
        disk = seen_by(router, data)
        with load(router.port) as asking:
            asking.more(50)
            wait_for(lambda: (disk / FILE).exists())
            fill(disk / "ballast")
            asking.more(400)
            (disk / "ballast").unlink()
            asking.more(50)
        inside = [
            "nsenter",
            f"--target={router.process.pid}",
            "--user",
            "--mount",
            "--preserve-credentials",
        ]
        wait_for(lambda: each_once(asking.answered, data / FILE, inside))
        assert asking.failed == []
        events = Counter(
            line["event"] for line in map(json.loads, filter(None, router.logs().splitlines()[1:]))
        )
        assert events["journal-failed"] == 1
        assert events["database-failed"] <= 1


def test_a_disk_too_small_for_any_database_fails_no_request(artifact, tmp_path):
    data = tmp_path / "data"
    with running(artifact, tmp_path, prefix=on_a_small_disk(data, "64k")) as router:
        with load(router.port) as asking:
            asking.more(300)
        assert asking.failed == []
        assert router.ready()
