# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""Who may call, what they reach, and digests of their tokens."""

from runtime.vocabulary import Budget, Caller, LimitSet, Token

REACHES: dict[str, tuple[str, ...]] = {
    "web": ("anthropic", "openai", "minimax", "gpu"),
    "vault": ("anthropic", "gpu"),
}

LIMITS: dict[str, LimitSet] = {
    "developer": LimitSet(rpm=120, tpm=2000000, concurrent=16, day=Budget(usd=40.0), reserve_output=4096),
    "smoke": LimitSet(rpm=20, tpm=200000, concurrent=2, day=Budget(usd=2.0), reserve_output=512),
}

CALLERS: dict[str, Caller] = {
    "alice": Caller(user="alice", project="web", env="dev", groups=("coder", "auto"), reach="web", listing="web-0ece2ecc", limits="developer"),
    "bob": Caller(user="bob", project="vault", env="prod", groups=("coder",), reach="vault", listing="vault-c84a9e3a", limits="developer"),
    "ci": Caller(user="ci", project="web", env="ci", groups=("vision-smoke",), reach="web", listing="web-2a91d59d", limits="smoke"),
    "prometheus": Caller(user="prometheus", project="web", env="ops", groups=(), reach="web", roles=("metrics", "reports")),
}

TOKENS: dict[str, Token] = {
    "rtr_acme_alice_web_dev_k1": Token(caller="alice", sha256="7e7de929dc53b3f045f713a964e99a9b6be28b6cea8c59ef730f804952e00e9d"),
    "rtr_acme_bob_vault_prod_k1": Token(caller="bob", sha256="a0e4e0d92b5372e7c74ed1512d3ba9e9cd35fc1c25b6824942f697f536b7b45d"),
    "rtr_acme_ci_web_ci_k1": Token(caller="ci", sha256="d3eec57da02b208399008080e2ce57ec7c38c86a99bc149a412db1e04e5246c0", expires="2027-01-31"),
    "rtr_acme_prometheus_web_ops_k1": Token(caller="prometheus", sha256="2cca72c1518cc5bf9184e18812aaf5bbc5f458512fb01d3d80c09d874b3a4920"),
}
