"""The requests of Codex CLI on Responses; it knows what was seen on the wire, nothing else."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientProfile, ClientShape

# With a catalog entry that has apply_patch: ten tools, one of them custom and one a namespace, and
# a namespace more for every MCP server. The effort is the catalog's default unless the user chose.
_MAIN = ("stream", "tools", "tools.custom", "tools.namespace")
_SEARCH = ("hosted:web_search",)
_TOOLS = 18
_TOOL_SCHEMA_BYTES = 20_000


def _main(
    name: str, *more: str, source: str, default_level: bool = True, core: bool = False
) -> ClientShape:
    return ClientShape(
        name=name,
        needs=(*_MAIN, *more),
        prefers=_SEARCH,
        input_tokens=10_000,
        core=core,
        default_level=default_level,
        tools=_TOOLS,
        tool_schema_bytes=_TOOL_SCHEMA_BYTES,
        source=source,
    )


CODEX: Final = ClientProfile(
    id="codex",
    surface="responses",
    version="0.169.0",
    shapes=(
        _main("main", core=True, source="captures/codex/text_catalog.02"),
        # without a catalog no apply_patch and no effort, and a base prompt of its own
        ClientShape(
            name="bare",
            needs=("stream", "tools", "tools.namespace"),
            prefers=_SEARCH,
            input_tokens=10_500,
            tools=_TOOLS,
            tool_schema_bytes=_TOOL_SCHEMA_BYTES,
            source="captures/codex/text_fallback_metadata.01",
        ),
        # data URLs, also inside tool results
        _main("image", "image.inline", source="captures/codex/image_tool_output.03"),
        _main("schema", "json.schema", source="captures/codex/output_schema.02"),
        # a summary of the conversation, asked for without tools
        ClientShape(
            name="compaction",
            needs=("stream",),
            input_tokens=10_000,
            core=False,
            default_level=True,
            source="captures/codex/auto_compaction.03",
        ),
        # the user's level instead of the catalog's default
        *(
            _main(
                f"effort-{level}",
                f"reasoning.{level}",
                default_level=False,
                source="documented: a level that the catalog lists passes through",
            )
            for level in ("low", "medium", "xhigh")
        ),
        _main(
            "effort-high",
            "reasoning.high",
            default_level=False,
            source="captures/codex/effort_high.02",
        ),
    ),
)
