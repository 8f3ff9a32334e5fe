"""7xx: what is parsed and checked, and has no effect yet. A code goes when its effect arrives."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.checks.walk import section
from compiler.diagnostics import Finding, Path, Severity, rule
from compiler.model import Deployment


def _not_yet(places: list[Path], what: str, instead: str) -> Iterator[Finding]:
    """One finding at the first place, which counts the others."""
    if places:
        more = f" ({len(places)} places)" if len(places) > 1 else ""
        yield Finding(
            places[0],
            f"{what} is parsed and checked, but not in effect yet{more}",
            hint=instead,
            on="key",
        )


@rule("IL708", Severity.WARNING)
def docs_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """`settings.docs` is parsed and checked, but this version serves no pages under `/docs/`.

    Whoever may read them is decided already, so that they open to nobody else later.

    Bad:

        settings: {docs: public}

    Good:

        settings: {docs: off}
    """
    written = deployment.written("settings", "docs") and deployment.settings.docs != "off"
    places: list[Path] = [("settings", "docs")] if written else []
    yield from _not_yet(places, "`docs`", "until then there are no pages under `/docs/`")


@rule("IL710", Severity.WARNING)
def public_url_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """`public_url` is parsed and checked, but the recipes it stands in are not served yet.

    Clients are configured by hand until then.

    Bad:

        public_url: https://router.acme.example

    Good:

        # keep it: it takes effect with a later version
        public_url: https://router.acme.example
    """
    places: list[Path] = [("public_url",)] if deployment.settings.public_url else []
    yield from _not_yet(places, "`public_url`", "until then write the address into each client")


@rule("IL711", Severity.WARNING)
def tags_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """Tags of targets are parsed and checked, but no report shows them yet.

    Until then they are notes for readers of this file.

    Bad:

        small: {provider: own, model: qwen3-coder, tags: [fast]}

    Good:

        # keep it: it takes effect with a later version
        small: {provider: own, model: qwen3-coder, tags: [fast]}
    """
    places: list[Path] = [
        ("targets", id_, "tags")
        for id_, entry in section(deployment, "targets").items()
        if "tags" in entry
    ]
    yield from _not_yet(places, "`tags`", "until then it is a note for readers of this file")
