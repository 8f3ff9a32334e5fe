"""The frame of a Messages request: what both bridges write beside history and tools.

It knows the candidate and what both OpenAI dialects call alike, and no item or message of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runtime.bridges.body import ToolLists
from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.fields import Table
from runtime.bridges.parts import Lost, Where, malformed
from runtime.bridges.to_messages.blocks import Block, Blocks
from runtime.bridges.to_messages.cache import limit_breakpoints, set_breakpoints
from runtime.bridges.to_messages.schema import strict
from runtime.bridges.to_messages.tools import Toolset, offers_of
from runtime.bridges.to_messages.turns import Turns
from runtime.dialects.decode import too_deep
from runtime.dialects.parts import Content
from runtime.errors import CallerError
from runtime.opaque import unwrap
from runtime.vocabulary import JSON_SCHEMA, PREFILL

# Values that say what is so anyway: leaving them out loses nothing.
_NEUTRAL: Final[dict[str, Any]] = {
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logit_bias": {},
    "metadata": {},
    "modalities": ["text"],
    "truncation": "disabled",
}
# OpenAI's service tiers -> those of Messages; the others buy what Messages does not sell.
_TIERS: Final = {"auto": "auto", "default": "standard_only"}
# Who the request is for, the better name first; Anthropic takes no longer id.
_USERS: Final = ("safety_identifier", "user")
_MAX_USER: Final = 256
_HOTTEST: Final = 1


class Frame:
    """One request while it is being written.

    `lost` collects what is left out; `given` are the fields of the body.
    """

    def __init__(
        self, body: Mapping[str, Any], crossing: Crossing, table: Table, thinking_name: str
    ) -> None:
        skin = crossing.step.skin
        self.given = dict(body)
        self.lost: Lost = dict.fromkeys(
            name
            for name in table.lost(self.given)
            if name not in _NEUTRAL or self.given[name] != _NEUTRAL[name]
        )
        self.crossing = crossing
        self.blocks = Blocks(self.lost, marks=skin.prompt_cache == "explicit")
        self.turns = Turns(self.lost, thinking_name, keep_system=skin.system_turns == "keep")
        self.top: dict[str, Any] = {}
        self._echoes = skin.reasoning is None or skin.reasoning.echo != "forbidden"

    def toolset(self, lists: ToolLists) -> Toolset:
        """The tools of the body. Raises CallerError."""
        step = self.crossing.step
        can_be_strict = bool(step.features & JSON_SCHEMA)
        marks = step.skin.prompt_cache == "explicit"
        try:
            offers = offers_of(lists, strict=can_be_strict, marks=marks)
        except RecursionError:
            raise too_deep() from None
        return Toolset(offers, self.blocks)

    # --- history -------------------------------------------------------------------------------

    def system_blocks(self, content: Content | msgspec.Raw, where: Where) -> list[Block]:
        """Words of who set the model up: only texts can be that."""
        read = self.blocks.read(content, where)
        texts = [block for block in read if block["type"] == "text"]
        if len(texts) < len(read):
            gone = (block["type"] for block in read if block["type"] != "text")
            self.lost.update((f"system.content[type={kind}]", None) for kind in gone)
        return texts

    def proof(self, envelope: Any) -> Mapping[str, Any] | None:
        """What an envelope proves to this candidate: a `signature`, or `redacted` thinking.

        None for another domain's, and where the skin wants no thinking back.
        """
        opaque = unwrap(envelope, self.crossing.domain) if isinstance(envelope, str) else None
        if opaque is None or opaque.dialect != "messages" or not self._echoes:
            return None
        known = (opaque.data.get(name) for name in ("signature", "redacted"))
        return opaque.data if any(isinstance(value, str) for value in known) else None

    def think(self, proof: Mapping[str, Any], text: str) -> None:
        """Puts thinking back into the history as its maker wrote it."""
        if "signature" in proof:
            self.turns.think(
                {"type": "thinking", "thinking": text, "signature": proof["signature"]}
            )
        else:
            self.turns.think({"type": "redacted_thinking", "data": proof["redacted"]})

    # --- options -------------------------------------------------------------------------------

    def write_format(self, form: Any, where: str) -> None:
        """Structured output. Raises CallerError for a format that Messages has no word for."""
        kind = form.get("type") if isinstance(form, dict) else None
        if kind == "json_schema":
            nested = form.get("json_schema")
            self._write_schema(nested if isinstance(nested, dict) else form, where)
        elif kind == "json_object":
            message = f"`{where}`: this target has no `json_object`. Send a `json_schema`."
            raise CallerError("invalid-request", message, param=where)
        elif kind not in (None, "text"):
            self.lost[where] = None

    def _write_schema(self, spec: dict[str, Any], where: str) -> None:
        if not isinstance(spec.get("schema"), dict):
            raise malformed(f"{where}.schema", "a JSON Schema")
        schema = strict(spec["schema"])
        if spec.get("description") and "description" not in schema:
            schema["description"] = spec["description"]
        self.top["output_config"] = {"format": {"type": "json_schema", "schema": schema}}

    def _write_options(self) -> None:
        given, top = self.given, self.top
        cap = self.crossing.reading.shape.cap
        if cap is not None:
            top["max_tokens"] = cap
        if "temperature" in given:
            top["temperature"] = self._temperature(given["temperature"])
        for name in ("top_p", "top_k"):
            if name in given and name not in self.lost:
                top[name] = given[name]
        if "service_tier" in given:
            asked = given["service_tier"]
            tier = _TIERS.get(asked) if isinstance(asked, str) else None
            if tier is not None:
                top["service_tier"] = tier
            else:
                self.lost["service_tier"] = None
        self._write_user()
        if self.crossing.reading.stream:
            top["stream"] = True

    def _temperature(self, asked: float) -> float:
        """OpenAI goes up to 2, Messages to 1."""
        sent = min(max(asked, 0), _HOTTEST)
        if sent != asked:
            self.lost[f"temperature:{sent}"] = None
        return sent

    def _write_user(self) -> None:
        for name in _USERS:
            user = self.given.get(name)
            if user is None:
                continue
            fits = isinstance(user, str) and 0 < len(user) <= _MAX_USER
            if fits and "metadata" not in self.top:
                self.top["metadata"] = {"user_id": user}
            elif user:
                self.lost[name] = None

    # --- the request ---------------------------------------------------------------------------

    def finish(self, tools: Toolset, where: str, echo: Mapping[str, Any] | None = None) -> Crossed:
        """The request. `where` is the field of the history.

        Raises CallerError for a history without a word.
        """
        turns = self.turns.finish(prefill=bool(self.crossing.step.features & PREFILL))
        if not turns:
            raise malformed(where, "a conversation with at least one text, image or document")
        if self.turns.system:
            self.top["system"] = self.turns.system
        self.top["messages"] = turns
        given = self.given
        tools.write(
            self.top, given.get("tool_choice"), given.get("parallel_tool_calls"), self.turns.called
        )
        self._write_options()
        if self.blocks.marked:
            limit_breakpoints(self.top, self.lost)
        elif self.crossing.step.skin.prompt_cache == "explicit":
            set_breakpoints(self.top)
        return Crossed(
            top=self.top,
            dropped=tuple(self.lost),
            tools=tools.names,
            echo=echo or {},
            broken_turn=self.turns.goes_on_without_thinking(turns),
        )
