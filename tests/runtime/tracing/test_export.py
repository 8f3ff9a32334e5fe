"""When there are spans at all, and that a collector gets them from a real router."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runtime import log, tracing
from runtime.main import CannotRun
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import Upstreams
from tests.runtime.process.releases import HEADERS, PATH, request, yaml
from tests.support.edge import artifact
from tests.support.router import ROOT, Router, build, running
from tests.support.steady import steady
from tests.support.wire import connected


class Collector:
    """An OTLP/HTTP receiver that keeps what it got."""

    def __init__(self) -> None:
        self.got: list[ExportTraceServiceRequest] = []
        self.paths: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.paths.add(self.path)
                collector.got.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list:
        """Every span so far."""
        return [
            span
            for got in self.got
            for resource in got.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(10)


async def ask(router: Router) -> int:
    async with connected(router.port) as connection:
        connection.send("POST", PATH, HEADERS, request())
        return (await connection.finished()).status


def test_a_collector_gets_the_spans_of_a_router(collector, tmp_path):
    with steady() as provider:
        folder = build(yaml(provider.ports[0], "m"), tmp_path)
        # longer than the test: what there is at the end is sent because it is the end
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
        with running(folder, tmp_path, env) as router:
            assert asyncio.run(ask(router)) == 200
            assert asyncio.run(ask(router)) == 200
            assert collector.spans() == []
            router.terminate()
            assert router.wait() == 0
    assert collector.paths == {"/v1/traces"}
    assert sorted(span.name for span in collector.spans()) == ["POST " + PATH] * 2 + ["chat m"] * 2
    about = {
        a.key: a.value.string_value for a in collector.got[0].resource_spans[0].resource.attributes
    }
    assert about["service.name"] == "interlock"
    assert "OTEL" not in router.logs()


# --- the switches -------------------------------------------------------------------------------

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


def started(env: dict[str, str]) -> tracing.Tracing | None:
    return tracing.start(State(Serving(artifact(), Upstreams({}, {}))), env)


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"OTEL_SERVICE_NAME": "x"},
        {"INTERLOCK_OTEL": "off", **ENDPOINT},
        {"OTEL_SDK_DISABLED": "true", **ENDPOINT},
        {"OTEL_TRACES_EXPORTER": "none", **ENDPOINT},
    ],
)
def test_without_a_wish_for_them_there_are_no_spans(env):
    assert started(env) is None


@pytest.mark.parametrize(
    "env",
    [
        ENDPOINT,
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"},
        {"INTERLOCK_OTEL": "on"},
        {"INTERLOCK_OTEL": "on", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_an_endpoint_or_the_switch_brings_them(env):
    found = started(env)
    assert found is not None
    found.close()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"INTERLOCK_OTEL": "yes"}, "INTERLOCK_OTEL is `yes`"),
        ({"INTERLOCK_OTEL": "on", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf"),
    ],
)
def test_a_wish_that_cannot_be_met_stops_the_start(env, words):
    with pytest.raises(CannotRun, match=words):
        started(env)


def test_the_fleets_variables_alone_stop_no_start(tmp_path):
    path = tmp_path / "log"
    with path.open("wb") as file:
        log.configure("info", file.fileno())
        try:
            assert started({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}) is None
            log.flush()
        finally:
            log.configure("off")
    assert b'"event":"no-spans"' in path.read_bytes()


WITHOUT = """
import sys
sys.modules["opentelemetry"] = None
from runtime import tracing
from runtime.main import CannotRun
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import Upstreams
from tests.support.edge import artifact
state = State(Serving(artifact(), Upstreams({}, {})))
assert tracing.start(state, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}) is None
try:
    tracing.start(state, {"INTERLOCK_OTEL": "on"})
except CannotRun as error:
    print(error)
"""


def test_where_it_is_not_installed_the_extra_is_named():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "interlock-router[otel]" in done.stdout


def test_nothing_of_metrics_and_tracing_is_imported_before_it_is_needed():
    code = (
        "import sys, runtime.worker, runtime.app, runtime.endpoints.generate;"
        "print([n for n in ('opentelemetry', 'prometheus_client') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
