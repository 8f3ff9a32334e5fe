"""What items of a Responses request are, for both bridges that read them.

It knows the words of Responses and nothing of where they go.
"""

from __future__ import annotations

from typing import Final

from runtime.dialects.responses.read import Item

# Roles of who set the model up.
SYSTEM: Final = ("system", "developer")
# Tools of a provider's making that the client runs: item -> name of the tool, its arguments.
CLIENT_RUN: Final = {
    "local_shell_call": ("local_shell", "action"),
    "shell_call": ("shell", "action"),
    "apply_patch_call": ("apply_patch", "operation"),
    "computer_call": ("computer", "action"),
}
# Tools a provider ran: item -> name of the tool, its arguments, its result.
SERVER_RUN: Final = {
    "mcp_call": ("mcp", "arguments", "output"),
    "code_interpreter_call": ("code_interpreter", "code", "outputs"),
    "file_search_call": ("file_search", "queries", "results"),
}
# Nothing of these is said; their tools are read with the others.
BRINGS_TOOLS: Final = frozenset(("additional_tools", "tool_search_output"))


def kind_of(item: Item) -> str:
    """The type of an item; a message and a reference may come without."""
    if item.type is not None:
        return item.type
    return "item_reference" if item.role is None and item.content is None else "message"
