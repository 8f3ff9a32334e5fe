"""Small pieces that requests of all dialects have in some form: data URLs, texts, arguments.

It knows no history and no field table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runtime.bridges.body import Text, words
from runtime.errors import CallerError

# What was left out, by its name in the caller's words, each once and in order.
Lost = dict[str, None]
# A JSON path as its steps: it is put together where somebody is told of it, which is seldom.
Where = str | tuple[Any, ...]

# Fixed texts, the same for every request, so that a history keeps its bytes from turn to turn.
# The user turn behind a trailing assistant turn, where the upstream cannot go on with its text.
GO_ON: Final = "Continue from where your last message ends."
# The result of a call whose own result is not in the history; most upstreams refuse a call without.
NO_RESULT: Final = "No result was recorded for this call."
# Stands before the text of a result that the caller marked as failed.
FAILED: Final = "[tool error] "

# How these are named in the trace.
PREFILL: Final = "prefill"
MISSING_RESULT: Final = "tool_result:missing"
# Begins a line of Claude Code's system text that differs from session to session: nobody but
# Anthropic reads it, and it would spoil the prompt cache of everybody else.
BILLING: Final = "x-anthropic-billing-header"
_BILLING_SPELT: Final = f'"{BILLING}'.encode()

# What the answer to a Responses request repeats of it, but for tools and instructions: they are
# long, and whoever sent them has them.
_ECHOED: Final = (
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
)

# Longer names of parts and items than there are: nobody's text gets into a trace.
_MAX_KIND: Final = 40
_ENCODER: Final = msgspec.json.Encoder()


def echoed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a Responses request that its answer repeats."""
    return {name: body[name] for name in _ECHOED if body.get(name) is not None}


def data_url(media_type: str, data: str) -> str:
    """Base64 data as a URL (RFC 2397)."""
    return f"data:{media_type};base64,{data}"


def split_data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 data; None for an address."""
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    if not comma or not head.lower().endswith(";base64"):
        return None
    return head[:-7].partition(";")[0].lower(), data


def text_of(content: Any) -> str:
    """The plain text of a content that is a string or parts with `text`; parts are joined."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, Mapping))
    return "\n".join(text for text in texts if isinstance(text, str) and text)


def without_billing(text: Text) -> Text:
    """A system text without Claude Code's billing line, if it begins with one."""
    if isinstance(text, msgspec.Raw) and _begins(text) != _BILLING_SPELT:
        return text
    told = words(text)
    return told.partition("\n")[2] if told.startswith(BILLING) else text


def _begins(text: msgspec.Raw) -> memoryview:
    return memoryview(text)[: len(_BILLING_SPELT)]


def input_description(form: Any) -> str:
    """What a custom tool's input must be, in words, for a function that stands in for it.

    `form` is the tool's `format`: absent, `{type: text}`, or a grammar, flat as in Responses or
    nested as in Chat.
    """
    if not isinstance(form, Mapping) or form.get("type") != "grammar":
        return "The input of the tool, as plain text."
    grammar = form.get("grammar")
    grammar = grammar if isinstance(grammar, Mapping) else form
    return (
        f"The input of the tool, as plain text that follows this {grammar.get('syntax')} grammar:\n"
        f"{grammar.get('definition')}"
    )


def legible(value: Any) -> str:
    """What a model can read of a result that only its provider's dialect has words for: JSON
    without ciphers and raw bytes.
    """
    return value if isinstance(value, str) else _ENCODER.encode(_pruned(value)).decode()


def _pruned(value: Any) -> Any:
    if isinstance(value, list):
        return [_pruned(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    sealed = {"data", "media_type"} if value.get("type") == "base64" else set()
    return {
        key: _pruned(inner)
        for key, inner in value.items()
        if key not in sealed and not key.startswith("encrypted_") and inner is not None
    }


def kind_of(value: Mapping[str, Any]) -> str:
    """The type word of a part or an item, as a trace may have it."""
    return named(value.get("type"))


def named(kind: Any) -> str:
    """A type word as a trace may have it."""
    is_word = isinstance(kind, str) and len(kind) <= _MAX_KIND and kind.isidentifier()
    return kind if is_word else "unknown"


def malformed(where: Where, expected: str) -> CallerError:
    """A body that cannot be read where it has to be, at a JSON path."""
    place = path(where)
    return CallerError("invalid-request", f"`{place}` must be {expected}.", param=place)


def path(where: Where) -> str:
    """A JSON path in words; `(way, "content", 3)` goes on from where `way` leads to."""
    if isinstance(where, str):
        return where
    way, *steps = where
    return path(way) + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps)
