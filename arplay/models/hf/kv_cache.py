"""Keys and values of the tokens read, in one buffer with room to grow: a step writes one row and copies none.

A branch shares the rows that are there. Whoever would write over what another sees takes a buffer of its own first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LEAST_ROOM = 64
"""Tokens that a new buffer has room for beyond those it holds; a quarter of them where that is more."""


class KVCache:
    """``rows`` has the shape (layers, 2, B, heads, capacity, width), keys and values; ``length`` of them are filled."""

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows
        self.length = 0
        self.expected = 0
        """So many tokens are to come in all: a new buffer has room for them at once, and they are not copied again."""
        self.first: Tensor | None = None
        """The ids of the first few tokens, (B, some): see Exact in models/hf/llama.py."""
        self._mine = True  # whether rows may be written here, from _frozen on
        self._frozen = 0

    def room(self, new: int) -> Tensor:
        """The rows so far and ``new`` more, to be written; who has written them all sets ``length``."""
        after = self.length + new
        if not self._mine or self._frozen > self.length or after > self.rows.shape[-2]:
            *outer, _, width = self.rows.shape
            room = max(after + max(LEAST_ROOM, after // 4), self.expected)
            larger = self.rows.new_empty((*outer, room, width))
            larger[..., : self.length, :] = self.rows[..., : self.length, :]
            self.rows, self._mine, self._frozen = larger, True, 0
        return self.rows[..., :after, :]

    def cut(self, extra: int) -> None:
        """Forget the last ``extra`` tokens."""
        self.length -= extra

    def chosen(self, chains: Tensor) -> KVCache:
        """One of these chains of the batch, in this order."""
        other = KVCache(self.rows.index_select(2, chains))
        other.length = self.length
        other.first = None if self.first is None else self.first.index_select(0, chains)
        return other

    def branch(self) -> KVCache:
        """A second one at the same place, in the same memory."""
        other = KVCache(self.rows)
        other.length, other.first, other._mine = self.length, self.first, False
        self._frozen = max(self._frozen, self.length)
        return other
