# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The groups: how their candidates are ordered and tried."""

from runtime.vocabulary import Group

GROUPS: dict[str, Group] = {
    "coder": Group(
        kind="weighted",
        surfaces=("responses", "messages", "chat"),
        aliases=("claude-coder", "gpt-*"),
        ranks={"big": 0, "small": 0, "eyes": 0},
        weights={"big": 3, "small": 1, "eyes": 1},
        reasoning_default="high",
        unsupported="drop",
    ),
    "only.chat": Group(
        kind="ordered",
        surfaces=("chat",),
        ranks={"small": 0, "big": 1},
    ),
}
