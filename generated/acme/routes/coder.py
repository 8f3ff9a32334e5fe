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
        # not m3: bridge-not-served (no Responses skin, responses_to_chat not served yet)
        Route("gpt", "responses", None, STREAM | TOOLS | FORCED | CUSTOM | NAMESPACE | IMAGE_INLINE | IMAGE_URL | DOCUMENT | JSON_OBJECT | JSON_SCHEMA | STATEFUL | WEB_SEARCH, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        # not opus: bridge-not-served (no Responses skin, responses_to_messages not served yet)
        # not qwen: bridge-not-served (no Responses skin, responses_to_chat not served yet)
    ),
    # groups.coder on messages
    "messages": (
        # not m3: bridge-not-served (no Messages skin, messages_to_chat not served yet)
        # not gpt: bridge-not-served (no Messages skin, messages_to_responses not served yet)
        Route("opus", "messages", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | DOCUMENT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        # not qwen: no-skin (no Messages skin, no bridge from Messages)
    ),
    # groups.coder on chat
    "chat": (
        Route("m3", "chat", None, STREAM | TOOLS | FORCED | JSON_OBJECT, LOW | MEDIUM, HIGH | XHIGH),
        Route("gpt", "chat", None, STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | JSON_OBJECT | JSON_SCHEMA, NONE | LOW | MEDIUM | HIGH | XHIGH, 0),
        # not opus: bridge-not-served (no Chat skin, chat_to_messages not served yet)
        Route("qwen", "chat", None, STREAM | TOOLS, NONE, 0, last_resort=True),
    ),
}

# Why targets without a path have none, where it is more than a missing skin.
OUT: dict[str, dict[str, str]] = {
    "responses": {"m3": "bridge-not-served", "opus": "bridge-not-served", "qwen": "bridge-not-served"},
    "messages": {"m3": "bridge-not-served", "gpt": "bridge-not-served"},
    "chat": {"opus": "bridge-not-served"},
}
