# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The models, and the numbers of each skin."""

from runtime.vocabulary import Cap, Price, Reasoning, Skin, Target

PRICES: dict[str, Price] = {}

TARGETS: dict[str, Target] = {
    "big": Target(
        provider="one",
        model="big-1",
        tag="2a21fe",
        context=200000,
        price=None,
        skins={
            "responses": Skin(path="/responses", model="big-1", reasoning=Reasoning(control="effort", levels=("low", "medium", "high")), parallel=True, custom=True),
            "messages": Skin(path="/messages", model="big-1", cap=Cap(field="max_tokens", max=64000, over="clamp", default=32000), reasoning=Reasoning(control="adaptive", levels=("low", "medium", "high")), parallel=True),
            "chat": Skin(path="/chat/completions", model="big-1", cap=Cap(field="max_completion_tokens", max=64000, over="clamp"), reasoning=Reasoning(control="effort", levels=("low", "medium", "high")), parallel=True, patch={"service_tier": "flex", "metadata": {"team": "a b", "list": [1, 2.5, True, None]}}),
        },
    ),
    "small": Target(
        provider="two",
        model="small-1",
        tag="81db8e",
        context=128000,
        price=None,
        skins={
            "responses": Skin(path="/responses", model="small-1", custom=True),
            "chat": Skin(path="/chat/completions", model="small-1", reasoning=Reasoning(control="effort", levels=("low",), map=(("high", "low"),)), parallel=True, drop=("seed",)),
        },
    ),
    "eyes": Target(
        provider="two",
        model="eyes-1",
        tag="d8fe18",
        context=None,
        price=None,
        skins={
            "chat": Skin(path="/chat/completions", model="eyes-1", parallel=True),
        },
    ),
}
