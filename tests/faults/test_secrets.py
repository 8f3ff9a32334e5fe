"""After the whole table: no secret and no content stands in logs, errors or headers."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from tests.faults.calls import PROMPT_MARKER, SCHEMA_MARKER, Seen
from tests.faults.deployment import CALLER, PROVIDER_KEY
from tests.faults.table import Cell, cells
from tests.faults.upstream import MODEL_PREFIX, Upstream
from tests.support.wire import Answer

SECRETS = {
    "the provider's key": PROVIDER_KEY,
    "the caller's token": CALLER.whole,
    "the secret part of the token": CALLER.secret,
    "the caller's cookie": "caller-cookie-5Rk",
    "the prompt": PROMPT_MARKER,
    "the tool schema": SCHEMA_MARKER,
    "a private header of the upstream": "zx-internal-8fKq",
}


def traces_of(secret: str) -> set[str]:
    """A secret in every form in which it could slip out."""
    raw = secret.encode()
    start = secret if secret.startswith("rtr_") else secret[:8]
    return {
        secret,
        start,
        quote(secret),
        base64.b64encode(raw).decode().rstrip("="),
        hashlib.sha256(raw).hexdigest(),
    }


def found(text: str, secret: str) -> set[str]:
    return {trace for trace in traces_of(secret) if trace in text}


@pytest.mark.parametrize("what", SECRETS)
def test_logs_hold_no_secret(what, outcomes, router):
    logs = router.logs()
    assert logs, "nothing was logged: nothing would be found"
    assert found(logs, SECRETS[what]) == set()


@pytest.mark.parametrize("what", SECRETS)
def test_answers_hold_no_secret(what, outcomes: dict[str, Seen]):
    for name, answer in outcomes.items():
        if isinstance(answer, Answer):
            said = json.dumps(answer.headers) + answer.body.decode("utf-8", "replace")
            assert found(said, SECRETS[what]) == set(), name


@pytest.mark.parametrize("what", SECRETS)
def test_usage_rows_hold_no_secret(what, outcomes, router):
    """Neither those in the journal nor those in the database, whatever is left of either."""
    kept = [path for path in (router.output.parent / "data").rglob("*") if path.is_file()]
    held = b"".join(path.read_bytes() for path in kept).decode("utf-8", "replace")
    assert "status-500-quoting-everything" in held, "no rows: nothing would be found"
    assert found(held, SECRETS[what]) == set()


def test_logs_hold_no_traceback(outcomes, router):
    assert "Traceback" not in router.logs()


def test_every_log_line_is_one_json_object(outcomes, router):
    lines = router.logs().splitlines()
    lines.remove(next(line for line in lines if line.startswith("interlock: serving faults")))
    assert all(isinstance(json.loads(line), dict) for line in lines)


@pytest.mark.parametrize(
    "name", ["set-cookie", "openai-model", "x-models-etag", "x-internal-key", "server"]
)
def test_headers_of_the_upstream_stay_there(name, outcomes: dict[str, Seen]):
    for cell, answer in outcomes.items():
        if isinstance(answer, Answer):
            assert answer.header(name) is None, cell


def test_headers_of_the_caller_stay_here(outcomes, upstream):
    assert upstream.asked
    for asked in upstream.asked:
        if asked.cell and asked.cell.count("/") == 3:
            said = json.dumps(dict(asked.headers))
            assert CALLER.secret not in said
            assert not {"cookie", "x-forwarded-for", "x-api-key"} & set(asked.headers)
            assert asked.headers["authorization"] == f"Bearer {PROVIDER_KEY}"


# --- a router that names no upstream -------------------------------------------------------------

QUOTING = frozenset(
    (
        "good",
        "refused",
        "status-400-overflow",
        "status-400-quoting-the-key",
        "status-400-quoting-the-model",
        "status-404-model",
        "status-500-quoting-everything",
        "silent-then-503",
        "error-event-before-content",
        "error-event-after-content",
        "overflow-event-before-content",
    )
)
QUOTED = [
    replace(cell, run="discreet.")
    for cell in cells()
    if cell.row.behaviour in QUOTING and cell.second is None
]


@pytest.fixture(scope="module")
def discreet(outcomes_of) -> dict[str, Seen]:
    """The answers of a deployment with `show_upstream: false`, by the name of the cell."""
    return outcomes_of(QUOTED, show_upstream=False)


@pytest.mark.parametrize("cell", QUOTED, ids=lambda cell: cell.name)
def test_a_discreet_router_names_no_upstream(cell, discreet, upstream):
    answer = discreet[cell.name]
    assert isinstance(answer, Answer), answer
    assert asked_for(cell, upstream), "somebody has to be there whom one could name"
    said = json.dumps(answer.headers) + answer.body.decode()
    assert MODEL_PREFIX not in said
    assert f"127.0.0.1:{upstream.port}" not in said
    assert "upstream.internal" not in said
    assert found(said, PROVIDER_KEY) == set()
    for name in ("x-router-target", "x-router-provider", "x-router-model"):
        assert answer.header(name) is None


def asked_for(cell: Cell, upstream: Upstream) -> bool:
    asked = [one.model for one in upstream.of_cell(cell.name)]
    return asked == ([] if cell.row.behaviour == "refused" else [MODEL_PREFIX + cell.row.behaviour])
