"""6xx: credentials that stand in the file; knows only how they look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.diagnostics import Finding, Location, Path, rule
from compiler.keylike import credential_kind, credentials_in, random_looking
from compiler.source import Document


@rule("IL601")
def key_in_file(document: Document) -> Iterator[Finding]:
    """A literal looks like a credential, or a comment holds one.

    The file is reviewed, copied and kept for ever in history. Provider keys stand in the
    environment or in a file beside the router; of a router token only the digest is needed. A key
    that was committed is lost: revoke it. Nothing the compiler prints shows it.

    Bad:

        providers:
          openai:
            base_url: https://api.openai.com/v1
            headers: {X-Title: sk-proj-aaaaaaaaaaaaaaaaaaaaaaaa}

    Good:

        providers:
          openai:
            base_url: https://api.openai.com/v1
            key_env: OPENAI_KEY
    """
    told: set[int] = set()
    for path, text, on_key in _texts(document.data, ()):
        field = next(step for step in reversed(path) if isinstance(step, str))
        kind = credential_kind(text)
        if kind is None and not on_key and random_looking(field, text):
            kind = "a credential"
        if kind:
            at = document.locate(path, "key" if on_key else "value")
            told.add(at.line)
            yield _found(f"`{'this key' if on_key else field}`", kind, at, text)
    for number, line in enumerate(document.lines, 1):
        for kind, start, width in credentials_in(line) if number not in told else ():
            at = Location(document.file, number, start + 1, width)
            yield _found("this line", kind, at, line[start : start + width])


def _found(where: str, kind: str, at: Location, secret: str) -> Finding:
    return Finding(
        (),
        f"{where} holds what looks like {kind}",
        label="not shown",
        hint="name an environment variable with `key_env`, or of a router token write `id` and"
        " `sha256`; revoke this one if it is real",
        at=at,
        secret=secret,
    )


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str, bool]]:
    """Every text in the data with its path, keys too."""
    if isinstance(value, str):
        yield path, value, False
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key), key, True
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
