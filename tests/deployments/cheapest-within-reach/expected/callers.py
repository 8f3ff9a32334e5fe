# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""Who may call, what they reach, and digests of their tokens."""

from runtime.vocabulary import Caller, LimitSet, Token

REACHES: dict[str, tuple[str, ...]] = {
    "web": ("us", "eu"),
    "vault": ("eu",),
}

LIMITS: dict[str, LimitSet] = {
    "dev": LimitSet(rpm=60),
}

CALLERS: dict[str, Caller] = {
    "alice": Caller(user="alice", project="web", env="dev", groups=("coder",), reach="web", listing="web-c84a9e3a", limits="dev"),
    "bob": Caller(user="bob", project="vault", env="prod", groups=("coder",), reach="vault", listing="vault-c84a9e3a", limits="dev", expires="2027-01-31"),
}

TOKENS: dict[str, Token] = {
    "rtr_reach_alice_web_dev_k1": Token(caller="alice", sha256="7e7de929dc53b3f045f713a964e99a9b6be28b6cea8c59ef730f804952e00e9d"),
    "rtr_reach_bob_vault_prod_k1": Token(caller="bob", sha256="a0e4e0d92b5372e7c74ed1512d3ba9e9cd35fc1c25b6824942f697f536b7b45d"),
}
