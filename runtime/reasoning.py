"""Reasoning in requests: what a caller asks for, and how each dialect writes what a skin takes.

Level, budget and summary are the three words for it. Which target keeps which level is decided
elsewhere; this module only normalises and writes.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Annotated, Any, Final

import msgspec

from runtime.errors import CallerError
from runtime.vocabulary import LEVELS, Reasoning

# Budgets where a deployment names none, in tokens.
DEFAULT_BUDGETS: Final[dict[str, int]] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 31999,
    "max": 63999,
}
# The smallest budget Messages takes, and the room an answer needs beside it.
MIN_BUDGET: Final = 1024
ANSWER_ROOM: Final = 1024

Tokens = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Options(msgspec.Struct):
    """The `reasoning` object of Responses, which some clients also send on Chat."""

    effort: str | None = None
    max_tokens: Tokens | None = None
    enabled: bool | None = None
    summary: str | None = None
    generate_summary: str | None = None


class Thinking(msgspec.Struct):
    """The `thinking` object of Messages, which some Chat providers took over."""

    type: str | None = None
    budget_tokens: Tokens | None = None


class Ask(msgspec.Struct, frozen=True):
    """What a caller asks for. `thinking` is the type word of a `thinking` object."""

    level: str | None = None
    budget: int | None = None
    off: bool = False
    thinking: str | None = None

    @property
    def bit(self) -> int:
        """The feature a skin must have to keep the asked level; 0 when none was asked."""
        return LEVELS[self.level] if self.level is not None else 0


NOTHING_ASKED: Final = Ask()


def read_ask(
    effort: str | None,
    where: str,
    options: Options | None,
    thinking: Thinking | None,
    budgets: Mapping[str, int],
) -> Ask:
    """The ask in whatever words a body has for it. Raises CallerError for an unknown level."""
    if effort is None and options is None and thinking is None:
        return NOTHING_ASKED
    if options is not None and effort is None and options.effort is not None:
        effort, where = options.effort, "reasoning.effort"
    if effort is not None and effort not in LEVELS:
        words = ", ".join(LEVELS)
        message = f"`{where}`: unknown reasoning level. Use one of {words}, or leave it out."
        raise CallerError("invalid-request", message, param=where)
    budget, word = None, None
    if options is not None:
        budget = options.max_tokens
        word = {True: "enabled", False: "disabled", None: None}[options.enabled]
    if thinking is not None and thinking.type is not None:
        budget, word = thinking.budget_tokens, thinking.type
    if word == "disabled":
        return Ask(off=True, thinking=word)
    level = effort
    if level is None and budget is not None:
        level = level_of_budget(budget, budgets)
    return Ask(level=level, budget=budget, off=level == "none", thinking=word)


def level_of_budget(budget: int, budgets: Mapping[str, int]) -> str:
    """The smallest level whose budget holds the asked one, else the highest."""
    ranked = sorted((budgets or DEFAULT_BUDGETS).items(), key=lambda item: item[1])
    return next((level for level, size in ranked if size >= budget), ranked[-1][0])


# (dialect, control) -> body path -> what stands there; these two stand for the values.
_LEVEL: Final = "<level>"
_BUDGET: Final = "<budget>"
_ON: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("chat", "effort"): {"reasoning_effort": _LEVEL},
    ("chat", "budget"): {"thinking.type": "enabled", "thinking.budget_tokens": _BUDGET},
    ("chat", "adaptive"): {"thinking.type": "adaptive", "reasoning_effort": _LEVEL},
    ("chat", "toggle"): {"thinking.type": "enabled"},
    ("responses", "effort"): {"reasoning.effort": _LEVEL},
    ("responses", "budget"): {"reasoning.max_tokens": _BUDGET},
    ("responses", "adaptive"): {"reasoning.enabled": True, "reasoning.effort": _LEVEL},
    ("responses", "toggle"): {"reasoning.enabled": True},
    ("messages", "effort"): {"output_config.effort": _LEVEL},
    ("messages", "budget"): {"thinking.type": "enabled", "thinking.budget_tokens": _BUDGET},
    ("messages", "adaptive"): {"thinking.type": "adaptive", "output_config.effort": _LEVEL},
    # the budget is ignored there, but validators modelled on Messages ask for one
    ("messages", "toggle"): {"thinking.type": "enabled", "thinking.budget_tokens": _BUDGET},
}
_OFF: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("chat", "effort"): {"reasoning_effort": _LEVEL},
    ("chat", "budget"): {"thinking.type": "disabled"},
    ("chat", "adaptive"): {"thinking.type": "disabled"},
    ("chat", "toggle"): {"thinking.type": "disabled"},
    ("responses", "effort"): {"reasoning.effort": _LEVEL},
    ("responses", "budget"): {"reasoning.enabled": False},
    ("responses", "adaptive"): {"reasoning.enabled": False},
    ("responses", "toggle"): {"reasoning.enabled": False},
    ("messages", "effort"): {"output_config.effort": _LEVEL},
    ("messages", "budget"): {"thinking.type": "disabled"},
    ("messages", "adaptive"): {"thinking.type": "disabled"},
    ("messages", "toggle"): {"thinking.type": "disabled"},
}
# Every path by which a body of the dialect may ask: what a skin's form does not set is left out.
OWNED: Final[dict[str, tuple[str, ...]]] = {
    "chat": (
        "reasoning_effort",
        "reasoning.effort",
        "reasoning.max_tokens",
        "reasoning.enabled",
        "thinking.type",
        "thinking.budget_tokens",
    ),
    "responses": ("reasoning.effort", "reasoning.max_tokens", "reasoning.enabled"),
    "messages": ("thinking.type", "thinking.budget_tokens", "output_config.effort"),
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the form for one candidate depends on."""

    dialect: str
    ask: Ask
    forced: bool
    keep_level: bool
    group_default: str | None
    budgets: Mapping[str, int]
    # output cap on the wire
    cap: int | None
    # top-level keys of the body
    sent: Container[str]
    # signatures of a turn that is still going on were left out: Messages refuses budgets then
    broken_turn: bool = False


