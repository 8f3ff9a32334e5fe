"""Provider keys: read once at start, put into one header, never shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runtime.upstream.request import Header
from runtime.vocabulary import Provider


class MissingKeys(Exception):
    """Keys that are absent, or that no key can look like. `names` are their variables and files."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name} {fault}" for name, fault in faults.items()))
        self.names = tuple(faults)


def auth_headers(
    providers: Mapping[str, Provider], env: Mapping[str, str]
) -> dict[str, Header | None]:
    """Each provider's credential as a header. All that is wrong is reported at once."""
    found: dict[str, Header | None] = {}
    faults: dict[str, str] = {}
    for provider_id, provider in providers.items():
        if provider.auth == "none":
            found[provider_id] = None
            continue
        name, key = _read(provider_id, provider, env)
        if fault := _fault(key):
            faults[name] = f"{fault} (the key of provider `{provider_id}`)"
        else:
            found[provider_id] = _header(provider.auth, key)
    if faults:
        raise MissingKeys(faults)
    return found


def _read(provider_id: str, provider: Provider, env: Mapping[str, str]) -> tuple[str, str]:
    """Where the key should stand, and the key: "" where it is absent."""
    if provider.key_env:
        return provider.key_env, env.get(provider.key_env, "").strip()
    if provider.key_file:
        try:
            return provider.key_file, Path(provider.key_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return provider.key_file, ""
    return f"providers.{provider_id}.key_env", ""


def _fault(key: str) -> str:
    if not key:
        return "is missing or empty"
    # A key is visible ASCII; a space or line break inside it is a slip in pasting.
    return "" if all("!" <= c <= "~" for c in key) else "holds characters that no key has"


def _header(auth: str, key: str) -> Header:
    if auth == "bearer":
        return b"authorization", b"Bearer " + key.encode()
    return auth.lower().encode(), key.encode()
