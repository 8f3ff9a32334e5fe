# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""Who may answer what; the order they are tried in stands in policies.py."""

from runtime.vocabulary import CUSTOM, HIGH, LOW, NAMESPACE, NONE, STREAM, TOOLS, Route

ROUTES: dict[str, tuple[Route, ...]] = {
    # groups.strict on responses
    "responses": (
        Route("plain", "responses", None, STREAM | TOOLS | CUSTOM | NAMESPACE, NONE, 0),
        Route("thinker", "responses", None, STREAM | TOOLS | CUSTOM | NAMESPACE, NONE | LOW | HIGH, 0),
    ),
}
