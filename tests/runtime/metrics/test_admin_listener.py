"""A port of its own for /metrics: there with the role, and not found on the port of the agents."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.runtime.metrics.numbers import SCRAPER, read, total
from tests.runtime.metrics.test_workers import OPS
from tests.runtime.process.releases import CALLER, HEADERS, PATH, request, yaml
from tests.runtime.process.test_life_of_a_process import Process, process, refuses, soon
from tests.support.router import build
from tests.support.steady import Steady, steady

BEARER = {"authorization": f"Bearer {SCRAPER.whole}"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Steady]:
    with steady() as provider:
        yield provider


@pytest.fixture(scope="module")
def artifact(provider, tmp_path_factory) -> Path:
    return build(yaml(provider.ports[0], "m") + OPS, tmp_path_factory.mktemp("admin"))


@pytest.fixture(params=["1", "2"])
def served(request, artifact, tmp_path) -> Iterator[Process]:
    command = ("-m", "runtime", str(artifact), "--port", "0", "--workers", request.param)
    more = ("--data-dir", str(tmp_path / "data"), "--drain", "5")
    with process(*command, *more, env={"INTERLOCK_ADMIN_PORT": "0"}) as served:
        yield served


def ports(served: Process) -> tuple[int, int]:
    """The port of the agents and the admin's, as the greeting says them."""
    found = re.fullmatch(
        r".* on http://127\.0\.0\.1:(\d+), admin on http://127\.0\.0\.1:(\d+)\n", served.line
    )
    assert found is not None, served.line
    return int(found[1]), int(found[2])


def ask(port: int, method: str, path: str, headers: dict[str, str], body: bytes | None = None):
    """Status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body=body, headers={**headers, "connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_metrics_have_moved_to_the_admin_port(served):
    data, admin = ports(served)
    assert ask(data, "POST", PATH, HEADERS, request())[0] == 200
    soon(lambda: total(read(ask(admin, "GET", "/metrics", BEARER)[1]), "interlock_requests_total"))
    for path in ("/metrics", "/api/metrics", "/metrics/", "/admin", "/admin/usage"):
        status, body = ask(data, "GET", path, BEARER)
        assert (status, json.loads(body)["error"]["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": f"Bearer {CALLER.whole}"}, 403)],
)
def test_the_admin_port_opens_nothing_without_the_role(served, headers, status):
    assert ask(ports(served)[1], "GET", "/metrics", headers)[0] == status


def test_the_admin_port_serves_no_agent(served):
    _, admin = ports(served)
    assert ask(admin, "POST", PATH, HEADERS, request())[0] == 404
    assert ask(admin, "GET", "/v1/models", HEADERS)[0] == 404
    assert ask(admin, "GET", "/healthz", {})[0] == 200


def test_metrics_are_told_while_the_last_streams_end(served, provider):
    data, admin = ports(served)
    provider.hold()
    answers = []
    stream = threading.Thread(
        target=lambda: answers.append(ask(data, "POST", PATH, HEADERS, request(stream=True)))
    )
    stream.start()
    soon(lambda: in_flight(admin) == 1)
    served.popen.terminate()
    soon(lambda: refuses(data))
    # workers without streams have ended
    soon(lambda: _stopping(admin) == 1)
    assert in_flight(admin) == 1
    provider.release()
    stream.join(20)
    assert answers[0][0] == 200
    assert answers[0][1].endswith(b"data: [DONE]\n\n")
    assert served.end()[0] == 0
    assert refuses(admin)


def in_flight(admin: int) -> float:
    return total(read(ask(admin, "GET", "/metrics", BEARER)[1]), "interlock_requests_in_flight")


def _stopping(admin: int) -> float:
    try:
        return total(read(ask(admin, "GET", "/metrics", BEARER)[1]), "interlock_stopping")
    except (OSError, http.client.HTTPException):
        return 0  # that was a worker that had nothing left to do


def test_the_admin_port_has_the_certificate_of_the_other(artifact, tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    tls = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    command = ("-m", "runtime", str(artifact), "--port", "0", "--admin-port", "0", *tls)
    with process(*command, "--data-dir", str(tmp_path / "data")) as served:
        port = int(served.line.rpartition(":")[2])
        assert f", admin on https://127.0.0.1:{port}\n" in served.line
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
        connection.request("GET", "/metrics", headers=BEARER)
        assert connection.getresponse().status == 200
        connection.close()


def test_an_admin_port_that_is_taken_is_named(artifact, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for workers in ("1", "2"):
            command = ("-m", "runtime", str(artifact), "--port", "0", "--workers", workers)
            more = ("--data-dir", str(tmp_path / "data"), "--admin-port", port)
            with process(*command, *more, env={"INTERLOCK_LOG": "off"}) as second:
                code, errors = second.end()
            assert (code, errors.count("\n")) == (2, 1)
            assert port in errors


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--admin-port", "70000"), "--admin-port"),
        (("--admin-host", "127.0.0.1"), "--admin-host needs --admin-port"),
    ],
)
def test_options_that_make_no_sense_are_refused(artifact, more, named):
    with process("-m", "runtime", str(artifact), "--port", "0", *more) as served:
        code, errors = served.end()
    assert code == 2
    assert named in errors
