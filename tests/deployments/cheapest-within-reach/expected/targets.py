# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The models, and the numbers of each skin."""

from runtime.vocabulary import Limits, Price, Skin, Target

PRICES: dict[str, Price] = {
    "dear": Price(input=5.0, output=25.0, cache_read=5.0, cache_write=5.0),
    "cheap": Price(input=1.0, output=2.0, cache_read=1.0, cache_write=1.0),
    "same": Price(input=0.5, output=3.5, cache_read=0.5, cache_write=0.5),
}

TARGETS: dict[str, Target] = {
    "dear": Target(
        provider="us",
        model="d",
        tag="5f4d44",
        context=200000,
        price="dear",
        skins={
            "chat": Skin(path="/chat/completions", model="d"),
        },
    ),
    "cheap": Target(
        provider="eu",
        model="c",
        tag="c6f556",
        context=64000,
        price="cheap",
        skins={
            "chat": Skin(path="/chat/completions", model="c"),
        },
    ),
    "same": Target(
        provider="us",
        model="s",
        tag="096711",
        context=32000,
        price="same",
        skins={
            "chat": Skin(path="/chat/completions", model="s", limits=Limits(tools=20)),
        },
    ),
}
