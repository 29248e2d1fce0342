"""A layer of the KV cache with room to grow: a step writes one row instead of copying all the keys and values.

transformers' plain layer concatenates, so each step copies the whole cache (24 MB at 512 tokens of SmolLM2, in fresh
pages each time). Here the rows lie at the start of a larger buffer, and reading writes behind them.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch

from arplay.models.hf.library import cache_types

LEAST_ROOM = 64
"""Tokens that a new buffer has room for beyond those it holds; a quarter of them where that is more."""


class _Room:
    """Buffers of keys and values, of shape (batch, heads, capacity, width), and the one layer that may write there.

    Rows before ``frozen`` are seen by copies of that layer too and are not written again.
    """

    def __init__(self, owner: RoomyLayer, keys: torch.Tensor, values: torch.Tensor, length: int) -> None:
        capacity = length + max(LEAST_ROOM, length // 4)
        self.keys = keys.new_empty((*keys.shape[:2], capacity, keys.shape[3]))
        self.values = values.new_empty((*values.shape[:2], capacity, values.shape[3]))
        self.frozen = 0
        self._owner = weakref.ref(owner)

    def takes(self, layer: RoomyLayer, before: int, after: int) -> bool:
        """Whether ``layer``, whose rows end at ``before``, may write the rows up to ``after`` here."""
        here = layer.keys.data_ptr() == self.keys.data_ptr() and layer.values.data_ptr() == self.values.data_ptr()
        return here and self._owner() is layer and self.frozen <= before and after <= self.keys.shape[2]


class RoomyLayer(cache_types().growing):  # type: ignore[misc]
    """The library's growing layer with the same numbers in ``keys`` and ``values``, which are views of a larger buffer.

    A shallow copy (a branch) shares the rows; whoever would overwrite what another sees takes a buffer of its own.
    """

    keys: torch.Tensor
    values: torch.Tensor
    _room: _Room | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self.get_seq_length() == 0:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        new = key_states.shape[2]
        self.keys, self.values = self.longer(new)
        self.keys[:, :, -new:] = key_states
        self.values[:, :, -new:] = value_states
        return self.keys, self.values

    def longer(self, new: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values with ``new`` more rows, which may be written: nobody else sees them."""
        before = self.keys.shape[2]
        after = before + new
        room = self._room
        if room is None or not room.takes(self, before, after):
            room = self._room = _Room(self, self.keys, self.values, after)
            room.keys[:, :, :before] = self.keys
            room.values[:, :, :before] = self.values
        return room.keys[:, :, :after], room.values[:, :, :after]

    def reset(self) -> None:
        super().reset()
        self._room = None

    def __copy__(self) -> RoomyLayer:
        other = RoomyLayer.__new__(RoomyLayer)
        other.__dict__.update(self.__dict__)
        if self._room is not None:
            self._room.frozen = max(self._room.frozen, self.get_seq_length())
        return other


def give_room(cache: Any) -> None:
    """Let the plain layers of a transformers cache grow in place from now on; other kinds stay as they are."""
    for layer in getattr(cache, "layers", ()):
        if type(layer) is cache_types().growing:
            layer.__class__ = RoomyLayer
