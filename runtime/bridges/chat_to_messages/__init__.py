"""From Chat to Messages: opencode, aider and their kin on a target of Anthropic's dialect."""

from __future__ import annotations

from runtime.bridges.chat_to_messages.fields import TABLE
from runtime.bridges.chat_to_messages.request import request

__all__ = ["TABLE", "request"]
