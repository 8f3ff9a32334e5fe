"""Responses requests for Chat Completions upstreams."""

from __future__ import annotations

from runtime.bridges.responses_to_chat.fields import TABLE
from runtime.bridges.responses_to_chat.request import request

__all__ = ["TABLE", "request"]
