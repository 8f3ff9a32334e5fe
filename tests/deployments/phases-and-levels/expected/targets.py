# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The models, and the numbers of each skin."""

from runtime.vocabulary import Cap, Price, Reasoning, Skin, Target

PRICES: dict[str, Price] = {}

TARGETS: dict[str, Target] = {
    "thinker": Target(
        provider="own",
        model="thinker",
        tag="ebb732",
        context=100000,
        price=None,
        skins={
            "responses": Skin(path="/responses", model="thinker", reasoning=Reasoning(control="effort", levels=("none", "low", "high")), custom=True),
            "chat": Skin(path="/chat/completions", model="thinker", reasoning=Reasoning(control="budget", levels=("low", "high"), min_budget=1024, max_budget=32000), custom=True),
        },
    ),
    "plain": Target(
        provider="own",
        model="plain",
        tag="a116c9",
        context=50000,
        price=None,
        skins={
            "responses": Skin(path="/responses", model="plain", cap=Cap(field="max_output_tokens", min=16, max=4096), custom=True),
            "chat": Skin(path="/chat/completions", model="plain", cap=Cap(field="max_tokens", max=4096, honored=False), custom=True),
        },
    ),
}
