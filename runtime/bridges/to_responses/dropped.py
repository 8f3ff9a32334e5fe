"""The names of what a request loses on its way; it knows none of them."""

from __future__ import annotations

from collections.abc import Iterable


class Dropped:
    """Names in the order they were first missed, each once."""

    __slots__ = ("_names",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = dict.fromkeys(names)

    def add(self, name: str) -> None:
        """Names one more."""
        self._names[name] = None

    def names(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._names)
