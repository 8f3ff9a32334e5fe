# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
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
    # groups.vision-smoke on responses
    "responses": (
        Route("gpt", "responses", None, STREAM | TOOLS | FORCED | CUSTOM | NAMESPACE | IMAGE_INLINE | IMAGE_URL | DOCUMENT | JSON_OBJECT | JSON_SCHEMA | STATEFUL | WEB_SEARCH, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        # not sonnet: no-skin (no Responses skin, no bridge from Responses)
    ),
    # groups.vision-smoke on messages
    "messages": (
        Route("gpt", "responses", "messages_to_responses", STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("sonnet", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH, XHIGH),
    ),
    # groups.vision-smoke on chat
    "chat": (
        Route("gpt", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_OBJECT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        Route("sonnet", "messages", "chat_to_messages", STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH, XHIGH),
    ),
}
