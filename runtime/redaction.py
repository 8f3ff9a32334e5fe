"""Takes out of an upstream's words what is nobody's business: addresses, credentials, accounts.

It knows how such things look, not which of them are ours.
"""

from __future__ import annotations

import re
from typing import Final

MAX_MESSAGE: Final = 600


def redact(text: str) -> str:
    """An upstream's words without addresses, credentials and account names, on one short line."""
    if len(text) > 2 * MAX_MESSAGE:  # not through a word: half a secret would not be recognised
        text = (text[: 2 * MAX_MESSAGE].rsplit(None, 1) or [""])[0]
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    text = " ".join(text.split())
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


_TLD: Final = (
    "com|net|org|io|ai|dev|app|co|cloud|local|localdomain|internal|intranet|lan|corp|svc|cluster"
    "|tech|xyz|eu|uk|de|cn|jp|fr|nl|ru|info|biz"
)
_LABEL: Final = "[a-z0-9-]{1,63}"
# In this order: an address may hold a credential, a header name announces one. What may be tried
# at many places is bounded, for the text is somebody else's and could be made to take long.
_REDACTIONS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " "),
        (r"data:[\w.+/-]+;base64,[\w+/=-]*", "[data]"),
        (r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>)\]]+", "[url]"),
        (r"\b(bearer)\s+[\w.~+/=-]{6,}", r"\1 [redacted]"),
        (r"\b(basic)\s+[\w+/=]{16,}", r"\1 [redacted]"),
        (r"\b(x-api-key|api[-_ ]?key|authorization|token|secret|password)(\s*[:=]\s*)[\"']?"
         r"[^\s\"',;]{4,}", r"\1\2[redacted]"),
        (r"\b(?:sk|pk|rk|rtr|gsk|xai|pplx|csk|hf|fw)[-_][\w.*-]{8,}", "[redacted]"),
        (r"\b(?:AIza|AKIA|ya29\.|eyJ|key-)[\w.*-]{12,}", "[redacted]"),
        (r"\b(?:org|proj|user|acct)[-_][\w-]{6,}", "[redacted]"),
        (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", "[redacted]"),
        (r"\blocalhost(?::\d{1,5})?\b", "[host]"),
        (rf"\b{_LABEL}(?:\.{_LABEL}){{0,8}}:(?:80|443|3000|5000|8000|8080|8443|11434)\b",
         "[host]"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", "[host]"),
        (r"\[?(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\]?(?::\d{1,5})?", "[host]"),
        (rf"\b(?:{_LABEL}\.){{1,8}}(?:{_TLD})\b(?::\d{{1,5}})?(?:/[^\s\"'<>)]*)?",
         "[host]"),
        (r"\b(?=[a-z_-]{0,64}\d)(?=[\d_-]{0,64}[a-z])[\w-]{32,}\b", "[redacted]"),
    )
)  # fmt: skip
