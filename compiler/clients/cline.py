"""The requests of Cline on Chat; it knows no deployment."""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent
from compiler.model import ClientProfile

_TOOLS: Final = 25

CLINE: Final = ClientProfile(
    id="cline",
    surface="chat",
    version="3.0.65",
    shapes=(
        agent(tools=_TOOLS, source="documented: a run of 3.0.65, native tool calls, no cap"),
        *(
            agent(
                f"reasoning.{level}",
                name=f"effort-{level}",
                tools=_TOOLS,
                source="documented: a run of 3.0.65 with `--thinking`",
            )
            for level in ("low", "medium", "high")
        ),
    ),
)
