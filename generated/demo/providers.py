# Compiled from deployments/demo.yaml. Do not edit: change it and run `interlock build deployments/demo.yaml`.
"""The upstream hosts."""

from runtime.vocabulary import Provider

PROVIDERS: dict[str, Provider] = {
    "scripted": Provider(
        base_url="http://127.0.0.1:8101/v1",
        auth="none",
        continuity="scripted",
    ),
}
