"""Requests and attempts as OpenTelemetry spans. The only place that imports OpenTelemetry.

A request is a server span, each attempt a client span below it, with the names of the GenAI
semantic conventions (`gen_ai.client.inference`) as of version 1.44. They are made of the finished
record, so they hold what rows hold: no content, no credential. Export is in a thread of the SDK.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime import __version__
from runtime.records.record import Attempt, Record
from runtime.state import State

_SCHEMA: Final = "https://opentelemetry.io/schemas/1.44.0"
_PATHS: Final = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
}
# host, or what it ends in -> `gen_ai.provider.name` by the conventions
_PROVIDERS: Final = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    ".openai.azure.com": "azure.ai.openai",
    ".services.ai.azure.com": "azure.ai.inference",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    ".amazonaws.com": "aws.bedrock",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
}
_PORTS: Final = {"http": 80, "https": 443}
_OPERATION: Final = "chat"  # the conventions' word for every dialect we speak
_PATIENCE: Final = 2.0  # seconds, at the end
_FAILED: Final = Status(StatusCode.ERROR)
_parents: Final = TraceContextTextMapPropagator()

# record field -> attribute, where it has a value
_ABOUT: Final = {
    "id": "interlock.request.id",
    "artifact": "interlock.artifact",
    "surface": "interlock.surface",
    "group": "interlock.group",
    "policy": "interlock.policy",
    "phase": "interlock.phase",
    "target": "interlock.target",
    "caller": "interlock.caller",
    "project": "interlock.project",
    "env": "interlock.env",
    "client": "interlock.client",
    "cache": "interlock.cache",
    "outcome": "interlock.outcome",
    "code": "interlock.code",
    "cost": "interlock.cost_usd",
    "status": "http.response.status_code",
    "cap": "gen_ai.request.max_tokens",
}
_USAGE: Final = {
    "input": "gen_ai.usage.input_tokens",
    "output": "gen_ai.usage.output_tokens",
    "cached": "gen_ai.usage.cache_read.input_tokens",
    "cache_write": "gen_ai.usage.cache_write.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}
_TRIED: Final = {
    "target": "interlock.target",
    "skin": "interlock.skin",
    "bridge": "interlock.bridge",
    "model": "gen_ai.request.model",
    "status": "http.response.status_code",
}

Attributes = dict[str, Any]


def exporting(env: Mapping[str, str]) -> TracerProvider:
    """A provider that sends to the collector the OTEL_* variables name, by default on loopback."""
    about = {"service.version": __version__}
    if "OTEL_SERVICE_NAME" not in env and "service.name" not in env.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    ):
        about["service.name"] = "interlock"
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Spans:
    """The tracing of one worker."""

    def __init__(self, provider: TracerProvider, state: State) -> None:
        self._provider = provider
        self._state = state
        self._tracer = provider.get_tracer("interlock", __version__, schema_url=_SCHEMA)

    def below(self, traceparent: bytes | None) -> _Request:
        """The recorder of one request."""
        return _Request(self, traceparent)

    def close(self) -> None:
        """Sends what is left, if the collector takes it soon."""
        # the SDK itself would try again and again for ten seconds
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(_PATIENCE)

    def make(self, record: Record, parent: Context) -> None:
        """The spans of one record."""
        began = int(record.time * 1e9)
        server = self._tracer.start_span(
            f"POST {_PATHS[record.surface]}",
            context=parent,
            kind=SpanKind.SERVER,
            attributes=_of_request(record),
            start_time=began,
        )
        if server.is_recording():
            below = set_span_in_context(server, parent)
            for attempt in record.attempts:
                self._make_attempt(record, attempt, below, began)
        if record.status >= 500 or record.outcome in ("aborted", "internal-error"):
            server.set_status(_FAILED)
        server.end(began + _nanoseconds(record.ms))

    def _make_attempt(self, record: Record, attempt: Attempt, below: Context, began: int) -> None:
        attributes = _of_attempt(record, attempt)
        provider = self._state.artifact.providers.get(attempt.provider)
        attributes |= _of_provider(attempt.provider, provider.base_url if provider else "")
        at = began + _nanoseconds(attempt.at)
        span = self._tracer.start_span(
            f"{_OPERATION} {attempt.model}",
            context=below,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=at,
        )
        if attempt.kind is not None:
            span.set_status(_FAILED)
        span.end(at + _nanoseconds(attempt.ms))


class _Request:
    __slots__ = ("_spans", "_traceparent")

    def __init__(self, spans: Spans, traceparent: bytes | None) -> None:
        self._spans = spans
        self._traceparent = traceparent

    def take(self, record: Record) -> None:
        """Makes the spans."""
        parent = Context()
        if self._traceparent is not None:
            # what is no traceparent is left out by the propagator, as its specification asks
            carrier = {"traceparent": self._traceparent.decode("latin-1")}
            parent = _parents.extract(carrier, context=parent)
        # The SDK takes longer for a span than the router does for a request: the answer goes first.
        asyncio.get_running_loop().call_soon(self._spans.make, record, parent)


def _of_request(record: Record) -> Attributes:
    found = _named(record, _ABOUT)
    found["http.request.method"] = "POST"
    found["http.route"] = _PATHS[record.surface]
    found["gen_ai.operation.name"] = _OPERATION
    if record.group is not None:
        found["gen_ai.request.model"] = record.group
    if record.model is not None and record.outcome == "ok":
        found["gen_ai.response.model"] = record.model
    if record.features:
        found["interlock.features"] = record.features
    if record.dropped:
        found["interlock.dropped"] = record.dropped
    if record.code is not None or record.status >= 500:
        found["error.type"] = record.code or str(record.status)
    return found


def _of_attempt(record: Record, attempt: Attempt) -> Attributes:
    found = _named(attempt, _TRIED)
    found["gen_ai.operation.name"] = _OPERATION
    if record.stream:
        found["gen_ai.request.stream"] = True
    if attempt.kind is not None:
        found["error.type"] = attempt.kind
    # The counts are those of the last attempt; on the request's span they would count twice.
    if attempt is record.attempts[-1]:
        found |= _named(record, _USAGE)
        if record.stream and record.first_byte is not None:
            waited = max(record.first_byte - attempt.at, 0.0)
            found["gen_ai.response.time_to_first_chunk"] = waited / 1000
    return found


def _of_provider(name: str, base_url: str) -> Attributes:
    url = urlsplit(base_url)
    host = url.hostname or ""
    known = (word for end, word in _PROVIDERS.items() if host == end or _below(host, end))
    found: Attributes = {"gen_ai.provider.name": next(known, name), "interlock.provider": name}
    if host:
        found["server.address"] = host
        found["server.port"] = url.port or _PORTS[url.scheme]
    return found


def _below(host: str, end: str) -> bool:
    return end.startswith(".") and host.endswith(end)


def _named(holder: Record | Attempt, names: Mapping[str, str]) -> Attributes:
    return {
        name: value
        for field, name in names.items()
        if (value := getattr(holder, field)) is not None
    }


def _nanoseconds(milliseconds: float) -> int:
    return int(milliseconds * 1e6)
