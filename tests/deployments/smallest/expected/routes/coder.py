# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""Who may answer what; the order they are tried in stands in policies.py."""

from runtime.vocabulary import NONE, STREAM, Route

ROUTES: dict[str, tuple[Route, ...]] = {
    # groups.coder on chat
    "chat": (
        Route("small", "chat", None, STREAM, NONE, 0),
    ),
}
