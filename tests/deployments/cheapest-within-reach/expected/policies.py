# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The groups: how their candidates are ordered and tried."""

from runtime.vocabulary import Group

GROUPS: dict[str, Group] = {
    "coder": Group(
        kind="cheapest",
        surfaces=("chat",),
        ranks={"dear": 1, "cheap": 0, "same": 0},
        weights={"dear": 1, "cheap": 2, "same": 1},
    ),
}
