"""Ready scripts: what the scripted model says. They know agents' tools, not their wire."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable

from compiler.demo.turn import Asked, Call, Reply, Script, Turn

FileTool = Callable[[str, str], Call]
WANTED = re.compile(r"\bcreate (?:a file )?[`'\"]?([\w-][\w.-]*\.\w+)", re.IGNORECASE)


def say(text: str, reasoning: str = "") -> Script:
    """The same words to everybody."""

    def script(asked: Asked) -> Reply:
        return Turn(text=text, reasoning=reasoning)

    return script


def create_file(path: str, content: str, tool: str, reasoning: str = "") -> Script:
    """Creates a file through the client's own tool, then says so. Side requests get a title."""

    def script(asked: Asked) -> Reply:
        if tool not in asked.tools:
            return _title(asked)
        if asked.answers_a_call:
            return Turn(text=f"Created {path}.")
        return Turn(calls=(FILE_TOOLS[tool](path, content),), reasoning=reasoning)

    return script


def edit_file(path: str, content: str) -> Script:
    """Writes a whole file as text, for clients without tools. Unstreamed requests want a title."""

    def script(asked: Asked) -> Reply:
        if not asked.stream:
            return _title(asked)
        return Turn(text=f"{path}\n```\n{content}```\n")

    return script


def help_out(asked: Asked) -> Reply:
    """The demo's model: creates the file it is told to create, else says where it stands."""
    wanted = WANTED.search(asked.last_user_text)
    tool = next((name for name in asked.tools if name in FILE_TOOLS), None)
    if wanted and tool:
        return create_file(wanted[1], "Hello from Interlock.\n", tool)(asked)
    if asked.wants_json:
        return _title(asked)
    return Turn(text=f"Hello! I am {asked.model}, a scripted model, asked in {asked.dialect}.")


def _title(asked: Asked) -> Turn:
    words = "Create a file"
    return Turn(text=json.dumps({"title": words}) if asked.wants_json else words)


def _shell(path: str, content: str) -> Call:
    command = f"printf %s {shlex.quote(content)} > {shlex.quote(path)}"
    return Call("exec_command", json.dumps({"cmd": command}, ensure_ascii=False))


def _patch(path: str, content: str) -> Call:
    lines = "".join(f"+{line}\n" for line in content.splitlines())
    text = f"*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch\n"
    return Call("apply_patch", text, custom=True)


def _writer(tool: str, path_key: str) -> FileTool:
    def write(path: str, content: str) -> Call:
        arguments = {path_key: path, "content": content}
        return Call(tool, json.dumps(arguments, ensure_ascii=False))

    return write


# A client's tool that can create a file -> the call that does. The first one offered is used.
FILE_TOOLS: dict[str, FileTool] = {
    "apply_patch": _patch,  # Codex, with a catalog
    "exec_command": _shell,  # Codex
    "Write": _writer("Write", "file_path"),  # Claude Code
    "write": _writer("write", "filePath"),  # opencode
}
