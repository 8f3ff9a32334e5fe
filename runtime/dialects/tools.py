"""What the tools of a body need, in any spelling a client mixes: nested, flat, custom, namespace.

Schemas are measured, never read. Which wire a list came from does not matter here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from runtime import hosted
from runtime.dialects.decode import ABSENT, decode, is_set
from runtime.repeats import Repeats, weight_of
from runtime.vocabulary import CUSTOM, FORCED, HOSTED, NAMESPACE, TOOLS

CLIENT_TOOLS: Final = TOOLS | CUSTOM | NAMESPACE


class Named(msgspec.Struct):
    """The nested half of a Chat tool or of a tool choice."""

    name: str | None = None


class Tool(msgspec.Struct, gc=False):
    """One entry of `tools`. A missing type is a client's function."""

    type: str | None = None
    name: str | None = None
    function: Named | None = None
    tools: list[Tool] | None = None
    input_schema: msgspec.Raw = ABSENT


class Choice(msgspec.Struct):
    """An object in `tool_choice`; `allowed_tools` is Chat's nested form of `mode` and `tools`."""

    type: str | None = None
    name: str | None = None
    mode: str | None = None
    tools: list[Tool] | None = None
    allowed_tools: Choice | None = None


ToolChoice = str | Choice | None
# The type of a tool -> what it needs; all others are tools that a provider runs.
Kinds = dict[str | None, int]

_TOOLS: Final = msgspec.json.Decoder(list[Tool] | None)

# In Messages the type of a client's own tool is `custom`; elsewhere that is a grammar tool.
KINDS: Final[Kinds] = {None: TOOLS, "function": TOOLS, "custom": CUSTOM, "namespace": NAMESPACE}
MESSAGES_KINDS: Final[Kinds] = {**KINDS, "custom": TOOLS}
_FORCING: Final = frozenset(("required", "any"))
_FREE: Final = frozenset(("auto", "none", "allowed_tools"))


# About what these facts take in memory without any word.
_FACTS_BYTES: Final = 200


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What one `tools` array says, before the deployment says anything of hosted tools."""

    size: int = 0
    needs: int = 0
    count: int = 0
    # each hosted word, with the path inside the array where it stands first
    hosted: tuple[tuple[str, str], ...] = ()
    # the custom tools that name themselves
    customs: frozenset[str] = frozenset()
    # spellings only one family of dialects has
    anthropic: bool = False
    openai: bool = False

    @property
    def weight(self) -> int:
        """About how many bytes it holds."""
        words = [word for pair in self.hosted for word in pair]
        return _FACTS_BYTES + weight_of(words) + weight_of(self.customs)


# What readers and bridges made of tools: an agent sends the same bytes with every request.
SEEN: Final = Repeats()


def flat_customs(raw: msgspec.Raw) -> frozenset[str]:
    """The custom tools of a `tools` array that name themselves, as those of Responses do."""
    return _facts(raw, "tools", KINDS).customs if is_set(raw) else frozenset()


class Toolbox(msgspec.Struct, gc=False):
    """Collects the tools of one body. `hosted` has each hosted word with its policy, in body order;
    `strip` the words a request may go without.
    """

    _policies: dict[str, str]
    _kinds: Kinds
    needs: int = 0
    count: int = 0
    size: int = 0
    hosted: tuple[tuple[str, str], ...] = ()
    strip: tuple[str, ...] = ()
    # spellings only one family of dialects has
    anthropic: bool = False
    openai: bool = False

    def add(self, raw: msgspec.Raw, where: str) -> None:
        """A `tools` array. Raises CallerError, also for a tool the deployment refuses."""
        if raw is ABSENT:
            return
        facts = _facts(raw, where, self._kinds)
        self.size += facts.size
        self.needs |= facts.needs
        self.count += facts.count
        self.anthropic = self.anthropic or facts.anthropic
        self.openai = self.openai or facts.openai
        for word, place in facts.hosted:
            self.add_hosted(word, where + place)

    def add_hosted(self, word: str, where: str) -> None:
        """A hosted tool. Raises CallerError for one that the deployment refuses."""
        policy = hosted.policy_of(word, self._policies)
        if policy == "refuse":
            raise hosted.forbidden(word, where)
        if policy == "need":
            self.needs |= HOSTED[word]
        if (word, policy) not in self.hosted:
            self.hosted += ((word, policy),)
            self.strip += (word,) if hosted.is_optional(policy) else ()

    def forced(self, choice: ToolChoice) -> bool:
        """Whether the choice leaves the model no way but a tool."""
        if choice is None:
            return False
        if isinstance(choice, str):
            return choice in _FORCING
        if choice.type == "allowed_tools":
            return (choice.allowed_tools or choice).mode in _FORCING
        return choice.type not in _FREE

    def forced_need(self, choice: ToolChoice) -> int:
        """FORCED, unless the forced tool is one that may be stripped, and its choice with it."""
        if not self.forced(choice):
            return 0
        if not self.strip:
            return FORCED
        if len(self.strip) == len(self.hosted) and not self.needs & CLIENT_TOOLS:
            return 0
        kind = choice.type if isinstance(choice, Choice) else None
        if kind is None or kind in self._kinds:
            return FORCED
        return 0 if hosted.normalise(kind) in self.strip else FORCED


# --- one array -----------------------------------------------------------------------------------


def _facts(raw: msgspec.Raw, where: str, kinds: Kinds) -> Facts:
    return SEEN.made((_read, kinds["custom"]), (raw,), lambda: _read(raw, where, kinds))


def _read(raw: msgspec.Raw, where: str, kinds: Kinds) -> Facts:
    tools = decode(_TOOLS, raw, where)
    if not tools:
        return Facts()
    needs = count = 0
    anthropic = openai = False
    found: dict[str, str] = {}
    for tool, holder, index in _each(tools, "", kinds):
        need = kinds.get(tool.type, 0)
        needs |= need
        count += need != NAMESPACE
        if tool.function is not None:
            openai = True
        elif tool.input_schema is not ABSENT:
            anthropic = True
        if not need:
            found.setdefault(hosted.normalise(tool.type or ""), f"{holder}[{index}]")
    return Facts(
        size=len(memoryview(raw)),
        needs=needs,
        count=count,
        hosted=tuple(found.items()),
        customs=frozenset([tool.name for tool in tools if tool.type == "custom" and tool.name]),
        anthropic=anthropic,
        openai=openai,
    )


def _each(tools: list[Tool], holder: str, kinds: Kinds) -> Iterator[tuple[Tool, str, int]]:
    """Every tool, with the path of its array and its place there; namespaces before their own."""
    for index, tool in enumerate(tools):
        yield tool, holder, index
        if tool.tools and kinds.get(tool.type) == NAMESPACE:
            yield from _each(tool.tools, f"{holder}[{index}].tools", kinds)
