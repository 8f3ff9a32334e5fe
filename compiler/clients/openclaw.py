"""The requests of OpenClaw on Chat (`api: openai-completions`); it knows no deployment."""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent
from compiler.model import ClientProfile

# `maxTokens` of the model in its settings, which it sends as `max_completion_tokens`.
_CAP: Final = 32_000

OPENCLAW: Final = ClientProfile(
    id="openclaw",
    surface="chat",
    shapes=(
        agent(cap=_CAP, source="documented: its page on model providers"),
        *(
            agent(
                f"reasoning.{level}",
                name=f"effort-{level}",
                cap=_CAP,
                source="documented: a model with `reasoning` in its settings",
            )
            for level in ("low", "medium", "high")
        ),
        agent(
            "image.inline",
            name="image",
            cap=_CAP,
            source="documented: a model with `image` in its `input`",
        ),
    ),
)
