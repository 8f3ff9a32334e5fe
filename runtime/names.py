"""Names that callers put in `model`: a group's id, an alias or a pattern of one, and whose it is.

It knows nothing of candidates. Unknown and forbidden groups are told alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Final, Protocol

from runtime.errors import CallerError
from runtime.vocabulary import Caller, Group, Settings

_MAX_NAME: Final = 256  # longer ones match no pattern


def resolve_group(artifact: Names, caller: Caller, model: str | None) -> str:
    """The group a caller's `model` means: among its own groups by id, then alias, then glob."""
    if not model:
        default = artifact.settings.default_group
        if default is None or default not in caller.groups:
            raise CallerError(
                "missing-model",
                "The request names no model. Set `model` to one of GET /v1/models.",
                param="model",
            )
        return default
    if model in caller.groups:  # an id comes before any alias
        return model
    names = _names(caller.groups, tuple(artifact.groups[g].aliases for g in caller.groups))
    found = names.find(model)
    if found is None:
        raise CallerError(
            "model-not-allowed",
            f"This token may not use the model `{model[:64]}`. "
            "GET /v1/models lists those it may use.",
            param="model",
        )
    return found


def is_glob(alias: str) -> bool:
    """Whether an alias is a pattern, not a literal name."""
    return any(mark in alias for mark in "*?[")


class Names(Protocol):
    """What name resolution reads of an artifact."""

    @property
    def groups(self) -> Mapping[str, Group]: ...
    @property
    def settings(self) -> Settings: ...


@lru_cache(maxsize=4096)
def _names(groups: tuple[str, ...], aliases: tuple[tuple[str, ...], ...]) -> _Resolver:
    return _Resolver(groups, aliases)


class _Resolver:
    """Model names of one set of groups."""

    def __init__(self, groups: tuple[str, ...], aliases: tuple[tuple[str, ...], ...]) -> None:
        self._exact = {group: group for group in groups}
        self._globs = []
        for group, names in zip(groups, aliases, strict=True):
            for name in names:
                if is_glob(name):
                    self._globs.append((re.compile(translate(name)), group))
                else:
                    self._exact.setdefault(name, group)

    def find(self, model: str) -> str | None:
        found = self._exact.get(model)
        if found is not None or len(model) > _MAX_NAME:
            return found
        for pattern, group in self._globs:
            if pattern.match(model):
                return group
        return None
