"""What a network keeps of the tokens it has read, and how to go back in it: as its layers allow, whatever its name.

A layer that only grows (attention) is cut. A sliding window is told to record what leaves it, and is cut too. Any
other state (recurrent, convolutional, a library class of its own) forgets what a rewind would need, so copies of it
are taken on the way, dense where it was read last: a rewind of d tokens reads at most about d/4 of them again.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from arplay.models.checkpoints import Checkpoint, thin
from arplay.models.hf.kv_cache import KVCache
from arplay.models.hf.library import cache_types, layers_of

if TYPE_CHECKING:
    import torch

SLACK = 1024
"""So many tokens that have left a sliding window are kept at least, to go back to."""


class Kept:
    """A network's cache after ``length`` tokens. Use it within ``torch.inference_mode`` only."""

    def __init__(self) -> None:
        self.cache: Any = None
        self.length = 0
        self._checkpoints: list[Checkpoint] = []
        self._storages: dict[int, int] | None = None

    def take(self) -> Any:
        """The cache, given away: until :meth:`put` nothing is kept, since a forward that fails leaves half a cache."""
        cache, self.cache, self.length, self._storages = self.cache, None, 0, None
        if cache is None:
            self._checkpoints = []
        return cache

    def put(self, cache: Any, length: int, logits: torch.Tensor) -> None:
        """What the network keeps after ``length`` tokens, and the logits there, shape (V,)."""
        self.cache, self.length, self._storages = cache, length, None
        layers = _layers(cache)
        for layer in layers or ():
            if _slides(layer):
                layer.record_past = True  # what the first forward has cut off is gone: no one can go back into it
                _trim(layer)
        if layers is None or not all(map(_grows, layers)):
            states = copy.deepcopy(cache if layers is None else [None if _grows(layer) else layer for layer in layers])
            held = sum(_storages_of([states, logits]).values())
            self._checkpoints.append(Checkpoint(length, states, logits, held))
            thin(self._checkpoints, self.length)

    def drop(self) -> None:
        """Keep nothing."""
        self.cache, self.length, self._storages = None, 0, None
        self._checkpoints = []

    @property
    def checkpointed(self) -> bool:
        return bool(self._checkpoints)

    def reach(self, length: int) -> int:
        """The most tokens, at most ``length``, that :meth:`back` can go to."""
        if length >= self.length:
            return self.length
        layers = _layers(self.cache)
        growing = [layer for layer in layers or () if _grows(layer)]
        if layers and len(growing) == len(layers):
            places = [length]
        else:
            places = [checkpoint.length for checkpoint in reversed(self._checkpoints) if checkpoint.length <= length]
        there = (at for at in places if all(_can_be_cut(layer, self.length - at) for layer in growing))
        return next(there, 0)

    def back(self, length: int) -> torch.Tensor | None:
        """Go back to ``reach(length)`` tokens; the logits there, where a checkpoint knows them."""
        place = self.reach(length)
        if place == 0:
            self.drop()
            return None
        while self._checkpoints and self._checkpoints[-1].length > place:
            self._checkpoints.pop()
        there = self._checkpoints[-1] if self._checkpoints and self._checkpoints[-1].length == place else None
        if place < self.length:
            self._storages = None
            layers = _layers(self.cache)
            if layers is None:
                assert there is not None
                self.cache = copy.deepcopy(there.states)
            for i, layer in enumerate(layers or ()):
                if _grows(layer):
                    _cut(layer, self.length - place)
                else:
                    assert there is not None and layers is not None
                    layers[i] = copy.deepcopy(there.states[i])
            self.length = place
        return there.logits if there is not None else None

    def branch(self) -> Kept:
        """A second one. Growing layers share their memory, since reading rebinds it; so do checkpoints."""
        other = Kept()
        other.length, other._checkpoints, other._storages = self.length, self._checkpoints.copy(), self._storages
        layers = layers_of(self.cache)
        if isinstance(self.cache, KVCache):
            other.cache = self.cache.branch()
        elif layers is None:
            other.cache = copy.deepcopy(self.cache)
        else:
            other.cache = copy.copy(self.cache)
            other.cache.layers = [copy.copy(layer) if _grows(layer) else copy.deepcopy(layer) for layer in layers]
        return other

    @property
    def storages(self) -> dict[int, int]:
        """Bytes by address of all that is held."""
        if self._storages is None:
            self._storages = _storages_of([self.cache, *((each.states, each.logits) for each in self._checkpoints)])
        return self._storages


