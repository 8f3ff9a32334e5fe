"""From Responses to Messages: Codex and its kin on a target of Anthropic's dialect."""

from __future__ import annotations

from runtime.bridges.responses_to_messages.fields import TABLE
from runtime.bridges.responses_to_messages.request import request

__all__ = ["TABLE", "request"]
