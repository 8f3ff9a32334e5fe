# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The upstream hosts."""

from runtime.vocabulary import Provider, Timeouts

PROVIDERS: dict[str, Provider] = {
    "anthropic": Provider(
        base_url="https://api.anthropic.com/v1",
        auth="x-api-key",
        key_env="ANTHROPIC_KEY",
        region="us",
        continuity="anthropic",
        timeouts=Timeouts(total=900.0),
    ),
    "openai": Provider(
        base_url="https://api.openai.com/v1",
        key_env="OPENAI_KEY",
        region="us",
        continuity="openai",
    ),
    "minimax": Provider(
        base_url="https://api.minimax.example/v1",
        key_env="MINIMAX_KEY",
        region="sg",
        continuity="minimax",
    ),
    "gpu": Provider(
        base_url="http://vllm.internal:8000/v1",
        key_env="VLLM_KEY",
        region="onprem",
        continuity="gpu",
        max_in_flight=64,
    ),
}
