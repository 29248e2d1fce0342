"""What was made last is kept, so as not to make it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most ``most`` values by their keys: those that were used last.

    >>> squares = Recent[int, int](2)
    >>> [squares.get(n, lambda n=n: n * n) for n in (2, 3, 2, 4)], list(squares)
    ([4, 9, 4, 16], [16, 4])
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value that is kept, or a new one. Where ``make`` raises, nothing is kept."""
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return self._kept[key]

    def put(self, key: K, value: V) -> None:
        """Keep a value that was made elsewhere."""
        self._kept.pop(key, None)
        self.get(key, lambda: value)

    def find(self, key: K) -> V | None:
        """The value that is kept."""
        return self._kept.get(key)

    def drop(self, key: K) -> None:
        self._kept.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def clear(self) -> None:
        self._kept.clear()

    def __iter__(self) -> Iterator[V]:
        """The values, the one that was used last first."""
        return reversed(self._kept.values())
