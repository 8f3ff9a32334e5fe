# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The models, and the numbers of each skin."""

from runtime.vocabulary import Price, Skin, Target

PRICES: dict[str, Price] = {}

TARGETS: dict[str, Target] = {
    "small": Target(
        provider="own",
        model="qwen3-coder",
        tag="81db8e",
        context=None,
        price=None,
        skins={
            "chat": Skin(path="/chat/completions", model="qwen3-coder"),
        },
    ),
}
