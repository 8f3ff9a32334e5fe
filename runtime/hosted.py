"""Tools that a provider runs itself: one word for each kind, and what the deployment says of it.

It knows no dialect; where such a tool stands in a body is the dialects' business.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from runtime.errors import CallerError
from runtime.vocabulary import HOSTED

Policy = Literal["prefer", "strip", "refuse", "need"]
DEFAULT_POLICY: Final[Policy] = "need"

# web_search_20250305, web_search_preview_2025_03_11, computer-use-preview, openrouter:web_search
_SUFFIX: Final = re.compile(r"(?:_(?:preview|\d{8}|\d{4}_\d{2}_\d{2}))+$")
# Type words that a provider extends, e.g. `tool_search_tool_bm25`, `computer_use`.
_FAMILIES: Final = ("bash", "text_editor", "computer", "memory", "tool_search", "mcp")
_OTHER: Final = "other"
# Longer than any type there is: no work is done on what somebody made up.
_MAX_KIND: Final = 64

# Body fields that are a hosted tool although they do not stand in `tools`.
FIELDS: Final = {"web_search_options": "web_search", "mcp_servers": "mcp"}


def normalise(kind: str) -> str:
    """The one word for a hosted tool type, whatever date or `preview` its provider adds."""
    if len(kind) > _MAX_KIND:
        return _OTHER
    word = _SUFFIX.sub("", kind.rpartition(":")[2].replace("-", "_"))
    if word in HOSTED:
        return word
    for family in _FAMILIES:
        if word.startswith(family + "_"):
            return family
    return _OTHER


def policy_of(word: str, policies: dict[str, str]) -> str:
    """What the deployment says of a hosted tool: prefer, strip, refuse or need."""
    return policies.get(word, DEFAULT_POLICY)


def is_optional(policy: str) -> bool:
    """A request goes on without the tool where the chosen skin does not have it."""
    return policy in ("prefer", "strip")


def is_stripped(word: str, policy: str, features: int) -> bool:
    """Whether the tool is left out for a skin with these features."""
    return policy == "strip" or (policy == "prefer" and not features & HOSTED[word])


def to_strip(hosted: tuple[tuple[str, str], ...], features: int) -> frozenset[str]:
    """The types to leave out for a skin with these features."""
    return frozenset(word for word, policy in hosted if is_stripped(word, policy, features))


def forbidden(word: str, where: str) -> CallerError:
    """The error for a tool that this deployment lets no provider run."""
    return CallerError(
        "provider-hosted-tools-forbidden",
        f"`{where}` is a `{word}` tool, which providers may not run here. Remove it, or offer a "
        "function tool that your client runs itself.",
        param=where,
    )
