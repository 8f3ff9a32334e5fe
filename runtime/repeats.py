"""What was made of texts that come again: an agent sends the same tools with every request.

It knows neither the texts nor what is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from sys import getsizeof
from typing import Any, Final, Protocol, TypeVar

import msgspec

# How many texts are kept, and how many bytes with what was made of them: of one, and of all.
_MOST: Final = 64
_LARGEST: Final = 512 * 1024
_MOST_BYTES: Final = 8 * 1024 * 1024
# About what the place of a word in a set or a mapping takes.
_PLACE_BYTES: Final = 100


class Made(Protocol):
    """Something made of texts. `weight` is about how many bytes it holds."""

    @property
    def weight(self) -> int: ...


T = TypeVar("T", bound=Made)


def weight_of(words: Iterable[str]) -> int:
    """About how many bytes words hold that are kept in a set or a mapping."""
    return sum([getsizeof(word) + _PLACE_BYTES for word in words])


class _Entry(msgspec.Struct, frozen=True, eq=False):
    """Texts, and all that was made of them, by its maker and what else it depends on."""

    texts: tuple[msgspec.Raw, ...]
    made: Mapping[Any, Any]
    weight: int


class Repeats:
    """What was made of the texts that came last, bounded in number and in bytes.

    Everybody who asks is given the same, so it must never be changed. Texts are told apart by their
    size, and then byte for byte: that takes a quarter of the time of hashing them.
    """

    def __init__(self) -> None:
        # by the size of the texts: what was asked for last stands last, here and among its size
        self._kept: dict[int, list[_Entry]] = {}
        self._count = 0
        self._weight = 0

    def made(self, how: tuple[Any, ...], texts: Iterable[msgspec.Raw], make: Callable[[], T]) -> T:
        """What was made of these texts before, or what `make` makes of them now.

        `how` names the maker, and all that its work depends on beside the texts: values, for they
        are kept. What `make` raises is not remembered.
        """
        texts = tuple(texts)
        size = sum([len(memoryview(text)) for text in texts])
        if size > _LARGEST:
            return make()
        entry = self._find(size, texts)
        found: T | None = entry.made.get(how) if entry else None
        if found is not None:
            return found
        made = make()
        # copied, or they would keep the whole body that they stand in
        known = entry or _Entry(tuple([text.copy() for text in texts]), {}, size)
        weight = known.weight + made.weight
        if weight <= _LARGEST:
            if entry:
                self._forget(size, entry)
            self._keep(size, _Entry(known.texts, {**known.made, how: made}, weight))
        return made

    def _find(self, size: int, texts: tuple[msgspec.Raw, ...]) -> _Entry | None:
        for entry in self._kept.get(size, ()):
            if entry.texts == texts:
                others = [other for other in self._kept.pop(size) if other is not entry]
                self._kept[size] = [*others, entry]
                return entry
        return None

    def _keep(self, size: int, entry: _Entry) -> None:
        while self._count >= _MOST or self._weight + entry.weight > _MOST_BYTES:
            oldest, entries = next(iter(self._kept.items()))
            self._forget(oldest, entries[0])
        self._kept[size] = [*self._kept.pop(size, ()), entry]
        self._count += 1
        self._weight += entry.weight

    def _forget(self, size: int, entry: _Entry) -> None:
        self._kept[size].remove(entry)
        if not self._kept[size]:
            del self._kept[size]
        self._count -= 1
        self._weight -= entry.weight