class Form(msgspec.Struct, frozen=True):
    """Body paths to set, all other owned ones going; None leaves the body as it is.

    `asked`: reasoning is on the wire because the caller wanted it.
    """

    paths: dict[str, Any] | None = None
    dropped: tuple[str, ...] = ()
    asked: bool = False


_AS_IT_IS: Final = Form()


def form(wanted: Wanted, skin: Reasoning | None) -> Form:
    """How the ask, or else the default, is written for a skin."""
    ask = wanted.ask
    if skin is None:
        return _without(wanted)
    if ask.off:
        return _switched_off(wanted, skin)
    if ask.level is not None:
        return _level(wanted, skin, ask.level)
    if ask.thinking is not None:
        return _thinking_alone(wanted, skin)
    return _default(wanted, skin)


def _without(wanted: Wanted) -> Form:
    """A skin without reasoning: nothing of it is sent; that it is off needs no saying."""
    ask = wanted.ask
    if ask.off:
        disabled = ask.thinking == "disabled" and wanted.dialect == "messages"
        return Form({"thinking.type": "disabled"} if disabled else {})
    if ask == NOTHING_ASKED:
        return _AS_IT_IS
    return _dropped(ask)


def _dropped(ask: Ask) -> Form:
    return Form({}, (f"reasoning.{ask.level}" if ask.level else "thinking",))


def _switched_off(wanted: Wanted, skin: Reasoning) -> Form:
    level = _sent(skin, "none")
    if skin.control == "effort" and level is None:
        if wanted.ask.level is None and wanted.dialect == "messages":
            return _AS_IT_IS  # `thinking: disabled` is a word every Messages endpoint knows
        return _dropped(wanted.ask)
    if wanted.dialect == "messages" and skin.control in ("adaptive", "effort"):
        return _AS_IT_IS  # an effort beside `disabled` governs the answer, not the thinking
    return Form(_fill(_OFF, wanted, skin, level or "none", None))


