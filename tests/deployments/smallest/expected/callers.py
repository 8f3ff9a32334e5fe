# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""Who may call, what they reach, and digests of their tokens."""

from runtime.vocabulary import Caller, LimitSet, Token

REACHES: dict[str, tuple[str, ...]] = {
    "web": ("own",),
}

LIMITS: dict[str, LimitSet] = {
    "dev": LimitSet(rpm=60),
}

CALLERS: dict[str, Caller] = {
    "alice": Caller(user="alice", project="web", env="dev", groups=("coder",), reach="web", listing="web-c84a9e3a", limits="dev"),
}

TOKENS: dict[str, Token] = {
    "rtr_smallest_alice_web_dev_k1": Token(caller="alice", sha256="7e7de929dc53b3f045f713a964e99a9b6be28b6cea8c59ef730f804952e00e9d"),
}
