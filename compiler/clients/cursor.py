"""The requests of Cursor on the Chat path, sent by its own servers; it knows no deployment."""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent, text
from compiler.model import ClientProfile

CURSOR: Final = ClientProfile(
    id="cursor",
    surface="chat",
    shapes=(
        agent(source="documented: agent mode, a model name that is nobody's brand"),
        text("ask", "stream", source="documented: the chat panel may send no tools"),
        text("verify", input_tokens=100, source="documented: the check in its settings"),
        # Names like OpenAI's bring a Responses body to the Chat path, its patch tool among them.
        agent(
            "tools.custom",
            name="openai-name",
            source="documented: agent mode, a model name with `gpt` in it",
        ),
        agent("image.inline", name="image", source="documented: pictures in agent mode"),
    ),
)
