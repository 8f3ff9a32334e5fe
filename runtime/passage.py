"""How one candidate's request and answer pass: as they are, or over a bridge.

The exchange gets four things here and needs to know no dialect: the body for the candidate, a
watcher for its stream, the caller's answer out of one in one piece, and the caller's words for an
error.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, Protocol

import msgspec

from runtime import failures
from runtime.bridges.body import opened
from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.relay import MAY_BE_EMPTY, Relay, StreamRelay, Told, WholeRelay
from runtime.bridges.served import BRIDGES
from runtime.bridges.tools import Renamer, ToolNames
from runtime.dialects import DIALECTS, Dialect
from runtime.dialects.answer import Watcher, Whole
from runtime.dialects.decode import ABSENT
from runtime.dialects.reading import Edited, Reading, Step
from runtime.dialects.tools import flat_customs
from runtime.dialects.way import Way
from runtime.errors import UpstreamError
from runtime.events import Finished, fold
from runtime.vocabulary import CUSTOM, Skin

Sealer = Callable[[str], str]

# The usual name of the output cap in each dialect, by which a bridge writes it.
_CAPS: Final = {
    "chat": "max_tokens",
    "messages": "max_tokens",
    "responses": "max_output_tokens",
}
# Callers choose the names of fields nobody knows: heads and rows stay small, and hold no text.
_FIELD: Final = re.compile(r"[\w.:$\[\]=/-]{1,64}", re.ASCII)
_MOST: Final = 32
_UNKNOWN: Final = "unknown-field"
_OVERFLOW: Final = "context_length_exceeded"
# How providers tell how many tokens came and how many fit.
_TOKENS: Final = re.compile(r"\b(\d{4,9}) (?:input |prompt )?(?:tokens|maximum)\b")
_ID_PREFIX: Final = {"chat": "chatcmpl-", "responses": "resp_", "messages": "msg_"}


class Passage(Protocol):
    """The way of one attempt. `edited` is the body to send, and what was left out of it."""

    @property
    def edited(self) -> Edited: ...

    def watcher(self, seal: Sealer | None) -> Watcher | Relay:
        """For the answer as a stream; `seal` makes our id of the upstream's."""
        ...

    def whole(self, body: bytes, seal: Sealer | None) -> Whole:
        """The answer in one piece, for the caller. Raises UpstreamError."""
        ...


def passage(
    body: bytes, reading: Reading, surface: str, upstream: str, step: Step, domain: str
) -> Passage:
    """The passage of a body to a candidate that speaks `upstream`, and of the answer to `surface`.

    `domain` is the continuity domain of the candidate's provider. A body written in another
    dialect than its path crosses by the bridge from its own; the answer is in that of the path.
    Raises CallerError for a body that a bridge cannot read.
    """
    dialect = DIALECTS[upstream]
    if reading.dialect == upstream:
        edited, crossed = dialect.edit(body, reading, step), None
        if surface == upstream and not (step.skin.synthesized and reading.stream):
            return _Native(dialect, step.asked, edited)
    else:
        edited, crossed = _crossed(reading, upstream, step, domain)
    way = Way(
        asked=step.asked,
        answer_id=f"{_ID_PREFIX[surface]}{os.urandom(16).hex()}",
        created=int(time.time()),
        input_tokens=reading.shape.input_tokens,
        include_usage=reading.include_usage,
        domain=domain,
        echo=crossed.echo if crossed else {},
    )
    tools = crossed.tools if crossed else ToolNames()
    if surface == "chat" and reading.shape.needs & CUSTOM:
        tools = msgspec.structs.replace(tools, flat=flat_customs(reading.top.get("tools", ABSENT)))
    return _Bridged(dialect, DIALECTS[surface], edited, way, tools, step.skin)


def _crossed(reading: Reading, upstream: str, step: Step, domain: str) -> tuple[Edited, Crossed]:
    bridge = BRIDGES[f"{reading.dialect}_to_{upstream}"]
    crossing = Crossing(reading=reading, step=step, domain=domain)
    # opened anew for each candidate: what a skin changes in it must not reach the next one
    crossed = bridge.request(opened(reading), crossing)
    edited = DIALECTS[upstream].edit(
        crossed.top, _on_the_far_side(reading, upstream, crossed, step), step
    )
    if crossed.dropped or edited.dropped:
        dropped = _named((*crossed.dropped, *edited.dropped))
        edited = msgspec.structs.replace(edited, dropped=dropped)
    return edited, crossed


