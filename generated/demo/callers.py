# Compiled from deployments/demo.yaml. Do not edit: change it and run `interlock build deployments/demo.yaml`.
"""Who may call, what they reach, and digests of their tokens."""

from runtime.vocabulary import Caller, LimitSet, Token

REACHES: dict[str, tuple[str, ...]] = {
    "web": ("scripted",),
}

LIMITS: dict[str, LimitSet] = {
    "laptop": LimitSet(rpm=600, tpm=10000000, concurrent=32),
}

CALLERS: dict[str, Caller] = {
    "you": Caller(user="you", project="web", env="dev", groups=("coder",), reach="web", listing="web-c84a9e3a", limits="laptop"),
}

TOKENS: dict[str, Token] = {
    "rtr_demo_you_web_dev_k1": Token(caller="you", sha256="6efcb25ecd0ca596ba12e055d849b8a2f4855d493d6beabae7dde5f2e03c4d37"),
}
