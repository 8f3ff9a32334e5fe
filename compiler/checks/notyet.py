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


@rule("IL702", Severity.WARNING)
def limits_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """Limits are parsed and checked, but this version does not count requests, tokens or money.

    The numbers are kept for the version that counts; until then a loop is stopped by nobody.

    Bad:

        limits:
          developer: {rpm: 120, day: {usd: 40}}

    Good:

        # keep them: they are checked, and take effect with a later version
        limits:
          developer: {rpm: 120, day: {usd: 40}}
    """
    places: list[Path] = [("limits", id_) for id_ in deployment.limits]
    yield from _not_yet(places, "a set of limits", "set limits at the providers until then")


@rule("IL703", Severity.WARNING)
def cache_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """The response cache is parsed and checked, but this version keeps no answers.

    The group works as it does without a cache.

    Bad:

        groups:
          coder: {cache: true, surfaces: [chat], members: [{target: small}]}

    Good:

        groups:
          coder: {surfaces: [chat], members: [{target: small}]}
    """
    places: list[Path] = [
        ("groups", id_, "cache") for id_, group in deployment.groups.items() if group.cache
    ]
    if deployment.written("settings", "cache"):
        places.append(("settings", "cache"))
    yield from _not_yet(places, "the response cache", "every request is answered by a target")


@rule("IL704", Severity.WARNING)
def resting_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """`cooldown`, `max_in_flight` and `errors` of a provider are parsed and checked, no more.

    Failing targets are tried again with every request, in order.

    Bad:

        openai: {base_url: https://api.openai.com/v1, key_env: OPENAI_KEY, max_in_flight: 64}

    Good:

        openai: {base_url: https://api.openai.com/v1, key_env: OPENAI_KEY}
    """
    for field in ("cooldown", "max_in_flight", "errors"):
        places: list[Path] = [
            ("providers", id_, field)
            for id_ in deployment.providers
            if deployment.written("providers", id_, field)
        ]
        yield from _not_yet(places, f"`{field}`", "failing targets are tried again every time")


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


@rule("IL709", Severity.WARNING)
def roles_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """Roles are parsed and checked, but this version serves neither /metrics nor /admin.

    The token of such a caller opens what its groups open, and nothing more.

    Bad:

        prometheus: {user: prometheus, project: web, env: ops, groups: [], roles: [metrics]}

    Good:

        # keep it: the role takes effect with a later version
        prometheus: {user: prometheus, project: web, env: ops, groups: [], roles: [metrics]}
    """
    places: list[Path] = [
        ("callers", id_, "roles")
        for id_ in section(deployment, "callers")
        if deployment.callers[id_].roles
    ]
    yield from _not_yet(places, "a role", "until then it opens nothing")


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
def labels_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """Tags of targets and labels of keys are parsed and checked, but no report shows them yet.

    Until then they are notes for readers of this file.

    Bad:

        openai: {base_url: https://api.openai.com/v1, key_env: OPENAI_KEY, key_id: team-key-7}

    Good:

        # keep it: it takes effect with a later version
        openai: {base_url: https://api.openai.com/v1, key_env: OPENAI_KEY, key_id: team-key-7}
    """
    labels = (("providers", "key_id"), ("targets", "tags"))
    for name, field in labels:
        places: list[Path] = [
            (name, id_, field) for id_, entry in section(deployment, name).items() if field in entry
        ]
        yield from _not_yet(
            places, f"`{field}`", "until then it is a note for readers of this file"
        )


@rule("IL712", Severity.WARNING)
def image_prices_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """Prices of images are parsed and checked, but costs and savings leave them out.

    Images count with the input tokens they are worth, at the price of `input`.

    Bad:

        big: {input: 5, output: 25, image: 0.004, source: price page, as_of: 2026-11-02}

    Good:

        big: {input: 5, output: 25, source: price page, as_of: 2026-11-02}
    """
    places: list[Path] = [
        ("prices", id_, field)
        for id_, entry in deployment.prices.items()
        for field in ("image", "image_tokens")
        if getattr(entry.price, field)
    ]
    yield from _not_yet(places, "a price of images", "until then images cost their input tokens")
