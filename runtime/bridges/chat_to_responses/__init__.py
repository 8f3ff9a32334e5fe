"""From Chat to Responses: opencode, aider and their like on a Responses target."""

from __future__ import annotations

from runtime.bridges.chat_to_responses.fields import TABLE
from runtime.bridges.chat_to_responses.request import request

__all__ = ["TABLE", "request"]
