"""Plan to text: views decide what stands on each line, templates place it, nothing computes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from compiler.plan import Plan
from compiler.render import views
from compiler.render.kept import KEPT, kept_of, kept_text
from compiler.render.literals import Literals
from compiler.render.lock import lock_text

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701  Python text, not HTML; values arrive through `repr`
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)

# Module -> its view and its sentence; routes and the package itself are laid out apart.
_TABLES = {
    "providers.py": (views.providers, "The upstream hosts."),
    "targets.py": (views.targets, "The models, and the numbers of each skin."),
    "policies.py": (views.policies, "The groups: how their candidates are ordered and tried."),
    "callers.py": (views.callers, "Who may call, what they reach, and digests of their tokens."),
}


def render(plan: Plan, source: str) -> dict[str, str]:
    """Every file of the artifact but its manifest, by path. `source` names the YAML."""
    files = {"__init__.py": _package(plan, source)}
    for name, (view, sentence) in _TABLES.items():
        text = Literals()
        tables = view(plan, text)
        files[name] = _module("tables.py.j2", source, sentence, text, {"tables": tables})
    for group in plan.deployment.groups.values():
        text = Literals()
        surfaces = views.surfaces(plan, group, text)
        sentence = "Who may answer what; the order they are tried in stands in policies.py."
        files[f"routes/{group.id}.py"] = _module(
            "routes.py.j2", source, sentence, text, {"surfaces": surfaces}
        )
    for listing in plan.listings.values():
        files[f"models/{listing.id}.json"] = listing.text
    files["eligibility.lock"] = lock_text(plan)
    files[KEPT] = kept_text(kept_of(plan.deployment))
    return files


def _package(plan: Plan, source: str) -> str:
    text = Literals()
    settings = text.block(plan.tables.settings, 0)
    sentence = "One deployment: its settings; tables and finished lists stand beside."
    return _module("package.py.j2", source, sentence, text, {"settings": settings})


def _module(
    template: str, source: str, sentence: str, text: Literals, values: Mapping[str, object]
) -> str:
    named = views.comment(source)
    header = f"# Compiled from {named}. Do not edit: change it and run `interlock build {named}`."
    return _ENVIRONMENT.get_template(template).render(
        header=header, sentence=sentence, imports=views.imports(text.words), **values
    )
