# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""Who may answer what; the order they are tried in stands in policies.py."""

from runtime.vocabulary import (
    FORCED,
    HIGH,
    IMAGE_INLINE,
    IMAGE_URL,
    JSON_SCHEMA,
    LOW,
    MEDIUM,
    STREAM,
    TOOLS,
    Route,
)

ROUTES: dict[str, tuple[Route, ...]] = {
    # groups.only.chat on chat
    "chat": (
        Route("small", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, LOW, HIGH),
        Route("big", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, LOW | MEDIUM | HIGH, 0),
    ),
}
