"""A scripted upstream that speaks the real wire of all three dialects. It knows no router."""

from compiler.demo.scripts import create_file, edit_file, help_out, say
from compiler.demo.turn import Asked, Call, Failure, Reply, Script, Turn
from compiler.demo.upstream import ScriptedUpstream

__all__ = [
    "Asked",
    "Call",
    "Failure",
    "Reply",
    "Script",
    "ScriptedUpstream",
    "Turn",
    "create_file",
    "edit_file",
    "help_out",
    "say",
]