def _level(wanted: Wanted, skin: Reasoning, level: str) -> Form:
    ask = wanted.ask
    sent = _sent(skin, level)
    if sent is None or not wanted.keep_level:
        adaptive = skin.control == "adaptive" and ask.thinking is not None
        return Form({"thinking.type": "adaptive"} if adaptive else {}, _dropped(ask).dropped)
    budget = _budget(wanted, skin, sent, ask.budget if sent == level else None)
    if skin.control == "budget":
        silent = ask.thinking is None and wanted.dialect == "messages"
        # Messages takes no thinking beside a forced tool; an effort alone did not ask for it
        if budget is None or (silent and wanted.forced):
            return _dropped(ask)
    paths = _fill(_ON, wanted, skin, sent, budget)
    if wanted.dialect == "messages" and ask.thinking is None and skin.control == "adaptive":
        del paths["thinking.type"]  # the caller's own words are in this skin's form already
    return Form(paths, asked=True)


def _thinking_alone(wanted: Wanted, skin: Reasoning) -> Form:
    """Thinking without a level: switchable skins are switched on, others take the default."""
    level = _default_level(wanted, skin)
    budget = _budget(wanted, skin, level, None) if level else None
    if skin.control in ("adaptive", "toggle"):
        return Form(_fill(_ON, wanted, skin, None, budget), asked=True)
    if level in (None, "none") or (skin.control == "budget" and budget is None):
        return _dropped(wanted.ask)
    return Form(_fill(_ON, wanted, skin, level, budget), asked=True)


def _default(wanted: Wanted, skin: Reasoning) -> Form:
    level = _default_level(wanted, skin)
    if level is None or wanted.forced or any(name in wanted.sent for name in skin.rejects):
        return _AS_IT_IS
    if level == "none":
        return Form(_fill(_OFF, wanted, skin, level, None))
    budget = _budget(wanted, skin, level, None)
    if skin.control == "budget" and budget is None:
        return _AS_IT_IS
    return Form(_fill(_ON, wanted, skin, level, budget))


def _sent(skin: Reasoning, level: str) -> str | None:
    """The level that goes on the wire for an asked one."""
    if level in skin.levels:
        return level
    return dict(skin.map).get(level)


def _default_level(wanted: Wanted, skin: Reasoning) -> str | None:
    """The group's default in the skin's own words, else the skin's own default."""
    sent = _sent(skin, wanted.group_default) if wanted.group_default else None
    return sent or skin.default


def _budget(wanted: Wanted, skin: Reasoning, level: str, as_written: int | None) -> int | None:
    """Tokens to think with, inside the skin's bounds and below the cap; None: no room."""
    if wanted.broken_turn:
        return None
    named = (wanted.budgets or DEFAULT_BUDGETS).get(level, DEFAULT_BUDGETS.get(level, MIN_BUDGET))
    tokens = named if as_written is None else as_written
    least = MIN_BUDGET if skin.min_budget is None else skin.min_budget
    tokens = max(tokens, least)
    if skin.max_budget is not None:
        tokens = min(tokens, skin.max_budget)
    if wanted.cap is not None:
        tokens = min(tokens, wanted.cap - ANSWER_ROOM)
    return tokens if tokens >= least else None


def _fill(
    table: Mapping[tuple[str, str], Mapping[str, Any]],
    wanted: Wanted,
    skin: Reasoning,
    level: str | None,
    budget: int | None,
) -> dict[str, Any]:
    values = {_LEVEL: level, _BUDGET: budget}
    template = table[wanted.dialect, skin.control]
    filled = {path: values.get(value, value) for path, value in template.items()}
    return {path: value for path, value in filled.items() if value is not None}
