"""The requests of opencode on Chat; it knows what was seen on the wire, nothing else."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientProfile, ClientShape

# captures/opencode/chat_tool_create_file: the cap is the model's `limit.output` in its settings
_CAP = 32_000
_INPUT_TOKENS = 10_000


def _main(name: str, *more: str, core: bool = False) -> ClientShape:
    return ClientShape(
        name=name,
        needs=("stream", "tools", *more),
        cap=_CAP,
        input_tokens=_INPUT_TOKENS,
        core=core,
    )


OPENCODE: Final = ClientProfile(
    id="opencode",
    surface="chat",
    version="1.18.33",
    shapes=(
        _main("main", core=True),
        # captures/opencode/chat_tool_create_file, first request: no tools, to the small model
        ClientShape(name="title", needs=("stream",), cap=_CAP, input_tokens=600),
        # captures/opencode/chat_image: a data URL beside text parts
        _main("image", "image.inline"),
        # captures/opencode/chat_reasoning_effort_option: `reasoning_effort` only when set
        *(_main(f"effort-{level}", f"reasoning.{level}") for level in ("low", "medium", "high")),
    ),
)
