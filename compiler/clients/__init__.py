"""What the coding agents send, a module per client; it knows nothing of any deployment.

Each shape names where it was seen: a recording (`captures/<client>/<case>`, kept with the tests,
which hold the shape against it), or in words what is known where there is none. A client that
speaks several dialects has a profile for each, named after the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from compiler.clients.aider import AIDER
from compiler.clients.claude_code import CLAUDE_CODE
from compiler.clients.cline import CLINE
from compiler.clients.codex import CODEX
from compiler.clients.continue_cli import CONTINUE, CONTINUE_MESSAGES, CONTINUE_RESPONSES
from compiler.clients.copilot import COPILOT, COPILOT_MESSAGES, COPILOT_RESPONSES
from compiler.clients.cursor import CURSOR
from compiler.clients.openclaw import OPENCLAW
from compiler.clients.opencode import OPENCODE, OPENCODE_MESSAGES, OPENCODE_RESPONSES
from compiler.clients.roo import ROO
from compiler.clients.sdks import SDK_ANTHROPIC, SDK_OPENAI
from compiler.clients.windsurf import WINDSURF
from compiler.clients.zed import ZED, ZED_RESPONSES
from compiler.model import ClientProfile

# Judged in every group: the agents each version is tried with. Others are where somebody promises
# or uses them, or a lock would say the same thing many times over.
ALWAYS: Final[Mapping[str, ClientProfile]] = MappingProxyType(
    {profile.id: profile for profile in (CODEX, CLAUDE_CODE, OPENCODE, AIDER)}
)

_OTHERS: Final = (
    CURSOR,
    CLINE,
    CONTINUE,
    WINDSURF,
    OPENCLAW,
    COPILOT,
    ROO,
    ZED,
    SDK_OPENAI,
    SDK_ANTHROPIC,
    OPENCODE_MESSAGES,
    OPENCODE_RESPONSES,
    CONTINUE_RESPONSES,
    CONTINUE_MESSAGES,
    COPILOT_RESPONSES,
    COPILOT_MESSAGES,
    ZED_RESPONSES,
)
BUILT_IN: Final[Mapping[str, ClientProfile]] = MappingProxyType(
    {**ALWAYS, **{profile.id: profile for profile in _OTHERS}}
)

# Who speaks for a surface where a group promises it to nobody: its first shapes are the usual ones.
USUAL: Final[Mapping[str, str]] = MappingProxyType(
    {"responses": CODEX.id, "messages": CLAUDE_CODE.id, "chat": OPENCODE.id}
)
