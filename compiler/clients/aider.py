"""The requests of aider on Chat; it knows what was seen on the wire, nothing else."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientProfile, ClientShape

_INPUT_TOKENS = 3_000  # with the few-shot turns of its diff format
_SETTINGS = "captures/aider/model_settings_extra_params"
_EFFORT = "captures/aider/reasoning_effort"

AIDER: Final = ClientProfile(
    id="aider",
    surface="chat",
    version="0.86.2",
    shapes=(
        # no tools, no cap; edits travel as text
        ClientShape(
            name="edit",
            needs=("stream",),
            input_tokens=_INPUT_TOKENS,
            source="captures/aider/whole_edit_and_commit.01",
        ),
        # not streamed
        ClientShape(
            name="commit",
            needs=(),
            input_tokens=500,
            source="captures/aider/whole_edit_and_commit.02",
        ),
        # a data URL after a text part that names the file
        ClientShape(
            name="image",
            needs=("stream", "image.inline"),
            input_tokens=4_500,
            core=False,
            source="captures/aider/image.01",
        ),
        # `--no-stream`
        ClientShape(
            name="unstreamed",
            needs=(),
            input_tokens=_INPUT_TOKENS,
            core=False,
            source="captures/aider/no_stream.01",
        ),
        # `--reasoning-effort` stands on every request, commit messages included
        ClientShape(
            name="effort-high",
            needs=("stream", "reasoning.high"),
            input_tokens=_INPUT_TOKENS,
            core=False,
            source=f"{_EFFORT}.01",
        ),
        ClientShape(
            name="commit-effort-high",
            needs=("reasoning.high",),
            input_tokens=500,
            core=False,
            source=f"{_EFFORT}.02",
        ),
        # a cap from its settings file stands on every request as well
        ClientShape(
            name="capped",
            needs=("stream",),
            cap=8_000,
            input_tokens=_INPUT_TOKENS,
            core=False,
            source=f"{_SETTINGS}.01",
        ),
        ClientShape(
            name="commit-capped",
            needs=(),
            cap=8_000,
            input_tokens=500,
            core=False,
            source=f"{_SETTINGS}.02",
        ),
    ),
)
