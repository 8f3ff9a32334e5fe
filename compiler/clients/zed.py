"""The requests of Zed, on Chat or by a switch of the model on Responses; it knows no deployment."""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent
from compiler.model import ClientProfile

_CHAT: Final = "documented: its compatible provider, read in its source"

ZED: Final = ClientProfile(
    id="zed",
    surface="chat",
    shapes=(
        agent(source=_CHAT),
        *(
            agent(f"reasoning.{level}", name=f"effort-{level}", source=_CHAT)
            for level in ("low", "medium", "high")
        ),
        agent("image.inline", name="image", source=_CHAT),
    ),
)

ZED_RESPONSES: Final = ClientProfile(
    id="zed-responses",
    surface="responses",
    shapes=(agent(source="documented: a model with `chat_completions: false`"),),
)
