"""What a program sends through the official SDKs as their examples show it; it knows no agent."""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent, text
from compiler.model import ClientProfile

_OPENAI: Final = "documented: a call of openai-python 2.54.0"
_ANTHROPIC: Final = "documented: a call of anthropic-python 2.11.0"
# The SDK wants `max_tokens`; its examples write this one.
_CAP: Final = 1_024

SDK_OPENAI: Final = ClientProfile(
    id="sdk-openai",
    surface="chat",
    version="2.54.0",
    shapes=(
        text("completion", source=_OPENAI),
        text("stream", "stream", source=_OPENAI),
        agent(name="tools", tools=1, input_tokens=1_000, core=False, source=_OPENAI),
        text("schema", "json.schema", core=False, source=_OPENAI),
        text("several", "multiple", core=False, source=_OPENAI),
    ),
)

SDK_ANTHROPIC: Final = ClientProfile(
    id="sdk-anthropic",
    surface="messages",
    version="2.11.0",
    shapes=(
        text("message", cap=_CAP, source=_ANTHROPIC),
        text("stream", "stream", cap=_CAP, source=_ANTHROPIC),
        agent(name="tools", tools=1, cap=_CAP, input_tokens=1_000, core=False, source=_ANTHROPIC),
        # structured output of other SDKs is a tool that must be called
        agent(
            "tools.forced",
            name="forced",
            tools=1,
            cap=4_096,
            input_tokens=1_000,
            source="documented: structured output of AI SDK 3.0.138",
        ),
    ),
)
