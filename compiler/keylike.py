"""Tells a literal that looks like a credential from an ordinary word; knows nothing of YAML.

The findings of the compiler end up in terminals, pull requests and CI logs, so whatever looks like
a credential is also starred out of every line they quote.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

# What kind of credential -> how it reads. A token of ours counts only with its secret part.
KINDS: dict[str, re.Pattern[str]] = {
    "a router token": re.compile(r"\brtr_(?:[a-z0-9-]+_){5}[A-Za-z0-9]{20,}"),
    "an Anthropic key": re.compile(r"\bsk-ant-[A-Za-z0-9_-]{8,}"),
    "an API key": re.compile(r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}"),
    "a Stripe-like key": re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a Slack token": re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,}"),
    "a Google key": re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "a Groq key": re.compile(r"\bgsk_[A-Za-z0-9]{30,}"),
    "an xAI key": re.compile(r"\bxai-[A-Za-z0-9]{30,}"),
    "an NVIDIA key": re.compile(r"\bnvapi-[A-Za-z0-9_-]{30,}"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a password in a URL": re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
    "a bearer credential": re.compile(r"\b[Bb]earer\s+[A-Za-z0-9._~+/=-]{16,}"),
}
SHORTEST = 8
_ANY = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in KINDS.values()))

# Fields whose name says that a credential may stand there.
_KEY_FIELD = re.compile(
    r"(?:^|[_.-])(?:key|token|secret|password|passwd|credential|authorization|auth|cookie)s?$",
    re.IGNORECASE,
)
_DENSE = re.compile(r"[A-Za-z0-9+/=_.-]{24,}")
_RANDOM_BITS = 3.4  # bits per character: words stay below, random text lies above


def credential_kind(text: str) -> str | None:
    """What `text` looks like by its form alone, e.g. "an Anthropic key"; None for ordinary text."""
    if len(text) < SHORTEST or not _ANY.search(text):
        return None
    return next((kind for kind, pattern in KINDS.items() if pattern.search(text)), None)


def credentials_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Every credential a text holds: its kind, where it begins, and how long it is."""
    for found in _ANY.finditer(text):
        yield credential_kind(found.group()) or "a credential", found.start(), len(found.group())


def random_looking(field: str, text: str) -> bool:
    """Whether `text` is a long run of random characters in a field named like a credential."""
    if not _KEY_FIELD.search(field) or not _DENSE.fullmatch(text):
        return False
    return any(c.isdigit() for c in text) and _entropy(text) > _RANDOM_BITS


def redact(text: str) -> str:
    """The text with everything that looks like a credential starred out, as long as before."""
    return _ANY.sub(lambda found: "*" * len(found.group()), text)


def _entropy(text: str) -> float:
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)
