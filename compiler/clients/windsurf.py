"""The requests of Windsurf on Chat; reports disagree on whether it takes an own base URL at all."""

from __future__ import annotations

from typing import Final

from compiler.clients.documented import agent
from compiler.model import ClientProfile

WINDSURF: Final = ClientProfile(
    id="windsurf",
    surface="chat",
    shapes=(agent(source="documented: an agent's plain turn is assumed; nobody has seen one"),),
)
