"""What the tools of a body need, in any spelling a client mixes: nested, flat, custom, namespace.

Schemas are measured, never read. Which wire a list came from does not matter here.
"""

from __future__ import annotations

from typing import Final

import msgspec

from runtime import hosted
from runtime.dialects.decode import ABSENT, decode, is_set
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

_TOOLS: Final = msgspec.json.Decoder(list[Tool] | None)

# In Messages the type of a client's own tool is `custom`; elsewhere that is a grammar tool.
KINDS: Final = {None: TOOLS, "function": TOOLS, "custom": CUSTOM, "namespace": NAMESPACE}
MESSAGES_KINDS: Final = {**KINDS, "custom": TOOLS}
_FORCING: Final = frozenset(("required", "any"))
_FREE: Final = frozenset(("auto", "none", "allowed_tools"))


def flat_customs(raw: msgspec.Raw) -> frozenset[str]:
    """The custom tools of a `tools` array that name themselves, as those of Responses do."""
    tools = decode(_TOOLS, raw, "tools") if is_set(raw) else None
    return frozenset(tool.name for tool in tools or () if tool.type == "custom" and tool.name)


class Toolbox(msgspec.Struct, gc=False):
    """Collects the tools of one body. `hosted` has each hosted word with its policy, in body order;
    `strip` the words a request may go without.
    """

    _policies: dict[str, str]
    _kinds: dict[str | None, int]
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
        if raw is not ABSENT and (tools := decode(_TOOLS, raw, where)):
            self.size += len(memoryview(raw))
            self._add(tools, where)

    def add_hosted(self, word: str, where: str) -> None:
        """A hosted tool that stands in a field of its own."""
        policy = hosted.policy_of(word, self._policies)
        if policy == "refuse":
            raise hosted.forbidden(word, where)
        if policy == "need":
            self.needs |= HOSTED[word]
        if (word, policy) not in self.hosted:
            self.hosted += ((word, policy),)
            self.strip += (word,) if hosted.is_optional(policy) else ()

    def _add(self, tools: list[Tool], where: str) -> None:
        for index, tool in enumerate(tools):
            need = self._kinds.get(tool.type, 0)
            self.needs |= need
            if tool.function is not None:
                self.openai = True
            elif tool.input_schema is not ABSENT:
                self.anthropic = True
            if need == NAMESPACE:
                self._add(tool.tools or [], f"{where}[{index}].tools")
                continue
            self.count += 1
            if not need:
                self.add_hosted(hosted.normalise(tool.type or ""), f"{where}[{index}]")

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
