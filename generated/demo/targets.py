# Compiled from deployments/demo.yaml. Do not edit: change it and run `interlock build deployments/demo.yaml`.
"""The models, and the numbers of each skin."""

from runtime.vocabulary import Cap, Price, Reasoning, Skin, Target

PRICES: dict[str, Price] = {
    "large": Price(input=5.0, output=25.0, cache_read=0.5, cache_write=5.0),
    "small": Price(input=0.3, output=1.2, cache_read=0.03, cache_write=0.3),
}

TARGETS: dict[str, Target] = {
    "large": Target(
        provider="scripted",
        model="scripted-large",
        tag="d35c41",
        context=200000,
        price="large",
        skins={
            "responses": Skin(path="/responses", model="scripted-large", cap=Cap(field="max_output_tokens", max=64000, over="clamp"), reasoning=Reasoning(control="effort", levels=("low", "medium", "high"), summaries=True), parallel=True, custom=True),
            "messages": Skin(path="/messages", model="scripted-large", cap=Cap(field="max_tokens", max=64000, over="clamp", default=32000), reasoning=Reasoning(control="adaptive", levels=("low", "medium", "high"), summaries=True, echo="required"), parallel=True, system_turns="keep", betas="pass"),
            "chat": Skin(path="/chat/completions", model="scripted-large", cap=Cap(field="max_tokens", max=64000, over="clamp"), reasoning=Reasoning(control="effort", levels=("low", "medium", "high"), summaries=True), parallel=True),
        },
    ),
    "small": Target(
        provider="scripted",
        model="scripted-small",
        tag="81db8e",
        context=128000,
        price="small",
        skins={
            "messages": Skin(path="/messages", model="scripted-small", cap=Cap(field="max_tokens", max=32000, over="clamp", default=8000), parallel=True),
            "chat": Skin(path="/chat/completions", model="scripted-small", cap=Cap(field="max_tokens", max=32000, over="clamp"), parallel=True),
        },
    ),
}
