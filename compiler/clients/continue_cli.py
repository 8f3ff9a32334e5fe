"""The requests of Continue, by the provider its settings name; it knows no deployment.

Under provider `openai` a model name like OpenAI's own goes to Responses instead of Chat.
"""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent
from compiler.model import ClientProfile

_VERSION: Final = "1.5.47"
_TOOLS: Final = 11

CONTINUE: Final = ClientProfile(
    id="continue",
    surface="chat",
    version=_VERSION,
    shapes=(
        agent(tools=_TOOLS, source="documented: a run of 1.5.47, provider `openai`"),
        agent(
            "image.inline",
            name="image",
            tools=_TOOLS,
            source="documented: models with the capability `image_input`",
        ),
    ),
)

CONTINUE_RESPONSES: Final = ClientProfile(
    id="continue-responses",
    surface="responses",
    version=_VERSION,
    shapes=(
        agent(
            tools=_TOOLS,
            source="documented: a run of 1.5.47, provider `openai`, a model named `gpt-5`",
        ),
    ),
)

CONTINUE_MESSAGES: Final = ClientProfile(
    id="continue-messages",
    surface="messages",
    version=_VERSION,
    shapes=(
        agent(
            cap=32_000,
            tools=_TOOLS,
            source="documented: a run of 1.5.47, provider `anthropic`",
        ),
    ),
)
