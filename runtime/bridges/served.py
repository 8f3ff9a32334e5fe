"""The six bridges as one table: each leads from the caller's dialect to another upstream."""

from __future__ import annotations

from typing import Final

import msgspec

from runtime.bridges import (
    chat_to_messages,
    chat_to_responses,
    messages_to_chat,
    messages_to_responses,
    responses_to_chat,
    responses_to_messages,
)
from runtime.bridges.crossing import Request
from runtime.bridges.fields import Table


class Bridge(msgspec.Struct, frozen=True):
    """What becomes of each field, and the function that does it."""

    table: Table
    request: Request


BRIDGES: Final[dict[str, Bridge]] = {
    module.TABLE.bridge: Bridge(module.TABLE, module.request)
    for module in (
        responses_to_chat,
        responses_to_messages,
        messages_to_chat,
        messages_to_responses,
        chat_to_messages,
        chat_to_responses,
    )
}
