"""The requests of Claude Code on Messages; it knows what was seen on the wire, nothing else."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientProfile, ClientShape

_CAP = 32_000  # for names it does not know
_MAIN = ("stream", "tools")


def _main(  # a turn with all tools; `captures/claude-code/text` has 85 kB
    name: str,
    *more: str,
    source: str,
    stream: bool = True,
    cap: int = _CAP,
    input_tokens: int = 22_000,
    tools: int = 26,
    tool_schema_bytes: int = 74_000,
    core: bool = False,
) -> ClientShape:
    return ClientShape(
        name=name,
        needs=(*(_MAIN if stream else _MAIN[1:]), *more),
        cap=cap,
        input_tokens=input_tokens,
        core=core,
        tools=tools,
        tool_schema_bytes=tool_schema_bytes,
        source=source,
    )


CLAUDE_CODE: Final = ClientProfile(
    id="claude-code",
    surface="messages",
    version="2.1.197",
    shapes=(
        # adaptive thinking, and effort high by default for names it does not know; a `role: system`
        # turn after the user's, which a skin keeps or folds and nobody is left out for
        _main("main", "reasoning.high", core=True, source="captures/claude-code/text.03"),
        # Beside the main one, and harmless when it fails. It carries `effort: high` as well; only
        # the schema is promised.
        ClientShape(
            name="title",
            needs=("stream", "json.schema"),
            cap=_CAP,
            input_tokens=550,
            harmless=True,
            waives=("reasoning.high",),
            source="captures/claude-code/text.02",
        ),
        # the same body without `stream`, after a stream that broke
        _main(
            "retry",
            "reasoning.high",
            stream=False,
            core=True,
            source="captures/claude-code/error_stream_cut_then_nonstreaming.03",
        ),
        # the terminal interface offers more tools than `--print`
        _main(
            "interactive",
            "reasoning.high",
            input_tokens=25_000,
            tools=28,
            tool_schema_bytes=83_000,
            source="captures/claude-code/interactive_discovery.04",
        ),
        # base64, also inside tool results
        _main(
            "image",
            "image.inline",
            "reasoning.high",
            input_tokens=23_500,
            source="captures/claude-code/image_read_tool.03",
        ),
        # a request of its own, without tools of the client
        ClientShape(
            name="websearch",
            needs=("stream", "hosted:web_search", "reasoning.high"),
            cap=_CAP,
            input_tokens=1_000,
            core=False,
            tools=1,
            tool_schema_bytes=100,
            source="captures/claude-code/web_search_side_request.03",
        ),
        # `--effort` passes every level through
        *(
            _main(
                f"effort-{level}",
                f"reasoning.{level}",
                source="documented: `--effort` from low to max passes through",
            )
            for level in ("low", "medium")
        ),
        _main("effort-max", "reasoning.max", source="captures/claude-code/effort_max.02"),
        # names it knows as Anthropic's get another prompt, and some a budget or a larger cap
        _main(
            "effort-xhigh",
            "reasoning.xhigh",
            input_tokens=31_000,
            tool_schema_bytes=90_000,
            source="captures/claude-code/model_claude_sonnet_4_5.02",
        ),
        _main(
            "known-model",
            "reasoning.xhigh",
            cap=64_000,
            input_tokens=31_000,
            tool_schema_bytes=90_000,
            source="captures/claude-code/model_claude_opus_4_7.02",
        ),
        # `/context` counts many parts at once, some of them tools
        ClientShape(
            name="count",
            needs=("tools",),
            input_tokens=10_000,
            core=False,
            tools=17,
            tool_schema_bytes=39_000,
            source="captures/claude-code/count_tokens.14",
        ),
    ),
)
