# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""One deployment: its settings; tables and finished lists stand beside."""

from runtime.vocabulary import Settings

SETTINGS = Settings(
    name="phases",
    hosted_tools={"web_search": "strip", "mcp": "refuse"},
    levels={"none": "No thinking", "low": "Quick", "high": "Hard"},
    budgets={"low": 2048, "high": 16384},
)
