# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The upstream hosts."""

from runtime.vocabulary import Provider

PROVIDERS: dict[str, Provider] = {
    "us": Provider(
        base_url="https://us.example/v1",
        key_env="US_KEY",
        region="us",
        continuity="us",
    ),
    "eu": Provider(
        base_url="https://eu.example/v1",
        key_env="EU_KEY",
        region="eu",
        continuity="eu",
    ),
}
