# Compiled from deployments/demo.yaml. Do not edit: change it and run `interlock build deployments/demo.yaml`.
"""The groups: how their candidates are ordered and tried."""

from runtime.vocabulary import Group

GROUPS: dict[str, Group] = {
    "coder": Group(
        kind="cheapest",
        surfaces=("responses", "messages", "chat"),
        aliases=("claude-coder", "claude-*", "gpt-5*"),
        ranks={"small": 0, "large": 1},
        attempts=2,
        attempt_timeout=60.0,
        total_timeout=120.0,
        reasoning_default="medium",
        unsupported="drop",
        baseline="large",
    ),
}
