"""What the two bridges to Chat Completions share: parts, the conversation, tools.

It knows no field table and no order of items; those stand in the bridges.
"""

from __future__ import annotations

from runtime.bridges.to_chat.history import History
from runtime.bridges.to_chat.tools import Choice, Tool, Toolset, toolset, write_tools

__all__ = ["Choice", "History", "Tool", "Toolset", "toolset", "write_tools"]
