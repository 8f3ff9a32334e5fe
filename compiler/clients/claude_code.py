"""The requests of Claude Code on Messages; it knows what was seen on the wire, nothing else."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientProfile, ClientShape

# captures/claude-code/text, third request: 85 kB, adaptive thinking with effort high by default
_CAP = 32_000
_INPUT_TOKENS = 22_000


def _main(name: str, *needs: str, core: bool = False) -> ClientShape:
    return ClientShape(name=name, needs=needs, cap=_CAP, input_tokens=_INPUT_TOKENS, core=core)


CLAUDE_CODE: Final = ClientProfile(
    id="claude-code",
    surface="messages",
    version="2.1.197",
    shapes=(
        _main("main", "stream", "tools", "reasoning.high", core=True),
        # captures/claude-code/text, second request: beside the main one, and harmless when it
        # fails. It carries `output_config.effort: high` as well, so that a group that refuses
        # levels needs `reasoning.high` beside `json.schema` for it; only the schema is promised.
        ClientShape(
            name="title",
            needs=("stream", "json.schema"),
            cap=_CAP,
            input_tokens=550,
            harmless=True,
        ),
        # captures/claude-code/error_stream_cut_then_nonstreaming: the same body without `stream`
        _main("retry", "tools", "reasoning.high", core=True),
        # captures/claude-code/image_read_tool: base64, also inside tool results
        _main("image", "stream", "tools", "reasoning.high", "image.inline"),
        # captures/claude-code/web_search_side_request: a request of its own, no client tools
        ClientShape(
            name="websearch",
            needs=("stream", "hosted:web_search"),
            cap=_CAP,
            input_tokens=1_000,
            core=False,
        ),
        # captures/claude-code/effort_max: `--effort` from low to max passes through
        *(
            _main(f"effort-{level}", "stream", "tools", f"reasoning.{level}")
            for level in ("low", "medium", "xhigh", "max")
        ),
    ),
)
