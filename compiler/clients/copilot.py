"""The requests of GitHub Copilot with a key of one's own, by its wire; it knows no deployment."""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent
from compiler.model import ClientProfile

_VERSION: Final = "1.0.102"
_TOOLS: Final = 17

COPILOT: Final = ClientProfile(
    id="copilot",
    surface="chat",
    version=_VERSION,
    shapes=(
        agent(tools=_TOOLS, source="documented: a run of the CLI 1.0.102, type `openai`"),
        agent(
            "reasoning.high",
            name="effort-high",
            tools=_TOOLS,
            source="documented: a run of the CLI 1.0.102 with `--effort high`",
        ),
        # a nested custom tool beside 15 functions, and a cap
        agent(
            "tools.custom",
            name="openai-name",
            cap=128_000,
            tools=16,
            source="documented: a run of the CLI 1.0.102 with a model named `gpt-5.4`",
        ),
    ),
)

COPILOT_RESPONSES: Final = ClientProfile(
    id="copilot-responses",
    surface="responses",
    version=_VERSION,
    shapes=(
        agent(tools=_TOOLS, source="documented: a run of the CLI 1.0.102, wire `responses`"),
        # `store: true` and `previous_response_id`; refused, it sends the whole conversation again
        agent(
            "stateful",
            name="editor",
            tools=_TOOLS,
            source="documented: the editor's custom endpoint, read in its source",
        ),
    ),
)

COPILOT_MESSAGES: Final = ClientProfile(
    id="copilot-messages",
    surface="messages",
    version=_VERSION,
    shapes=(
        agent(
            cap=8_192,
            tools=_TOOLS,
            source="documented: a run of the CLI 1.0.102, type `anthropic`",
        ),
    ),
)
