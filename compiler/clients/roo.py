"""The requests of Roo Code on Chat; it knows no deployment."""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent
from compiler.model import ClientProfile, ClientShape

_PROVIDER: Final = "documented: its provider for compatible endpoints, read in its source"

ROO: Final = ClientProfile(
    id="roo",
    surface="chat",
    shapes=(
        agent(source=_PROVIDER),
        # streaming can be switched off in its settings
        ClientShape(
            name="unstreamed",
            needs=("tools",),
            input_tokens=12_000,
            core=False,
            tools=12,
            tool_schema_bytes=30_000,
            source=_PROVIDER,
        ),
        *(
            agent(f"reasoning.{level}", name=f"effort-{level}", source=_PROVIDER)
            for level in ("low", "medium", "high")
        ),
    ),
)
