"""What stands around the history of a Responses request: limits, formats, reasoning, state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.fields import Table
from runtime.bridges.parts import Lost
from runtime.bridges.to_responses.history import History
from runtime.bridges.to_responses.tools import Toolset
from runtime.opaque import unwrap

ENCRYPTED_REASONING: Final = "reasoning.encrypted_content"
LOGPROBS: Final = "message.output_text.logprobs"
# The smallest cap OpenAI takes on Responses.
_MIN_CAP: Final = 16
# The name of a schema whose caller gave none.
_SCHEMA_NAME: Final = "answer"


def carried(table: Table, body: Mapping[str, Any]) -> dict[str, Any]:
    """The top-level fields that have the same name and meaning on both sides."""
    return {name: body[name] for name in table.carried if body.get(name) is not None}


def left_out(table: Table, body: Mapping[str, Any]) -> Lost:
    """The top-level fields that do not cross."""
    return dict.fromkeys(table.lost(body))


def crossed(
    top: dict[str, Any],
    history: History,
    tools: Toolset,
    crossing: Crossing,
    lost: Lost,
    include: Iterable[str] = (),
) -> Crossed:
    """The finished request: history, tools, and what is the same for every caller."""
    history.write(top, crossing.step)
    if tools:
        top["tools"] = tools.written
    else:
        top.pop("parallel_tool_calls", None)
    # nothing is kept upstream: who gets the next turn is decided anew
    top["store"] = False
    if crossing.reading.stream:
        top["stream"] = True
    wanted = list(include)
    if crossing.step.skin.reasoning is not None:
        wanted.append(ENCRYPTED_REASONING)
    if wanted:
        top["include"] = wanted
    return Crossed(top=top, dropped=tuple(lost), tools=tools.names)


def write_cap(top: dict[str, Any], cap: Any, lost: Lost) -> None:
    """The output cap, not below what OpenAI takes."""
    if not isinstance(cap, int):
        return
    top["max_output_tokens"] = max(cap, _MIN_CAP)
    if cap < _MIN_CAP:
        lost[f"max_output_tokens:{_MIN_CAP}"] = None


def write_summary(top: dict[str, Any], crossing: Crossing, asked: Any = None) -> None:
    """Asks for readable reasoning where the caller wants reasoning; its level is written later."""
    reading, skin = crossing.reading, crossing.step.skin.reasoning
    wanted = reading.level is not None or reading.thinking is not None
    if skin is not None and skin.summaries and wanted and not reading.thinking_off:
        top["reasoning"] = {"summary": asked if isinstance(asked, str) else "auto"}


def restored(proof: Any, text: Any, crossing: Crossing) -> dict[str, Any] | None:
    """The reasoning item inside an envelope of this domain; None for anything else.

    Also None where the candidate takes no reasoning back.
    """
    skin = crossing.step.skin.reasoning
    if skin is None or skin.echo == "forbidden" or not isinstance(proof, str):
        return None
    opaque = unwrap(proof, crossing.domain)
    if opaque is None or opaque.dialect != "responses" or "encrypted_content" not in opaque.data:
        return None
    summary = [{"type": "summary_text", "text": text}] if isinstance(text, str) and text else []
    return {"type": "reasoning", **opaque.data, "summary": summary}


# --- structured output -------------------------------------------------------------------------


def schema_format(given: Mapping[str, Any], strict: bool) -> dict[str, Any]:
    """A JSON schema as the format of the answer. `given` has `schema`, and may name it."""
    written = {
        "type": "json_schema",
        "name": given.get("name") or _SCHEMA_NAME,
        "schema": given.get("schema") or {"type": "object"},
        "strict": strict,
    }
    if description := given.get("description"):
        written["description"] = description
    return written


# What strict schemas of OpenAI may be made of; one that has more is sent as a wish.
_STRICT_KEYS: Final = frozenset(
    ("type", "properties", "required", "additionalProperties", "items", "enum", "const", "title")
) | {"description"}
_MAX_DEPTH: Final = 5


def is_strict(schema: Any, depth: int = 0) -> bool:
    """Whether OpenAI can hold a model to a schema: closed objects without optional members.

    Messages holds models to every schema; OpenAI refuses strict ones with more than it knows.
    """
    if not isinstance(schema, dict) or depth > _MAX_DEPTH or schema.keys() - _STRICT_KEYS:
        return False
    members = schema.get("properties", {})
    if schema.get("type") == "object":
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or not isinstance(members, dict):
            return False
        if not isinstance(required, list) or sorted(map(str, required)) != sorted(members):
            return False
    inner = [*members.values()]
    if schema.get("type") == "array":
        inner.append(schema.get("items"))
    return all(is_strict(part, depth + 1) for part in inner)
