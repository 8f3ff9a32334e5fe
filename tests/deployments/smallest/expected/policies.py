# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""The groups: how their candidates are ordered and tried."""

from runtime.vocabulary import Group

GROUPS: dict[str, Group] = {
    "coder": Group(
        kind="ordered",
        surfaces=("chat",),
        ranks={"small": 0},
    ),
}
