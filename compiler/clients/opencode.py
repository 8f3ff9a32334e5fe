"""The requests of opencode, by the provider package its settings name; it knows no deployment."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientProfile, ClientShape

_CAP = 32_000  # the model's `limit.output` in its settings
_MAIN = ("stream", "tools")


def _main(name: str, *more: str, source: str, cap: int = _CAP, core: bool = False) -> ClientShape:
    return ClientShape(
        name=name,
        needs=(*_MAIN, *more),
        cap=cap,
        input_tokens=10_000,
        core=core,
        tools=10,
        tool_schema_bytes=21_000,
        source=source,
    )


def _title(source: str) -> ClientShape:
    """Beside the first request, without tools, to the small model."""
    return ClientShape(name="title", needs=("stream",), cap=_CAP, input_tokens=700, source=source)


OPENCODE: Final = ClientProfile(
    id="opencode",
    surface="chat",
    version="1.18.33",
    shapes=(
        _main("main", core=True, source="captures/opencode/chat_tool_create_file.02"),
        _title("captures/opencode/chat_tool_create_file.01"),
        # a data URL beside text parts
        _main("image", "image.inline", source="captures/opencode/chat_image.02"),
        # `reasoning_effort` only where an option or a variant sets it
        *(
            _main(
                f"effort-{level}",
                f"reasoning.{level}",
                source="documented: `--variant` of a model with `reasoning`",
            )
            for level in ("low", "medium")
        ),
        _main(
            "effort-high",
            "reasoning.high",
            source="captures/opencode/chat_reasoning_effort_option.02",
        ),
        # after an answer without `finish_reason` it sends the conversation again as it stands
        _main("resumed", "prefill", source="captures/opencode/chat_variant_tool_nofinish.03"),
    ),
)

OPENCODE_MESSAGES: Final = ClientProfile(
    id="opencode-messages",
    surface="messages",
    version=OPENCODE.version,
    shapes=(
        _main("main", core=True, source="captures/opencode/messages_tool_create_file_thinking.02"),
        _title("captures/opencode/messages_image.01"),
        _main("image", "image.inline", source="captures/opencode/messages_image.02"),
        # budgets come on top of the cap: 32,000 and 4,000, 32,000 and 15,999
        _main(
            "effort-medium",
            "reasoning.medium",
            cap=36_000,
            source="captures/opencode/messages_thinking_budget_option.02",
        ),
        _main(
            "effort-high",
            "reasoning.high",
            cap=47_999,
            source="captures/opencode/messages_variant_high.02",
        ),
    ),
)

OPENCODE_RESPONSES: Final = ClientProfile(
    id="opencode-responses",
    surface="responses",
    version=OPENCODE.version,
    shapes=(
        _main("main", core=True, source="captures/opencode/responses_tool_create_file.02"),
        _title("captures/opencode/responses_tool_create_file.01"),
    ),
)
