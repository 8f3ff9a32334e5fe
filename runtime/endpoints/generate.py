"""POST /v1/chat/completions, /v1/responses, /v1/messages: one short story for all three."""

from __future__ import annotations

import msgspec

from runtime.auth import authenticate
from runtime.cost import money
from runtime.decision import Decision, decide, estimate_cost, refusal
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Reading
from runtime.edge import Call
from runtime.errors import CallerError, RouterError
from runtime.exchange import Exchange
from runtime.log import log_exchange
from runtime.state import State
from runtime.trace import Tracer
from runtime.vocabulary import words

_PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}


class Generate:
    """The handler of one surface."""

    def __init__(self, state: State, surface: str) -> None:
        self._state = state
        self._surface = surface
        self._tracer = Tracer(state.artifact)

    async def __call__(self, call: Call) -> None:
        """Authenticates, reads, decides, and lets the exchange answer. Raises RouterError."""
        state = self._state
        token_id, caller = authenticate(state.artifact, call.headers, state.today())
        reading = read_body(call, self._surface, state)
        decision = decide(
            state.artifact,
            self._surface,
            caller,
            reading,
            token_id=token_id,
            request_id=call.request_id,
            state_key=state.state_key,
        )
        if call.headers.get(b"x-dry-run", b"").lower() == b"true":
            await self._dry_run(call, reading, decision)
            return
        if not decision.order:
            raise self._refused(reading, decision)
        exchange = Exchange(call, state, self._tracer, reading, decision)
        try:
            await exchange.run()
        finally:
            log_exchange(call, exchange, token_id)

    def _refused(self, reading: Reading, decision: Decision) -> RouterError:
        error = refusal(self._state.artifact, decision, reading)
        error.headers = tuple(self._tracer.refused(decision.group_id, self._surface))
        return error

    async def _dry_run(self, call: Call, reading: Reading, decision: Decision) -> None:
        if not decision.order:
            raise self._refused(reading, decision)
        body = msgspec.json.encode(
            {"dryRun": True, "routing": routing(self._state, reading, decision)}
        )
        headers = self._tracer.routed(
            decision.group_id, self._surface, decision.order[0], attempts=0, phase=decision.phase
        )
        await call.send(200, [(b"content-type", b"application/json"), *headers], body)


def read_body(call: Call, surface: str, state: State) -> Reading:
    """What the body asks for. Raises CallerError, also for a body of another dialect."""
    reading = DIALECTS[surface].read(call.body, call.headers, state.artifact.settings)
    if reading.dialect != surface:
        raise CallerError(
            "invalid-request",
            f"This body is in the {reading.dialect} dialect. Post it to "
            f"{_PATHS[reading.dialect]}, or send a {surface} body here.",
        )
    return reading


def routing(state: State, reading: Reading, decision: Decision) -> dict[str, object]:
    """The `routing` object of a dry run: the whole decision, and no upstream call."""
    artifact, chosen, shape = state.artifact, decision.order[0], reading.shape
    show = artifact.settings.trace.show_upstream
    cost = estimate_cost(artifact, decision, reading, chosen)
    step_dropped = [
        f"reasoning.{reading.level}" for _ in (0,) if reading.level and not chosen.keep_level
    ]
    return {
        "group": decision.group_id,
        "surface": decision.surface,
        "shape": {
            "needs": words(shape.needs),
            "cap": shape.cap,
            "input_tokens": shape.input_tokens,
            "body_bytes": shape.body_bytes,
            "tool_schema_bytes": shape.tool_schema_bytes,
            "tools": shape.tools,
            "images": shape.images,
        },
        "taskType": decision.phase or "coding",
        "complexity": _complexity(shape.input_tokens),
        "phase": decision.phase,
        "strategy": decision.group.kind,
        "modelSelected": chosen.skin.model if show else decision.group_id,
        "target": chosen.target_id if show else None,
        "skin": chosen.route.skin,
        "bridge": chosen.route.bridge,
        "fallbackChain": [c.target_id for c in decision.order[1 : decision.group.attempts]],
        "excluded": [{"target": t, "reason": r[0]} for t, r in decision.excluded if r],
        "estimatedCost": {
            "selected": None if cost.selected is None else money(cost.selected),
            "baseline": None if cost.baseline is None else money(cost.baseline),
            "savings": cost.savings,
        },
        "dropped": step_dropped,
        "artifact": artifact.digest[:12],
    }


def _complexity(input_tokens: int) -> str:
    if input_tokens < 4_000:
        return "low"
    return "medium" if input_tokens < 32_000 else "high"
