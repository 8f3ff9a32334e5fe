# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The groups: how their candidates are ordered and tried."""

from runtime.vocabulary import Group, PhaseRule

GROUPS: dict[str, Group] = {
    "coder": Group(
        kind="weighted",
        surfaces=("responses", "messages", "chat"),
        aliases=("claude-*", "gpt-5*"),
        ranks={"m3": 0, "gpt": 0, "opus": 0, "qwen": 0},
        weights={"m3": 60, "gpt": 25, "opus": 15, "qwen": 1},
        attempt_timeout=120.0,
        total_timeout=600.0,
        reasoning_default="medium",
        unsupported="drop",
        baseline="opus",
    ),
    "auto": Group(
        kind="phases",
        surfaces=("messages", "chat"),
        ranks={"m3": 0, "gpt": 1, "sonnet": 2, "opus": 3},
        phases={
            "small_edit": ("m3", "gpt", "sonnet"),
            "debug": ("sonnet", "gpt", "opus"),
            "test": ("m3", "gpt", "sonnet"),
            "document": ("m3", "gpt", "sonnet"),
            "refactor": ("sonnet", "gpt"),
            "plan": ("opus", "gpt"),
            "implement": ("m3", "sonnet", "gpt"),
        },
        phase_rules="default",
        phase_default="implement",
        attempts=2,
        attempt_timeout=120.0,
        reasoning_default="medium",
        unsupported="drop",
        baseline="opus",
    ),
    "vision-smoke": Group(
        kind="ordered",
        surfaces=("responses", "messages", "chat"),
        ranks={"gpt": 0, "sonnet": 1},
        attempts=1,
        attempt_timeout=60.0,
        total_timeout=60.0,
        unsupported="drop",
        baseline="opus",
        purpose="smoke",
    ),
}

PHASE_RULES: dict[str, tuple[PhaseRule, ...]] = {
    "default": (
        PhaseRule(phase="small_edit", last_user="\\b(rename|typo|reformat)\\b", one_of=("rename", "typo", "reformat"), max_chars=400),
        PhaseRule(phase="debug", last_user="\\b(traceback|exception|why (is|does)|failing|crash)\\b", one_of=("traceback", "exception", "why ", "failing", "crash")),
        PhaseRule(phase="test", last_user="\\b(unit test|pytest|jest|coverage)\\b", one_of=("unit test", "pytest", "jest", "coverage")),
        PhaseRule(phase="document", last_user="\\b(docstring|readme|changelog)\\b", one_of=("docstring", "readme", "changelog")),
        PhaseRule(phase="refactor", last_user="\\b(refactor|simplify|clean up)\\b", one_of=("refactor", "simplify", "clean up")),
        PhaseRule(phase="plan", last_user="\\b(design|architecture|plan|trade-?off)\\b", one_of=("design", "architecture", "plan", "trade")),
        PhaseRule(phase="implement"),
    ),
}
