"""What a bridge is given beside the body, and what it makes of both. It knows no dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from runtime.bridges.tools import ToolNames
from runtime.dialects.reading import Reading, Step


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """One request on its way to one candidate over one bridge.

    `reading` is the caller's, `step` what the candidate wants, `domain` the continuity domain of
    its provider: the only one whose opaque state may travel along.
    """

    reading: Reading
    step: Step
    domain: str


class Crossed(msgspec.Struct, frozen=True, kw_only=True):
    """A request in the upstream's dialect, before the skin's own changes.

    `top` is a new mapping that shares no container with what was read where it differs from it;
    texts and schemas may stand in it as the caller spelt them, and turns as records that no skin
    changes. It has neither `model` nor any word about reasoning effort or budget, and the output
    cap under its dialect's usual name: the edit of that dialect writes these in the skin's form.
    """

    top: dict[str, Any]
    # what was left out, for the trace, in the caller's words
    dropped: tuple[str, ...] = ()
    # how to name tools when the answer comes back
    tools: ToolNames = ToolNames()
    # request values that a Responses answer repeats
    echo: Mapping[str, Any] = {}
    # the turn that goes on began with thinking whose proof could not come along
    broken_turn: bool = False


# A bridge: pure and deterministic. The body is what `runtime.bridges.body` opened of the reading;
# its history stays untouched, for the next candidate needs it too.
# Raises CallerError (`invalid-request` with a path) for a body it cannot read.
Request = Callable[[Mapping[str, Any], Crossing], Crossed]