@runtime_checkable
class OfChains(Protocol):
    """What a network of arplay's own keeps of a batch."""

    def chosen(self, chains: torch.Tensor) -> Any:
        """That of these chains, in this order."""
        ...


def chosen(kept: Any, chains: torch.Tensor) -> Any:
    """The cache of a batch with these of its chains, in this order; the given one is used up."""
    if isinstance(kept, OfChains):
        return kept.chosen(chains)
    kept.reorder_cache(chains)
    return kept


def holds_chains(kept: Any) -> bool:
    """Whether this cache may be one of several chains, and :func:`chosen` can take them apart."""
    return isinstance(kept, OfChains) or layers_of(kept) is not None


@cache
def _growing() -> frozenset[type]:
    """Every layer that can be cut."""
    from arplay.models.hf.fast_cache import RoomyLayer

    types = cache_types()
    return frozenset({types.growing, RoomyLayer, types.sliding})


def _layers(kept: Any) -> list[Any] | None:
    """The parts of a cache that go back each in its own way; None for one that is known as a whole only."""
    return [kept] if isinstance(kept, KVCache) else layers_of(kept)


def _grows(layer: Any) -> bool:
    return isinstance(layer, KVCache) or type(layer) in _growing()


def _slides(layer: Any) -> bool:
    return not isinstance(layer, KVCache) and type(layer) is cache_types().sliding


def _can_be_cut(layer: Any, extra: int) -> bool:
    """Whether a growing layer still holds what it would hold had it never read the last ``extra`` tokens."""
    if not _slides(layer) or layer.keys is None or extra == 0:
        return True
    left = layer.cumulative_length - extra
    return bool(layer.keys.shape[-2] - extra >= min(left, layer.sliding_window - 1))


def _cut(layer: Any, extra: int) -> None:
    if isinstance(layer, KVCache):
        layer.cut(extra)
        return
    if extra == 0 or layer.keys is None:  # a layer without keys uses those of another one
        return
    layer.keys, layer.values = layer.keys[..., :-extra, :], layer.values[..., :-extra, :]
    if _slides(layer):
        layer.cumulative_length -= extra


def _trim(layer: Any) -> None:
    """Forget what left the window long ago."""
    most = layer.sliding_window - 1 + SLACK
    if layer.keys is not None and layer.keys.shape[-2] > most + SLACK:
        layer.keys, layer.values = layer.keys[..., -most:, :].clone(), layer.values[..., -most:, :].clone()


def _storages_of(thing: Any) -> dict[int, int]:
    """Bytes by address of the memory of every tensor inside."""
    found: dict[int, int] = {}
    for tensor in _tensors(thing):
        storage = tensor.untyped_storage()
        if storage.nbytes():
            found[storage.data_ptr()] = storage.nbytes()
    return found


def _tensors(thing: Any) -> Iterator[torch.Tensor]:
    import torch

    if isinstance(thing, torch.Tensor):
        yield thing
    elif isinstance(thing, list | tuple):
        for part in thing:
            yield from _tensors(part)
    elif isinstance(thing, dict):
        yield from _tensors(list(thing.values()))
    elif isinstance(thing, KVCache):
        yield thing.rows
    elif _grows(thing):
        yield from _tensors([thing.keys, thing.values])
    elif type(thing).__module__.startswith("transformers."):
        yield from _tensors(list(vars(thing).values()))
