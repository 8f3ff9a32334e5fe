# Compiled from deployments/demo.yaml. Do not edit: change it and run `interlock build deployments/demo.yaml`.
"""One deployment: its settings; tables and finished lists stand beside."""

from runtime.vocabulary import Settings

SETTINGS = Settings(
    name="demo",
    description="A router on your own machine",
    default_group="coder",
    no_eligible_status=400,
    hosted_tools={"web_search": "prefer"},
    levels={"low": "Quick answers", "medium": "Everyday depth", "high": "Hard problems"},
    budgets={"low": 2048, "medium": 8192, "high": 16384},
)
