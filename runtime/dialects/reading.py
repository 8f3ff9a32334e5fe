"""What a dialect reads out of a request body, and what is done to it for one candidate.

These records are all that the exchange knows of a body; the bytes stay with the dialects.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from runtime.dialects.decode import members
from runtime.dialects.parts import Carried, Parts
from runtime.dialects.session import digest
from runtime.dialects.tools import Toolbox
from runtime.dialects.turns import last_said
from runtime.phases import Said
from runtime.reasoning import NOTHING_ASKED, Ask
from runtime.shape import Shape, estimate_input_tokens
from runtime.vocabulary import Skin, Target

# The member of a body that holds its turns.
HISTORIES: Final = {"chat": "messages", "messages": "messages", "responses": "input"}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A request body, understood once. `dialect` is the body's own, whatever its path said."""

    dialect: str
    model: str | None
    stream: bool
    shape: Shape
    # first session key found in headers and body; None where the client gives none
    session_key: str | None
    # how the conversation opens: a digest of it stands in for the key where one is needed
    opening: tuple[Carried, ...] = ()
    # the turns as they were read, like `turns.Turn`, for whoever asks what the caller said;
    # none any more once an upstream has the request
    turns: list[Any] = []
    # the members of the body as they came; without the history, where only `turns` was kept of it
    top: dict[str, msgspec.Raw] = {}
    # the asked reasoning level (a budget is mapped to one), and the budget as written
    level: str | None = None
    budget: int | None = None
    thinking_off: bool = False
    forced: bool = False
    include_usage: bool = False
    # hosted tool types with their policy, in body order; `strip` are those a skin may go without
    hosted: tuple[tuple[str, str], ...] = ()
    strip: tuple[str, ...] = ()
    previous_response_id: str | None = None
    # JSON path of state that bears an upstream's own id: nothing says whose it is
    unsealed: str | None = None
    # words of `runtime.signs`: what some bridge refuses
    signs: tuple[str, ...] = ()
    # temperature 0, written out
    deterministic: bool = False

    # --- of interest to this dialect's `edit` alone ---
    # type word of a `thinking` object, e.g. "adaptive"; None when there is none
    thinking: str | None = None
    # asked anthropic-beta values
    betas: tuple[str, ...] = ()
    # the history holds state only its maker can read: signatures, encrypted reasoning
    opaque: bool = False
    # some of that state was made behind a bridge: no skin of this dialect can read it
    wrapped: bool = False
    # the history holds readable reasoning of earlier answers
    echo: bool = False
    # Responses: reasoning of earlier answers is referred to by its id
    references: bool = False
    # Messages: a `role: system` turn stands inside `messages`
    system_turns: bool = False
    # the last turn is nothing but tool results: the model is in the middle of its own turn
    tool_loop: bool = False
    # that turn began with thinking whose proof could not come along
    broken_turn: bool = False

    def members(self, body: bytes) -> dict[str, Any]:
        """A new mapping of all members of the body that was read, from which it is written again.

        One that was read without its history was taken for a body that crosses a bridge.
        """
        kept = HISTORIES[self.dialect] in self.top
        return dict(self.top if kept else members(body))

    @property
    def session(self) -> str | None:
        """What the turns of one conversation share; a digest is made only where it is asked for."""
        return self.session_key or digest(self.opening)

    @property
    def said(self) -> Said:
        """What the caller said last; looked for where it is asked for."""
        return last_said(self.turns)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one candidate wants done to the body. `features` are those of its route."""

    skin: Skin
    target: Target
    features: int
    asked: str
    # False: the asked level is left out, because the skin neither lists nor maps it
    keep_level: bool = True
    group_default: str | None = None
    budgets: dict[str, int] = {}
    input_tokens: int = 0
    # the upstream's own id of the answer that is continued
    previous_response_id: str | None = None
    # False: opaque state in the history was made elsewhere and is left out
    same_continuity: bool = True
    # the output cap to send; None: as asked, or the skin's default where the dialect needs one
    cap: int | None = None


class Edited(msgspec.Struct, frozen=True):
    """The bytes for one candidate. `dropped` names what was left out, for the trace."""

    body: bytes
    dropped: tuple[str, ...] = ()
    # anthropic-beta values to send
    betas: tuple[str, ...] = ()
    # Chat: we asked for the usage chunk, the caller did not
    hide_usage: bool = False


class OtherDialect(Exception):
    """The body is written in another dialect than its path; `settled` ends the search."""

    def __init__(self, dialect: str, *, settled: bool) -> None:
        super().__init__(dialect)
        self.dialect = dialect
        self.settled = settled


def completed(reading: Reading, ask: Ask, tools: Toolbox, history: Parts) -> Reading:
    """A reading with what few requests have: asked reasoning, hosted tools, earlier reasoning.

    Apart from the rest, for Python makes a dict for each call with more than fifteen keywords.
    """
    if ask is NOTHING_ASKED and not (tools.hosted or history.opaque or history.echo):
        return reading
    return msgspec.structs.replace(
        reading,
        level=ask.level,
        budget=ask.budget,
        thinking_off=ask.off,
        thinking=ask.thinking,
        hosted=tools.hosted,
        strip=tools.strip,
        opaque=history.opaque,
        wrapped=history.wrapped,
        echo=history.echo,
    )


def shape_of(needs: int, cap: int | None, tools: Toolbox, parts: Parts, size: int) -> Shape:
    """The shape of a body of `size` bytes with these tools and parts."""
    return Shape(
        needs=needs | tools.needs | parts.needs,
        cap=cap,
        input_tokens=estimate_input_tokens(
            size, parts.inline_bytes, parts.images + parts.documents
        ),
        body_bytes=size,
        tool_schema_bytes=tools.size,
        tools=tools.count,
        images=parts.images,
    )
