# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""Who may answer what; the order they are tried in stands in policies.py."""

from runtime.vocabulary import (
    CUSTOM,
    FORCED,
    HIGH,
    IMAGE_INLINE,
    IMAGE_URL,
    JSON_SCHEMA,
    LOW,
    MEDIUM,
    NAMESPACE,
    NONE,
    STREAM,
    TOOLS,
    WEB_SEARCH,
    Route,
)

ROUTES: dict[str, tuple[Route, ...]] = {
    # groups.coder on responses
    "responses": (
        Route("big", "responses", None, STREAM | TOOLS | CUSTOM | NAMESPACE | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA | WEB_SEARCH, LOW | MEDIUM | HIGH, 0),
        Route("small", "responses", None, STREAM | TOOLS | CUSTOM | NAMESPACE | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE, 0),
        # not eyes: no-skin (no Responses skin, no bridge from Responses)
    ),
    # groups.coder on messages
    "messages": (
        Route("big", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH, 0),
        # not small: no-skin (no Messages skin, no bridge from Messages)
        # not eyes: no-skin (no Messages skin, no bridge from Messages)
    ),
    # groups.coder on chat
    "chat": (
        Route("big", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, LOW | MEDIUM | HIGH, 0),
        Route("small", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, LOW, HIGH),
        Route("eyes", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE, 0, only_when=IMAGE_INLINE, last_resort=True),
    ),
}
