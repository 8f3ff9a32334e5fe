"""Requests as spans: names, times and attributes, and nothing that somebody wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from runtime.artifact import Artifact
from runtime.spans import Spans
from tests.runtime.metrics.numbers import attempt, record
from tests.runtime.serving.deployment import WEB, YAML, ask, good
from tests.support.edge import until
from tests.support.serving import PATHS, Served, compiled, serving

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def artifact(tmp_path_factory) -> Artifact:
    return compiled(YAML, tmp_path_factory.mktemp("tracing"))


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


@pytest.fixture
def router(artifact, exporter) -> Iterator[Served]:
    def begin(state):
        state.tracing = Spans(provider(exporter), state)

    with serving(artifact, good, state_key=b"a key of these tests", begin=begin) as served:
        yield served


def spans(exporter: InMemorySpanExporter, count: int) -> list[ReadableSpan]:
    """So many finished spans; a request's own comes behind those of its attempts."""
    until(lambda: len(exporter.get_finished_spans()) >= count)
    found = list(exporter.get_finished_spans())
    assert len(found) == count
    return found


@pytest.mark.parametrize("surface", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_request_is_a_server_span_with_a_client_span_below(router, exporter, surface, stream):
    router.post(PATHS[surface], WEB, ask(surface, stream=stream), user_agent="codex/1.0")
    client, server = spans(exporter, 2)
    assert (server.name, server.kind) == (f"POST {PATHS[surface]}", SpanKind.SERVER)
    assert (client.name, client.kind) == ("chat small-upstream-1", SpanKind.CLIENT)
    assert client.parent is not None
    assert client.parent.span_id == server.context.span_id
    assert server.parent is None
    assert server.start_time <= client.start_time < client.end_time <= server.end_time
    assert server.attributes["http.route"] == PATHS[surface]
    assert server.attributes["http.response.status_code"] == 200
    assert server.attributes["gen_ai.request.model"] == "plain"
    assert server.attributes["gen_ai.response.model"] == "small-upstream-1"
    assert server.attributes["interlock.client"] == "codex"
    assert server.attributes["interlock.project"] == "web"
    assert client.attributes["gen_ai.operation.name"] == "chat"
    assert client.attributes["gen_ai.provider.name"] == "one"
    assert client.attributes["gen_ai.request.model"] == "small-upstream-1"
    assert client.attributes.get("gen_ai.request.stream", False) is stream
    assert client.attributes["gen_ai.usage.input_tokens"] > 0
    assert client.attributes["gen_ai.usage.output_tokens"] == 200
    assert client.attributes["server.address"] == "one.example"
    assert client.attributes["server.port"] == 443
    assert ("gen_ai.response.time_to_first_chunk" in client.attributes) is stream
    # on both spans they would be counted twice
    assert not [name for name in server.attributes if name.startswith("gen_ai.usage.")]
    assert {span.status.status_code for span in (client, server)} == {StatusCode.UNSET}


def test_an_incoming_traceparent_is_the_parent(router, exporter):
    router.post(PATHS["chat"], WEB, ask("chat"), traceparent=PARENT)
    client, server = spans(exporter, 2)
    assert format(server.context.trace_id, "032x") == PARENT.split("-")[1]
    assert server.parent is not None
    assert format(server.parent.span_id, "016x") == PARENT.split("-")[2]
    assert client.context.trace_id == server.context.trace_id


@pytest.mark.parametrize("junk", ["", "00-x-y-01", "0" * 300, "00-" + "0" * 32 + "-" + "1" * 16])
def test_what_is_no_traceparent_is_left_out(router, exporter, junk):
    router.post(PATHS["chat"], WEB, ask("chat"), traceparent=junk)
    assert spans(exporter, 2)[1].parent is None


def test_a_parent_that_is_not_sampled_makes_no_spans(router, exporter):
    router.post(PATHS["chat"], WEB, ask("chat"), traceparent=PARENT[:-1] + "0")
    router.post(PATHS["chat"], WEB, ask("chat"))
    assert all(span.parent is None or span.parent.is_remote is False for span in spans(exporter, 2))


def test_two_requests_on_one_connection_have_their_own_parents(router, exporter):
    other = PARENT.replace("0af7", "1bc8")
    for parent in (PARENT, other):
        router.post(PATHS["chat"], WEB, ask("chat"), traceparent=parent)
    traces = {format(span.context.trace_id, "032x") for span in spans(exporter, 4)}
    assert traces == {PARENT.split("-")[1], other.split("-")[1]}


def test_every_attempt_is_a_span_and_a_failed_one_says_why(router, exporter):
    def first_is_down(asked):
        return httpx.Response(529, json={}) if "one." in asked.url else good(asked)

    router.answer = first_is_down
    router.post(PATHS["chat"], WEB, ask("chat"))
    failed, answered, server = spans(exporter, 3)
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.attributes["error.type"] == "overloaded"
    assert failed.attributes["http.response.status_code"] == 529
    assert "gen_ai.usage.input_tokens" not in failed.attributes
    assert answered.attributes["interlock.provider"] == "two"
    assert answered.attributes["gen_ai.usage.input_tokens"] > 0
    assert server.status.status_code is StatusCode.UNSET


def test_a_refusal_is_no_fault_of_the_server_and_a_failure_is(router, exporter):
    router.post(PATHS["chat"], WEB, ask("chat", "nobody"))
    (refused,) = spans(exporter, 1)
    assert refused.attributes["error.type"] == "model-not-allowed"
    assert refused.status.status_code is StatusCode.UNSET
    exporter.clear()
    router.answer = lambda asked: httpx.Response(503, json={})
    router.post(PATHS["chat"], WEB, ask("chat"))
    until(lambda: [s for s in exporter.get_finished_spans() if s.kind is SpanKind.SERVER])
    server = exporter.get_finished_spans()[-1]
    assert server.attributes["error.type"] == "upstream-overloaded"
    assert server.status.status_code is StatusCode.ERROR


MARK = "Zq7-marker-9X"


def test_no_content_and_no_credential_is_in_a_span(router, exporter):
    body = ask("chat", user=MARK, tools=[{"type": "function", "function": {"name": MARK}}])
    body["messages"][0]["content"] = MARK
    router.post(PATHS["chat"], WEB, body, user_agent=f"codex/1 {MARK}", x_session_id=MARK)
    router.answer = lambda asked: httpx.Response(500, json={"error": {"message": MARK}})
    router.post(PATHS["chat"], WEB, body)
    until(lambda: len(exporter.get_finished_spans()) >= 4)
    text = "".join(span.to_json() for span in exporter.get_finished_spans())
    for secret in (MARK, WEB.secret, WEB.id, WEB.sha256, "provider-key", "Say hi", "Hi."):
        assert secret not in text


# --- from records alone -------------------------------------------------------------------------


class State:
    """As much of a state as spans look at: the base URLs."""

    def __init__(self, base_url: str) -> None:
        provider = type("Provider", (), {"base_url": base_url})
        self.artifact = type("Artifact", (), {"providers": {"one": provider}})


def made(exporter: InMemorySpanExporter, base_url: str, **more) -> list[ReadableSpan]:
    async def main():
        Spans(provider(exporter), State(base_url)).below(None).take(record(**more))
        await asyncio.sleep(0)

    asyncio.run(main())
    return list(exporter.get_finished_spans())


@pytest.mark.parametrize(
    ("base_url", "name", "address", "port"),
    [
        ("https://api.openai.com/v1", "openai", "api.openai.com", 443),
        (
            "https://acme.openai.azure.com/openai/v1",
            "azure.ai.openai",
            "acme.openai.azure.com",
            443,
        ),
        ("https://notapi.openai.com.example/v1", "one", "notapi.openai.com.example", 443),
        ("http://10.0.0.7:8000/v1", "one", "10.0.0.7", 8000),
        ("http://gpu.internal/v1", "one", "gpu.internal", 80),
    ],
)
def test_a_provider_is_named_as_the_conventions_do(exporter, base_url, name, address, port):
    about = made(exporter, base_url)[0].attributes
    assert about["gen_ai.provider.name"] == name
    assert (about["server.address"], about["server.port"]) == (address, port)
    assert about["interlock.provider"] == "one"


def test_times_are_those_of_the_record(exporter):
    first = attempt(at=100.0, ms=250.0, kind="timeout")
    second = attempt(at=350.0, ms=500.0)
    late, answered, server = made(exporter, "", attempts=(first, second), ms=900.0)
    began = 1_800_000_000 * 10**9
    assert (server.start_time, server.end_time) == (began, began + 900 * 10**6)
    assert (late.start_time - began, late.end_time - began) == (100 * 10**6, 350 * 10**6)
    assert (answered.start_time - began, answered.end_time - began) == (350 * 10**6, 850 * 10**6)


def test_all_token_counts_have_their_names(exporter):
    used = {"input": 10, "output": 9, "cached": 8, "cache_write": 7, "reasoning": 6}
    about = made(exporter, "", **used)[0].attributes
    assert {k.removeprefix("gen_ai.usage."): v for k, v in about.items() if "usage" in k} == {
        "input_tokens": 10,
        "output_tokens": 9,
        "cache_read.input_tokens": 8,
        "cache_write.input_tokens": 7,
        "reasoning.output_tokens": 6,
    }
