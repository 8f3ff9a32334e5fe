# Compiled from deployment.yaml. Do not edit: change it and run `interlock build deployment.yaml`.
"""One deployment: its settings; tables and finished lists stand beside."""

from runtime.vocabulary import Settings

SETTINGS = Settings(
    name="three",
    description='Quotes " and \'more\', a back\\slash, a percent {{ sign }} and an umlaut ü',
    default_group="coder",
    hosted_tools={"web_search": "prefer"},
    levels={"low": "Quick", "medium": "Everyday", "high": "Hard"},
)
