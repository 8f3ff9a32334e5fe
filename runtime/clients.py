"""Which client is calling, as one of a closed list of labels, told from its `user-agent`.

A label for rows and metrics alone: routing, shapes and rights never look at it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runtime.edge.call import Call

OTHER: Final = "other"
# label -> the products it names itself by. The first product of the header that is known wins:
# clients name themselves before the libraries they are made of.
_PRODUCTS: Final[dict[str, str]] = {
    "codex": r"codex[\w-]*",
    "claude-code": r"claude-(?:cli|code)",
    "opencode": r"opencode",
    "aider": r"aider(?:-chat)?",
    "cursor": r"cursor",
    "cline": r"cline",
    # the CLI's build shortens the name of the SDK inside it
    "continue": r"continue(?:dev)?|ls/js",
    "copilot": r"copilot|githubcopilot\w*|github-copilot[\w-]*",
    "windsurf": r"windsurf|codeium",
    "openclaw": r"openclaw",
    "roo": r"roo[ -]?code|roo",
    "zed": r"zed",
    "sdk-openai": r"(?:async)?openai/(?:python|js|node)",
    "sdk-anthropic": r"(?:async)?anthropic/(?:python|js|typescript)",
    "curl": r"curl",
}
CLIENTS: Final[tuple[str, ...]] = (*_PRODUCTS, OTHER)
_LABELS: Final = tuple(_PRODUCTS)
_PRODUCT: Final = re.compile(
    rf"(?<![\w./-])(?:{'|'.join(f'({names})' for names in _PRODUCTS.values())})[/ ]\d"
)
_READ: Final = 256  # bytes; who has not said it by then does not say it


def client_of(call: Call) -> str:
    """The label of a call's client, found once for all equal heads of a connection."""
    found: str | None = call.known.get("client")
    if found is None:
        found = call.known["client"] = client_named(call.headers.get(b"user-agent", b""))
    return found


def client_named(user_agent: bytes) -> str:
    """The label for a `user-agent`."""
    match = _PRODUCT.search(user_agent[:_READ].lower().decode("latin-1"))
    if match is None or match.lastindex is None:
        return OTHER
    return _LABELS[match.lastindex - 1]