def _named(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once; one word for those that look like no field, and for all beyond so many."""
    found = dict.fromkeys(name if _FIELD.fullmatch(name) else _UNKNOWN for name in names)
    if len(found) > _MOST:
        found = dict.fromkeys([*islice(found, _MOST), _UNKNOWN])
    return tuple(found)


def _on_the_far_side(reading: Reading, upstream: str, crossed: Crossed, step: Step) -> Reading:
    """The reading of a crossed body: what the bridge has settled is settled."""
    shape, cap = reading.shape, crossed.top.get(_CAPS[upstream])
    if cap != shape.cap:  # a bridge may have raised it to the least that its upstream takes
        shape = msgspec.structs.replace(shape, cap=cap)
    return msgspec.structs.replace(
        reading,
        dialect=upstream,
        shape=shape,
        include_usage=False,
        hosted=(),
        strip=(),
        betas=(),
        previous_response_id=None,
        unsealed=None,
        opaque=False,
        wrapped=False,
        echo=False,
        references=False,
        system_turns=False,
        broken_turn=crossed.broken_turn,
        thinking=_thinking(reading, upstream, step),
    )


def _thinking(reading: Reading, upstream: str, step: Step) -> str | None:
    """The type word of thinking on the far side.

    In Messages an effort alone leaves thinking off, and elsewhere it asks for it; thinking without
    the effort that was asked for would be that of Anthropic's default. Messages takes no thinking
    beside a forced tool.
    """
    asked = step.keep_level and not reading.thinking_off and not reading.forced
    if upstream == "messages" and reading.level is not None and asked:
        return "enabled"
    return reading.thinking


class _Native(msgspec.Struct, frozen=True, gc=False):
    """Both sides speak one dialect: bytes pass, but for the declared changes."""

    dialect: Dialect
    asked: str
    edited: Edited

    def watcher(self, seal: Sealer | None) -> Watcher:
        return self.dialect.Watcher(self.asked, hide_usage=self.edited.hide_usage, rewrite_id=seal)

    def whole(self, body: bytes, seal: Sealer | None) -> Whole:
        return self.dialect.whole(body, self.asked, seal)


class _Bridged(msgspec.Struct, frozen=True):
    """The answer is made anew in the caller's dialect."""

    upstream: Dialect
    caller: Dialect
    edited: Edited
    way: Way
    tools: ToolNames
    skin: Skin

    def watcher(self, seal: Sealer | None) -> Relay:
        way = self.way
        face = self.caller.Watcher(way.asked, response_id=way.answer_id)
        face.created_at = way.created
        encoder, renamer = self.caller.Encoder(way), self._renamer()
        if self.skin.synthesized:
            return WholeRelay(self._told, face, encoder, renamer)
        inner = self.upstream.Watcher(None)
        return StreamRelay(inner, self.upstream.decoder(self.skin), face, encoder, renamer)

    def whole(self, body: bytes, seal: Sealer | None) -> Whole:
        told = self._told(body)
        try:
            answer = self._renamer().whole(fold(told.events))
        except ValueError as exc:
            raise _nonsense() from exc
        if not answer.parts and answer.reason not in MAY_BE_EMPTY:
            raise failures.empty()
        made = self.caller.encode_whole(answer, self.way)
        return Whole(made, told.usage, answer.reason, told.unknown)

    def _told(self, body: bytes) -> Told:
        body = self.upstream.usable(body)
        decoder = self.upstream.decoder(self.skin)
        try:
            events = decoder.whole(body)
        except (ValueError, msgspec.MsgspecError) as exc:
            raise _nonsense() from exc
        last = events[-1]
        usage = last.usage if isinstance(last, Finished) else None
        return Told(events, usage, sum(decoder.unknown.values()))

    def _renamer(self) -> Renamer:
        return Renamer(self.tools, self.way.answer_id)


def reword(error: UpstreamError, surface: str, estimate: int, context: int | None) -> None:
    """An overflow told in the words that clients of `surface` compact on; others stay as they are.

    Clients know the words of their own dialect alone. The numbers are the upstream's where it tells
    both, else `estimate`, the tokens of the request as we see them, and the target's `context`.
    """
    if error.code != _OVERFLOW:
        return
    told = {int(number) for number in _TOKENS.findall(error.message)}
    if len(told) == 2:
        fit, came = sorted(told)
    else:
        fit = context or estimate - 1  # of a target of unknown size we know that this did not fit
        came = max(estimate, fit + 1)
    own = DIALECTS[surface].overflow(came, fit)
    error.message, error.param = own.message, own.param


def _nonsense() -> UpstreamError:
    return failures.invalid("the answer does not make sense in its own dialect")
