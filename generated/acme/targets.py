# Compiled from deployments/acme.yaml. Do not edit: change it and run `interlock build deployments/acme.yaml`.
"""The models, and the numbers of each skin."""

from runtime.vocabulary import Cap, Limits, Price, Reasoning, Skin, Target

PRICES: dict[str, Price] = {
    "big": Price(input=5.0, output=25.0, cache_read=0.5, cache_write=6.25),
    "mid": Price(input=1.25, output=10.0, cache_read=0.125, cache_write=1.25),
    "small": Price(input=0.3, output=1.2, cache_read=0.3, cache_write=0.3),
    "own": Price(input=0.0, output=0.0, cache_read=0.0, cache_write=0.0),
}

TARGETS: dict[str, Target] = {
    "opus": Target(
        provider="anthropic",
        model="claude-opus-4-8",
        tag="e12ce8",
        context=200000,
        price="big",
        skins={
            "messages": Skin(path="/messages", model="claude-opus-4-8", cap=Cap(field="max_tokens", max=64000, over="clamp", default=32000), reasoning=Reasoning(control="adaptive", levels=("low", "medium", "high", "xhigh"), summaries=True, echo="required", rejects=("temperature", "top_p", "top_k")), parallel=True, system_turns="keep", prompt_cache="explicit", betas="pass"),
        },
        tags=("best",),
    ),
    "sonnet": Target(
        provider="anthropic",
        model="claude-sonnet-5",
        tag="c9ad8f",
        context=200000,
        price="mid",
        skins={
            "messages": Skin(path="/messages", model="claude-sonnet-5", cap=Cap(field="max_tokens", max=64000, over="clamp", default=32000), reasoning=Reasoning(control="adaptive", levels=("low", "medium", "high"), map=(("xhigh", "high"),), echo="required", rejects=("temperature", "top_p", "top_k")), parallel=True, system_turns="keep", prompt_cache="explicit", betas="pass"),
        },
    ),
    "gpt": Target(
        provider="openai",
        model="gpt-5.6",
        tag="053ea4",
        context=272000,
        price="mid",
        skins={
            "responses": Skin(path="/responses", model="gpt-5.6", cap=Cap(field="max_output_tokens", min=16, max=128000), reasoning=Reasoning(control="effort", levels=("none", "low", "medium", "high", "xhigh"), summaries=True), parallel=True, custom=True, stateful=True, prompt_cache="auto"),
            "chat": Skin(path="/chat/completions", model="gpt-5.6", cap=Cap(field="max_completion_tokens", max=128000), reasoning=Reasoning(control="effort", levels=("none", "low", "medium", "high", "xhigh"), rejects=("temperature", "top_p")), parallel=True),
        },
    ),
    "m3": Target(
        provider="minimax",
        model="MiniMax-M3",
        tag="153812",
        context=200000,
        price="small",
        skins={
            "chat": Skin(path="/chat/completions", model="MiniMax-M3", cap=Cap(field="max_tokens", max=8192, over="clamp"), reasoning=Reasoning(control="effort", levels=("low", "medium"), map=(("high", "medium"), ("xhigh", "medium")), echo="required"), parallel=True),
        },
    ),
    "qwen": Target(
        provider="gpu",
        model="qwen3-coder",
        tag="67f2d2",
        context=131072,
        price="own",
        skins={
            "chat": Skin(path="/chat/completions", model="qwen3-coder", cap=Cap(field="max_tokens", max=8192, over="clamp"), limits=Limits(body_bytes=614400, tool_schema_bytes=204800)),
        },
    ),
}
