# Compiled from deployments/demo.yaml. Do not edit: change it and run `interlock build deployments/demo.yaml`.
"""Who may answer what; the order they are tried in stands in policies.py."""

from runtime.vocabulary import (
    CUSTOM,
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
    STREAM,
    TOOLS,
    Route,
)

ROUTES: dict[str, tuple[Route, ...]] = {
    # groups.coder on responses
    "responses": (
        # not small: no-skin (no Responses skin, no bridge from Responses)
        Route("large", "responses", None, STREAM | TOOLS | FORCED | CUSTOM | NAMESPACE | IMAGE_INLINE | IMAGE_URL | JSON_OBJECT | JSON_SCHEMA, LOW | MEDIUM | HIGH, 0),
    ),
    # groups.coder on messages
    "messages": (
        Route("small", "messages", None, STREAM | TOOLS | FORCED | JSON_SCHEMA, NONE, 0),
        Route("large", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH, 0),
    ),
    # groups.coder on chat
    "chat": (
        Route("small", "chat", None, STREAM | TOOLS | FORCED | JSON_OBJECT, NONE, 0),
        Route("large", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_OBJECT | JSON_SCHEMA, LOW | MEDIUM | HIGH, 0),
    ),
}
