# Compiled from deployments/acme.yaml. Do not edit: change it and run `interlock build deployments/acme.yaml`.
"""Who may answer what; the order they are tried in stands in policies.py."""

from runtime.vocabulary import (
    CUSTOM,
    DOCUMENT,
    FORCED,
    HIGH,
    IMAGE_INLINE,
    IMAGE_URL,
    JSON_OBJECT,
    JSON_SCHEMA,
    LOW,
    MEDIUM,
    NAMESPACE,
    NONE,
    STATEFUL,
    STREAM,
    TOOLS,
    WEB_SEARCH,
    XHIGH,
    Route,
)

ROUTES: dict[str, tuple[Route, ...]] = {
    # groups.coder on responses
    "responses": (
        Route("m3", "chat", "responses_to_chat", STREAM | TOOLS | FORCED | CUSTOM | NAMESPACE, LOW | MEDIUM, HIGH | XHIGH),
        Route("gpt", "responses", None, STREAM | TOOLS | FORCED | CUSTOM | NAMESPACE | IMAGE_INLINE | IMAGE_URL | DOCUMENT | JSON_OBJECT | JSON_SCHEMA | STATEFUL | WEB_SEARCH, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("opus", "messages", "responses_to_messages", STREAM | TOOLS | FORCED | CUSTOM | NAMESPACE | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("qwen", "chat", "responses_to_chat", STREAM | TOOLS, 0, 0, last_resort=True),
    ),
    # groups.coder on messages
    "messages": (
        Route("m3", "chat", "messages_to_chat", STREAM | TOOLS | FORCED, LOW | MEDIUM, HIGH | XHIGH),
        Route("gpt", "responses", "messages_to_responses", STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("opus", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | DOCUMENT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        # not qwen: no-skin (no Messages skin, no bridge from Messages)
    ),
    # groups.coder on chat
    "chat": (
        Route("m3", "chat", None, STREAM | TOOLS | FORCED | JSON_OBJECT, LOW | MEDIUM, HIGH | XHIGH),
        Route("gpt", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_OBJECT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("opus", "messages", "chat_to_messages", STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("qwen", "chat", None, STREAM | TOOLS, NONE, 0, last_resort=True),
    ),
}
