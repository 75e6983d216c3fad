"""Recommendations as they are remembered: the same, in a quarter of the memory. Pure."""

import struct
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import replace
from sys import intern
from threading import Lock

from services.common.recommendation import Recommendation

_NUMBERS: dict[str, int] = {}
_NAMES: list[str] = []
"""Names of terms: those of the model, and of the models before it."""
_LOCK = Lock()
"""Held while a name is given its number: candidates are remembered by several threads."""


def _number(name: str) -> None:
    with _LOCK:
        if name not in _NUMBERS:
            _NAMES.append(name)
            _NUMBERS[name] = len(_NAMES) - 1


class Terms(Mapping[str, float]):
    """Terms of a score in some ten bytes each; a dict takes a hundred."""

    __slots__ = ("_packed",)

    def __init__(self, terms: Mapping[str, float]) -> None:
        for name in terms:
            if name not in _NUMBERS:
                _number(name)
        numbers = map(_NUMBERS.__getitem__, terms)
        self._packed = struct.pack(f"={len(terms)}d{len(terms)}H", *terms.values(), *numbers)

    def _unpacked(self) -> dict[str, float]:
        count = len(self)
        values = struct.unpack(f"={count}d{count}H", self._packed)
        return dict(zip(map(_NAMES.__getitem__, values[count:]), values[:count], strict=True))

    def __len__(self) -> int:
        return len(self._packed) // 10

    def __iter__(self) -> Iterator[str]:
        return iter(self._unpacked())

    def __getitem__(self, name: str) -> float:
        return self._unpacked()[name]

    def items(self) -> ItemsView[str, float]:
        """Return names and values, unpacked once: one by one, each would unpack all."""
        return self._unpacked().items()

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Terms) and self._packed == other._packed) or super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]


def slim(one: Recommendation) -> Recommendation:
    """Return a recommendation that is equal, whose terms are packed and whose texts are shared with others."""
    return replace(
        one,
        terms=Terms(one.terms),
        person=intern(one.person),
        object=intern(one.object),
        activity=intern(one.activity),
        container=intern(one.container),
        thread=intern(one.thread),
        author=intern(one.author),
        unit=intern(one.unit),
        language=intern(one.language),
        burst=intern(one.burst),
        plain=intern(one.plain),
        model=intern(one.model),
    )
