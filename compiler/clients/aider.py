"""The requests of aider on Chat; it knows what was seen on the wire, nothing else."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientProfile, ClientShape

AIDER: Final = ClientProfile(
    id="aider",
    surface="chat",
    version="0.86.2",
    shapes=(
        # captures/aider/whole_edit_and_commit: no tools, no cap; edits travel as text
        ClientShape(name="edit", needs=("stream",), input_tokens=3_000),
        # the same recording, second request: not streamed
        ClientShape(name="commit", needs=(), input_tokens=500),
        # captures/aider/image: a data URL after a text part that names the file
        ClientShape(name="image", needs=("stream", "image.inline"), input_tokens=4_500, core=False),
        # captures/aider/reasoning_effort: on every request, commit messages included
        ClientShape(
            name="effort-high", needs=("stream", "reasoning.high"), input_tokens=3_000, core=False
        ),
    ),
)
