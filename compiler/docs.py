"""The diagnostics reference: a page per code, made of the docstring of the function that finds it.

`python -m compiler.docs` writes docs/diagnostics/ anew. It adds no fact of its own.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Final

import compiler.pipeline  # noqa: F401 - importing the stages is what fills RULES
from compiler.diagnostics import RULES, Rule
from runtime.bridges.served import BRIDGES

FOLDER: Final = Path(__file__).parents[1] / "docs/diagnostics"
BRIDGES_PAGE: Final = Path(__file__).parents[1] / "docs/bridges.md"
FAMILIES: Final[dict[str, str]] = {
    "1": "Reading the YAML",
    "2": "Shape of the fields",
    "3": "Names and references",
    "4": "Nobody answers",
    "5": "Lost on a bridge",
    "6": "Limits, keys, numbers, evidence",
    "7": "Not in effect yet",
}
_EXAMPLES: Final = ("Bad:", "Good:")


def pages() -> dict[str, str]:
    """Every file of the reference by name, the index among them."""
    found = {f"{code}.md": page(RULES[code]) for code in sorted(RULES)}
    return {"README.md": index(), **found}


def page(rule: Rule) -> str:
    """What the code means, why it matters, a bad and a good YAML."""
    return f"# {rule.code} {rule.name} ({rule.severity})\n\n{_with_fences(rule.page)}\n"


def index() -> str:
    """All codes by family, with the first sentence of each page."""
    rows = [
        "# Diagnostics",
        "",
        "Every code the compiler may report. Made from the docstrings of the checks; do not edit:",
        "run `python -m compiler.docs`.",
    ]
    for family, codes in groupby(sorted(RULES), key=lambda code: code[2]):
        rows += ["", f"## {family}xx {FAMILIES[family]}", ""]
        rows += [_row(RULES[code]) for code in codes]
    return "\n".join(rows) + "\n"


def bridges_page() -> str:
    """The fate of every request field on every bridge."""
    rows = [
        "# Bridges",
        "",
        "What becomes of each field of a request that is answered by a target of another dialect.",
        "Made from the tables in `runtime/bridges/`; do not edit: run `python -m compiler.docs`.",
        "A field that stands in no table is left out and named in the trace.",
    ]
    for name, bridge in BRIDGES.items():
        caller, _, upstream = name.partition("_to_")
        rows += [
            "",
            f"## {name}",
            "",
            f"| {caller} | fate | {upstream}, or why |",
            "| --- | --- | --- |",
        ]
        rows += [
            f"| `{field.name}` | {field.fate} | {field.why or _told_to(field.to)} |"
            for field in bridge.table.fields
        ]
    return "\n".join(rows) + "\n"


def _told_to(to: str) -> str:
    return f"`{to}`" if to else ""


def write(folder: Path = FOLDER) -> None:
    """Writes every page and removes those of codes that are gone."""
    BRIDGES_PAGE.write_text(bridges_page(), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    texts = pages()
    for stale in folder.glob("*.md"):
        if stale.name not in texts:
            stale.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _row(rule: Rule) -> str:
    first = rule.page.split("\n\n")[0].replace("\n", " ")
    return f"- [{rule.code}]({rule.code}.md) {rule.name} ({rule.severity}): {first}"


def _with_fences(text: str) -> str:
    """Markdown of a docstring: what is indented below `Bad:` and `Good:` becomes YAML."""
    rows: list[str] = []
    inside = False
    for line in [*text.splitlines(), "end"]:
        indented = line.startswith("    ")
        if inside and line and not indented:
            while not rows[-1]:
                rows.pop()
            rows += ["```", ""]
            inside = False
        elif indented and not inside:
            rows.append("```yaml")
            inside = True
        rows.append(f"## {line.rstrip(':')}" if line in _EXAMPLES else line.removeprefix("    "))
    return "\n".join(rows[:-1]).rstrip()


if __name__ == "__main__":
    write()
