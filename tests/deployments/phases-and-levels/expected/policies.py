# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The groups: how their candidates are ordered and tried."""

from runtime.vocabulary import Group, PhaseRule

GROUPS: dict[str, Group] = {
    "strict": Group(
        kind="ordered",
        surfaces=("responses",),
        ranks={"plain": 0, "thinker": 1},
        reasoning_default="high",
    ),
    "phased": Group(
        kind="phases",
        surfaces=("chat",),
        ranks={"thinker": 0, "plain": 1},
        phases={
            "plan": ("thinker",),
            "edit": ("plain", "thinker"),
        },
        phase_rules="rules",
        phase_default="edit",
        unsupported="drop",
    ),
}

PHASE_RULES: dict[str, tuple[PhaseRule, ...]] = {
    "rules": (
        PhaseRule(phase="plan", last_user="\\b(plan|design)\\b", one_of=("plan", "design")),
        PhaseRule(phase="edit"),
    ),
}
