# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The upstream hosts."""

from runtime.vocabulary import Provider

PROVIDERS: dict[str, Provider] = {
    "own": Provider(
        base_url="http://127.0.0.1:8000/v1",
        auth="none",
        continuity="own",
    ),
}
