"""What the coding agents send, a module per client; it knows nothing of any deployment.

Each shape was seen on the wire; its module names the version and the recording it was read from
(`captures/<client>/<case>`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from compiler.clients.aider import AIDER
from compiler.clients.claude_code import CLAUDE_CODE
from compiler.clients.codex import CODEX
from compiler.clients.opencode import OPENCODE
from compiler.model import ClientProfile

BUILT_IN: Final[Mapping[str, ClientProfile]] = MappingProxyType(
    {profile.id: profile for profile in (CODEX, CLAUDE_CODE, OPENCODE, AIDER)}
)

# Who speaks for a surface where a group promises it to nobody: its first shapes are the usual ones.
USUAL: Final[Mapping[str, str]] = MappingProxyType(
    {"responses": CODEX.id, "messages": CLAUDE_CODE.id, "chat": OPENCODE.id}
)
