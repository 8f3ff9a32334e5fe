# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""One deployment: its settings; tables and finished lists stand beside."""

from runtime.vocabulary import Settings

SETTINGS = Settings(
    name="smallest",
)
