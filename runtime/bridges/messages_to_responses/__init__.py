"""From Messages to Responses: Claude Code and its like on a Responses target."""

from __future__ import annotations

from runtime.bridges.messages_to_responses.fields import TABLE
from runtime.bridges.messages_to_responses.request import request

__all__ = ["TABLE", "request"]
