"""7xx: what is parsed and checked, and has no effect yet. A code goes when its effect arrives."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.checks.walk import section, skins, written_skins
from compiler.diagnostics import Finding, Path, Severity, rule
from compiler.model import Deployment, SkinDef
from runtime.bridges import SERVED


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


@rule("IL701", Severity.WARNING)
def bridges_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """Bridges are parsed and checked, but this version does not serve them.

    A target answers only in the dialects of its own skins; `explain` says `bridge-not-served`.

    Bad:

        chat:
          bridges: {messages_to_chat: {carry: [stream, tools]}}

    Good:

        messages: {stream: native, tools: [function]}      # a skin of the target's own
    """
    places: list[Path] = [
        (*path, "bridges", name)
        for path, skin in written_skins(deployment)
        for name in skin.get("bridges", {})
        if name not in SERVED
    ]
    yield from _not_yet(places, "a bridge", "until then the target answers by its own skins only")


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


@rule("IL705", Severity.WARNING)
def phases_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """Phases are parsed and checked, but this version does not tell them apart.

    Every request is in the phase of the last rule, which catches all.

    Bad:

        policy: {kind: phases}

    Good:

        policy: {kind: ordered}
    """
    places: list[Path] = [
        ("groups", id_, "phases") for id_, group in deployment.groups.items() if group.phases
    ]
    yield from _not_yet(
        places, "telling phases apart", "until then every request is in the last rule's phase"
    )


@rule("IL706", Severity.WARNING)
def synthesized_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """`stream: synthesized` is parsed and checked, but counts as no stream in this version.

    Agents ask for streams, so such a skin answers hardly any of their requests.

    Bad:

        chat: {stream: synthesized}

    Good:

        chat: {stream: native}
    """
    places: list[Path] = [
        (*path, "stream")
        for path, skin in written_skins(deployment)
        if skin.get("stream") == "synthesized"
    ]
    yield from _not_yet(
        places, "`stream: synthesized`", "until then the skin does not answer streamed requests"
    )


@rule("IL707", Severity.WARNING)
def trace_body_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """`trace.body` is parsed and checked, but no `_router` object is added to answers yet.

    The same facts stand in the trace headers.

    Bad:

        settings: {trace: {body: true}}

    Good:

        settings: {trace: {prefix: X-Router}}
    """
    places: list[Path] = [("settings", "trace", "body")] if deployment.settings.trace.body else []
    yield from _not_yet(places, "`trace.body`", "read the trace headers until then")


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


@rule("IL713", Severity.WARNING)
def bridge_facts_not_yet(deployment: Deployment) -> Iterator[Finding]:
    """A skin says what only bridges read: it is parsed and checked, and decides nothing yet.

    `prompt_cache` and the `field` of reasoning text tell a bridge how to write requests and read
    answers, and so do `summaries` outside Responses. A skin's own dialect passes them as they are.

    Bad:

        chat: {stream: native, prompt_cache: auto}

    Good:

        # keep it: it takes effect together with bridges
        chat: {stream: native, prompt_cache: auto}
    """
    if SERVED:
        return
    facts: dict[str, list[Path]] = {}
    for path, _, skin in skins(deployment):
        for field in _facts(skin):
            if field[-1] == "summaries" and not deployment.written(*path, *field):
                continue  # a profile says it for the Responses skins that share it
            facts.setdefault(".".join(field), []).append((*path, *field))
    for name, places in facts.items():
        yield from _not_yet(places, f"`{name}`", "until bridges are, it decides nothing")


def _facts(skin: SkinDef) -> Iterator[tuple[str, ...]]:
    if skin.prompt_cache != "none":
        yield ("prompt_cache",)
    if skin.reasoning and skin.reasoning.field != "reasoning_content":
        yield ("reasoning", "field")
    if skin.reasoning and skin.reasoning.summaries and skin.dialect != "responses":
        yield ("reasoning", "summaries")
