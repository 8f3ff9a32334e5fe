"""Whether requests become spans, and for whom. It knows no OpenTelemetry: `runtime.spans` does.

The variables are those every OpenTelemetry SDK reads; INTERLOCK_OTEL=on or off outranks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from runtime import log
from runtime.main import CannotRun
from runtime.records.account import Recorder
from runtime.state import State

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN: Final = ("", "http/protobuf")
# what switches a whole fleet's SDKs, or their traces, off
_OFF: Final = {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "none"}


class Tracing(Protocol):
    """Makes spans of records."""

    def below(self, traceparent: bytes | None) -> Recorder:
        """The recorder of one request; `traceparent` (W3C Trace Context) names its parent."""

    def close(self) -> None:
        """Sends what is left; blocks, but not for long."""


def start(state: State, env: Mapping[str, str]) -> Tracing | None:
    """The tracing that is asked for, or None.

    Raises CannotRun where INTERLOCK_OTEL asks for what cannot be. Where only the fleet's variables
    do, a line in the log says why there are no spans: they may stand there for other programs.
    """
    switch = env.get("INTERLOCK_OTEL", "")
    if switch not in ("", "on", "off"):
        raise CannotRun(f"INTERLOCK_OTEL is `{switch}`; `on` or `off` is expected")
    if switch == "off" or (not switch and not _asked_for(env)):
        return None
    try:
        return _begin(state, env)
    except CannotRun as error:
        if switch:
            raise
        log.log("warning", "no-spans", error=str(error))
        return None


def _asked_for(env: Mapping[str, str]) -> bool:
    off = any(env.get(name, "").lower() == word for name, word in _OFF.items())
    return not off and any(env.get(name) for name in _ENDPOINTS)


def _begin(state: State, env: Mapping[str, str]) -> Tracing:
    protocol = next((env[name] for name in _PROTOCOLS if env.get(name)), "")
    if protocol not in _SPOKEN:
        raise CannotRun(f"spans are sent as http/protobuf, not `{protocol}`")
    try:
        from runtime.spans import Spans, exporting
    except ModuleNotFoundError as error:
        raise CannotRun(
            "OpenTelemetry is not installed: pip install 'interlock-router[otel]'"
        ) from error
    return Spans(exporting(env), state)
