"""Where rows go as options and environment say, and what never goes there."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import subprocess
import sys
import time

import pytest

from compiler.demo import Failure, help_out, say
from runtime.records import account
from runtime.records.journal import FOLDER
from runtime.records.store import FILE, open_store
from runtime.serving import Serving
from runtime.upstream import Upstreams
from tests.runtime.records.rows import batch, ids, record
from tests.support.demo import TOKEN, demo
from tests.support.edge import artifact as tiny
from tests.support.package import write
from tests.support.postgres import PASSWORD
from tests.support.router import ROOT, free_port, running

_QUESTION = {"model": "coder", "messages": [{"role": "user", "content": "Say hello"}]}


def ask(port, body=_QUESTION, path="/v1/chat/completions", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Authorization": f"Bearer {TOKEN.whole}", **headers}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def serve(folder, *arguments, **env):
    """What a router says until it is told to end, or ends by itself."""
    artifact = write(folder / "tiny")
    command = [sys.executable, "-m", "runtime", str(artifact), "--port", str(free_port())]
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    greeting = process.stdout.readline()
    if greeting:
        process.terminate()
    _, errors = process.communicate(timeout=20)
    return process.returncode, errors


# --- where ----------------------------------------------------------------------------------------


def test_rows_go_beneath_the_working_directory_where_nothing_else_is_said(tmp_path):
    code, _ = serve(tmp_path, INTERLOCK_DATA_DIR="")
    assert code == 0
    assert (tmp_path / "interlock-data").stat().st_mode & 0o077 == 0


def test_an_option_names_another_directory(tmp_path):
    code, _ = serve(tmp_path, "--data-dir", "a/b", INTERLOCK_DATA_DIR="elsewhere")
    assert code == 0
    assert (tmp_path / "a/b" / FOLDER).is_dir()
    assert not (tmp_path / "elsewhere").exists()


def test_without_a_usable_default_the_router_serves_and_says_so_once(tmp_path):
    (tmp_path / "interlock-data").write_text("a file")
    code, said = serve(tmp_path, INTERLOCK_DATA_DIR="")
    assert code == 0
    assert said.count("no-usage-rows") == 1


def test_a_directory_that_was_asked_for_must_be_usable(tmp_path):
    (tmp_path / "taken").write_text("a file")
    code, said = serve(tmp_path, INTERLOCK_DATA_DIR="taken")
    assert code == 2
    assert said == (
        "interlock: the data directory `taken` cannot be used: File exists; "
        "name one that can be written with --data-dir or INTERLOCK_DATA_DIR\n"
    )


def test_who_asks_for_a_database_needs_a_directory(tmp_path):
    (tmp_path / "interlock-data").write_text("a file")
    url = "postgresql://nobody@127.0.0.1:1/none"
    code, said = serve(tmp_path, INTERLOCK_DATA_DIR="", INTERLOCK_DATABASE_URL=url)
    assert code == 2
    assert "`interlock-data` cannot be used" in said


def test_a_database_of_another_kind_is_refused_without_its_password(tmp_path):
    url = f"mysql://me:{PASSWORD}@db/rows"
    code, said = serve(tmp_path, INTERLOCK_DATABASE_URL=url)
    assert (code, said) == (
        2,
        "interlock: INTERLOCK_DATABASE_URL must begin with postgresql://\n",
    )


def test_too_small_a_spool_is_refused(tmp_path):
    code, said = serve(tmp_path, "--spool-bytes", "1000")
    assert (code, said) == (2, "interlock: --spool-bytes must be at least 67108864\n")


# --- what -----------------------------------------------------------------------------------------


def test_every_request_has_its_row_refused_ones_too(tmp_path):
    with demo(help_out, tmp_path) as running:
        port = running.router.port
        before = time.time()
        assert ask(port, **{"X-Request-Id": "answered"}) == 200
        assert ask(port, {**_QUESTION, "model": "none"}, **{"X-Request-Id": "refused"}) == 403
        assert ask(port, **{"X-Request-Id": "unknown", "Authorization": "Bearer x"}) == 401
        assert ask(port, **{"X-Request-Id": "dry", "X-Dry-Run": "true"}) == 200
        after = time.time()
        running.router.terminate()
        assert running.router.wait() == 0
    store = open_store(str(tmp_path / "data" / FILE), read_only=True)
    assert ids(store) == ["answered", "refused", "unknown", "dry"]
    assert store.query(
        "SELECT kind, status, code, target, attempts FROM requests ORDER BY time"
    ) == [
        ("request", 200, None, "small", 1),
        ("request", 403, "model-not-allowed", None, 0),
        ("request", 401, "invalid-api-key", None, 0),
        ("dry-run", 200, None, None, 0),
    ]
    times = [row[0] for row in store.query("SELECT time FROM requests ORDER BY time")]
    assert before <= times[0] <= times[-1] <= after, "UTC, whatever the machine's zone"
    store.close()


SECRETS = {
    "prompt": "PromptMarker7f3a",
    "schema": "SchemaMarker91bc",
    "image": base64.b64encode(b"\x89PNG ImageMarker5d2e" * 4).decode(),
    "header": "HeaderMarker0a4d",
    "agent": "AgentMarker6e11",
    "model": "ModelMarker44aa",
    "token": TOKEN.secret,
    "digest": TOKEN.sha256,
    "answer": "AnswerMarker8c77",
}


def test_no_row_holds_what_somebody_else_wrote_nor_a_secret(tmp_path):
    body = {
        "model": "coder",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": SECRETS["prompt"]},
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{SECRETS['image']}"},
                    },
                ],
            }
        ],
        "tools": [{"type": "function", "function": {"name": SECRETS["schema"], "parameters": {}}}],
        "user": SECRETS["prompt"],
        SECRETS["schema"]: 1,
    }
    headers = {"User-Agent": SECRETS["agent"], "Cookie": SECRETS["header"]}
    wrong = "Bearer rtr_demo_you_web_dev_k1_" + SECRETS["token"][::-1]
    with demo(say(SECRETS["answer"], SECRETS["answer"]), tmp_path) as running:
        port = running.router.port
        statuses = {
            ask(port, body, **headers),
            ask(port, {**body, "model": SECRETS["model"]}, **headers),
            ask(port, body, **headers, Authorization=wrong),
            ask(port, {"model": 1, "messages": SECRETS["prompt"]}, **headers),
        }
        assert statuses == {200, 400, 401, 403}
        running.upstream.script = lambda _: Failure(500, SECRETS["answer"], SECRETS["answer"])
        assert ask(port, body, **headers) >= 500
        kept = everything(tmp_path / "data")
        running.router.terminate()
        assert running.router.wait() == 0
        kept += everything(tmp_path / "data")
    assert b"rtr_demo_you_web_dev_k1" in kept
    for secret in (*SECRETS.values(), SECRETS["token"][::-1]):
        for form in (secret.encode(), hashlib.sha256(secret.encode()).hexdigest().encode()):
            assert form not in kept
        assert base64.b64encode(secret.encode())[:16] not in kept


def everything(folder):
    """All bytes of all files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("jump", [10 * 86_400, -3_600])
def test_durations_are_right_when_the_clock_is_set(jump, monkeypatch, tmp_path):
    taken = []

    class Kept:
        def take(self, record):
            taken.append(record)

    began = time.time()
    noted = account.Account("req_1", Serving(tiny(), Upstreams({}, {})), "chat", (Kept(),))
    monkeypatch.setattr(account, "time", lambda: began + jump)
    noted.committed()
    noted.close(200)
    assert began <= taken[0].time <= began + 60
    assert 0 <= taken[0].first_byte <= taken[0].ms < 60_000


def test_a_router_deletes_the_rows_that_are_older_than_it_was_told(tmp_path):
    place = str(tmp_path / FILE)
    store = open_store(place)
    old, young = record(1), record(2)
    old.time, young.time = time.time() - 31 * 86_400, time.time() - 29 * 86_400
    store.insert([batch([old, young])])
    env = {"INTERLOCK_DATA_DIR": str(tmp_path), "INTERLOCK_KEEP_DAYS": "30"}
    with running(write(tmp_path / "tiny"), tmp_path, env):
        until = time.monotonic() + 20
        while ids(store) == ["req_1", "req_2"]:
            assert time.monotonic() < until
            time.sleep(0.05)
    assert ids(store) == ["req_2"]
    store.close()
