# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""Who may answer what; the order they are tried in stands in policies.py."""

from runtime.vocabulary import (
    DOCUMENT,
    FORCED,
    HIGH,
    IMAGE_INLINE,
    IMAGE_URL,
    JSON_OBJECT,
    JSON_SCHEMA,
    LOW,
    MEDIUM,
    NONE,
    STREAM,
    TOOLS,
    XHIGH,
    Route,
)

ROUTES: dict[str, tuple[Route, ...]] = {
    # groups.auto on messages
    "messages": (
        Route("m3", "chat", "messages_to_chat", STREAM | TOOLS | FORCED, LOW | MEDIUM, HIGH | XHIGH),
        Route("gpt", "responses", "messages_to_responses", STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("sonnet", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH, XHIGH),
        Route("opus", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | DOCUMENT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
    ),
    # groups.auto on chat
    "chat": (
        Route("m3", "chat", None, STREAM | TOOLS | FORCED | JSON_OBJECT, LOW | MEDIUM, HIGH | XHIGH),
        Route("gpt", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_OBJECT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("sonnet", "messages", "chat_to_messages", STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH, XHIGH),
        Route("opus", "messages", "chat_to_messages", STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
    ),
}
