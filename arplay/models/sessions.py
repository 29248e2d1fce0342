"""What every session has: the chain so far, its bounds, and a count of what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arplay.models.base import Info, check


class Chain:
    """The tokens of a session that keeps nothing of them; what keeps something says what."""

    def __init__(self, info: Info) -> None:
        self._info = info
        self._ids: list[int] = []
        self.evaluated = 0

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._ids)

    @property
    def storages(self) -> Mapping[int, int]:
        return {}

    @property
    def cache_bytes(self) -> int:
        return sum(self.storages.values())

    def reach(self, length: int) -> int:
        return length

    def rewind(self, length: int) -> None:
        if not 0 <= length <= len(self._ids):
            raise ValueError(f"cannot rewind {len(self._ids)} tokens to {length}")
        del self._ids[length:]

    def read(self, ids: Sequence[int]) -> None:
        given = self._checked(ids)
        self._ids += given
        self.evaluated += len(given)

    def _checked(self, ids: Sequence[int]) -> list[int]:
        """``ids``, which may follow. Raises Problem."""
        given = [int(id) for id in ids]
        check(self._info, given, len(self._ids))
        return given
