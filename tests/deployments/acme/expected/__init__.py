# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""One deployment: its settings; tables and finished lists stand beside."""

from runtime.vocabulary import Images, Settings, Trace

SETTINGS = Settings(
    name="acme",
    description="Coding agents at Acme",
    public_url="https://router.acme.example",
    default_group="coder",
    trace=Trace(body=True),
    images=Images(max_count=20, max_bytes=20971520),
    hosted_tools={"web_search": "prefer", "mcp": "refuse"},
    levels={"low": "Quick answers", "medium": "Everyday depth", "high": "Hard problems", "xhigh": "The hardest"},
    budgets={"low": 2048, "medium": 8192, "high": 16384, "xhigh": 31999},
)
