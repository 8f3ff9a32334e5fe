# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The upstream hosts."""

from runtime.vocabulary import Provider

PROVIDERS: dict[str, Provider] = {
    "own": Provider(
        base_url="https://own.example/v1",
        key_env="OWN_KEY",
        continuity="own",
    ),
}
