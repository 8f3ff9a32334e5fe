"""The requests of Codex CLI on Responses; it knows what was seen on the wire, nothing else."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientProfile, ClientShape

# captures/codex/text_catalog: with a catalog entry that has apply_patch, ten tools, one of them
# custom and one a namespace; the effort is the catalog's default unless the user chose another.
_MAIN = ("stream", "tools", "tools.custom", "tools.namespace")
_SEARCH = ("hosted:web_search",)


def _main(name: str, *more: str, default_level: bool = True, core: bool = False) -> ClientShape:
    return ClientShape(
        name=name,
        needs=(*_MAIN, *more),
        prefers=_SEARCH,
        input_tokens=10_000,
        core=core,
        default_level=default_level,
    )


CODEX: Final = ClientProfile(
    id="codex",
    surface="responses",
    version="0.169.0",
    shapes=(
        _main("main", core=True),
        # captures/codex/text_fallback_metadata: without a catalog no apply_patch and no effort
        ClientShape(
            name="bare",
            needs=("stream", "tools", "tools.namespace"),
            prefers=_SEARCH,
            input_tokens=10_000,
        ),
        # captures/codex/image and image_tool_output: data URLs, also inside tool results
        _main("image", "image.inline"),
        # captures/codex/output_schema
        _main("schema", "json.schema"),
        # captures/codex/effort_high: the user's level instead of the catalog's default
        *(
            _main(f"effort-{level}", f"reasoning.{level}", default_level=False)
            for level in ("low", "medium", "high", "xhigh")
        ),
    ),
)
