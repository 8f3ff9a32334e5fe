# Compiled from deployments/acme.yaml. Do not edit: change it and run `interlock build deployments/acme.yaml`.
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
        # not m3: bridge-not-served (no Messages skin, messages_to_chat not served yet)
        # not gpt: bridge-not-served (no Messages skin, messages_to_responses not served yet)
        Route("sonnet", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH, XHIGH),
        Route("opus", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | DOCUMENT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
    ),
    # groups.auto on chat
    "chat": (
        Route("m3", "chat", None, STREAM | TOOLS | FORCED | JSON_OBJECT, LOW | MEDIUM, HIGH | XHIGH),
        Route("gpt", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_OBJECT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        # not sonnet: bridge-not-served (no Chat skin, chat_to_messages not served yet)
        # not opus: bridge-not-served (no Chat skin, chat_to_messages not served yet)
    ),
}

# Why targets without a path have none, where it is more than a missing skin.
OUT: dict[str, dict[str, str]] = {
    "messages": {"m3": "bridge-not-served", "gpt": "bridge-not-served"},
    "chat": {"sonnet": "bridge-not-served", "opus": "bridge-not-served"},
}
