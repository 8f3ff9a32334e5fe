"""6xx: where requests go and with what: URLs, headers, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compiler.checks.walk import section
from compiler.diagnostics import Finding, rule
from compiler.model import Deployment
from runtime.images import url_allowed

# What tells a provider who we are. Everything else a request needs is the router's own to write.
ATTRIBUTION_HEADERS: Final = (
    "HTTP-Referer",
    "X-Title",
    "User-Agent",
    "OpenAI-Organization",
    "OpenAI-Project",
)
_LOCAL_URL: Final = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?(?:/[!-~]*)?"
)
_AMBIGUOUS: Final = re.compile(r"[?#\\@%]|/\.\.?(?:/|$)|//.*//")


@rule("IL602")
def base_url(deployment: Deployment) -> Iterator[Finding]:
    """A provider's base URL is not one that prompts and keys may be sent to.

    Without `allow_http` it must be https, on port 443, with a public DNS name or address. With
    `allow_http: true` the provider stands in your own network: http, other ports and private
    hosts are fine. Never allowed are user names, queries, fragments and backslashes, which two
    readers of a URL take in two ways.

    Bad:

        gpu: {base_url: http://vllm.internal:8000/v1, auth: none}

    Good:

        gpu: {base_url: http://vllm.internal:8000/v1, auth: none, allow_http: true}
    """
    for id_, provider in deployment.providers.items():
        url, inside = provider.base_url, _allows_http(deployment, id_)
        well_formed = _LOCAL_URL.fullmatch(url) and not _AMBIGUOUS.search(url)
        if well_formed and (inside or url_allowed(url, ("https",))):
            continue
        if not well_formed:
            reason = "is not a plain URL"
            hint = "write scheme, host and path only, such as `https://api.example.com/v1`"
        elif url.startswith("http://"):
            reason = "sends prompts and keys in the clear"
            hint = "use https, or add `allow_http: true` if it stands in your own network"
        else:
            reason = "is not a public host on port 443"
            hint = "add `allow_http: true` if it stands in your own network"
        yield Finding(
            ("providers", id_, "base_url"), f"the base URL of `{id_}` {reason}", hint=hint
        )


@rule("IL603")
def public_url(deployment: Deployment) -> Iterator[Finding]:
    """`public_url` is not the plain address of the router.

    Recipes append `/v1` to it, so it has a scheme and a host, perhaps a port and a prefix.

    Bad:

        public_url: router.acme.example/v1?x=1

    Good:

        public_url: https://router.acme.example
    """
    url = deployment.settings.public_url
    if url and (not _LOCAL_URL.fullmatch(url) or _AMBIGUOUS.search(url)):
        yield Finding(
            ("public_url",),
            "`public_url` is not a plain URL",
            hint="write it like `https://router.acme.example`",
        )
    elif url and url.endswith("/v1"):
        yield Finding(
            ("public_url",),
            "`public_url` ends in `/v1`, which recipes append themselves",
            hint=f"write `{url.removesuffix('/v1')}`",
        )


@rule("IL604")
def header_not_allowed(deployment: Deployment) -> Iterator[Finding]:
    """A declared header is no attribution header.

    Allowed are HTTP-Referer, X-Title, User-Agent, OpenAI-Organization and OpenAI-Project: they tell
    a provider who calls. Credentials come from `key_env`, beta values from a skin's `betas`,
    everything else from the router.

    Bad:

        headers: {Authorization: Basic dXNlcg, anthropic-beta: context-1m-2025-08-07}

    Good:

        headers: {HTTP-Referer: https://acme.example, X-Title: Acme}
    """
    allowed = {name.lower() for name in ATTRIBUTION_HEADERS}
    for id_, provider in deployment.providers.items():
        for name, _ in provider.headers:
            if name.lower() not in allowed:
                hints = {
                    "authorization": "use `auth` and `key_env`",
                    "x-api-key": "use `auth: x-api-key` and `key_env`",
                    "anthropic-beta": "use the `betas` of a Messages skin",
                }
                yield Finding(
                    ("providers", id_, "headers", name),
                    f"`{name}` is no attribution header",
                    hint=hints.get(name.lower(), f"allowed are {', '.join(ATTRIBUTION_HEADERS)}"),
                    on="key",
                )


@rule("IL605")
def key_source(deployment: Deployment) -> Iterator[Finding]:
    """A provider needs exactly one place its key comes from, or `auth: none`.

    With two places nobody knows which key is charged; with none the runtime cannot start.

    Bad:

        openai: {base_url: https://api.openai.com/v1, auth: bearer}

    Good:

        openai: {base_url: https://api.openai.com/v1, auth: bearer, key_env: OPENAI_KEY}
    """
    for id_, provider in deployment.providers.items():
        path = ("providers", id_)
        sources = [f for f in ("key_env", "key_file") if deployment.written(*path, f)]
        if provider.auth == "none" and sources:
            yield Finding(
                (*path, sources[0]),
                f"`{id_}` has `auth: none` and a key",
                hint="remove the key, or say how it travels: `auth: bearer`",
                on="key",
            )
        elif provider.auth != "none" and not sources:
            yield Finding(
                path,
                f"`{id_}` has no key",
                hint="add `key_env: NAME` with the environment variable that holds it,"
                " or `auth: none`",
                on="key",
            )
        elif len(sources) > 1:
            yield Finding(
                (*path, sources[1]),
                f"the key of `{id_}` comes from two places",
                hint=f"keep `{sources[0]}` or `{sources[1]}`",
                on="key",
            )


def _allows_http(deployment: Deployment, provider: str) -> bool:
    return section(deployment, "providers")[provider].get("allow_http", False) is True
