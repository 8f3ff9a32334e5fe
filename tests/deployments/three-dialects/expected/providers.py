# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The upstream hosts."""

from runtime.vocabulary import Provider

PROVIDERS: dict[str, Provider] = {
    "one": Provider(
        base_url="https://one.example/v1",
        key_env="ONE_KEY",
        continuity="one",
    ),
    "two": Provider(
        base_url="https://two.example/v1",
        auth="X-Key",
        key_env="TWO_KEY",
        continuity="two",
        headers=(("X-Title", "interlock"),),
    ),
}
