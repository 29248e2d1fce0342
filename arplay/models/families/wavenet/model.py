"""A WaveNet as a model: chains of samples, alone or side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from arplay.core.distribution import frozen
from arplay.core.modalities.sound import Amplitudes
from arplay.models.base import (
    Batch,
    Capabilities,
    Columns,
    Field,
    Info,
    Memory,
    Scores,
    check,
    columns,
    frozen_scores,
    reads_last,
)
from arplay.models.batches import SideBySide
from arplay.models.families.wavenet.queues import Queues, Weights
from arplay.models.gradients import through
from arplay.models.scoring_rows import logprobs_of, score_rows
from arplay.models.sessions import Chain

if TYPE_CHECKING:
    from torch import Tensor

    from arplay.models.families.wavenet.network import Network

A_PASS = 96
"""Samples that cost more one by one than a pass over them and their receptive field, about."""
AT_ONCE = 1 << 14
"""Samples of a pass."""
BEYOND = 8
"""Samples beyond a receptive field, at least, that are looked at where it is measured: they must not be read."""


class WaveNet:
    """A loaded network, float32 on the CPU. Its first sample has a distribution, so every sound has a probability."""

    can = Capabilities(
        starts_empty=True, rewinds="cropped", batch=True, kept="a queue a layer", grows=False, field=True
    )

    def __init__(self, network: Network, info: Info, amplitudes: Amplitudes) -> None:
        self.network = network
        self.can = replace(WaveNet.can, reach=network.config.field)
        self.info = info
        self.alphabet = amplitudes
        self.weights = Weights(network)
        self.start = network.config.levels
        """The id before every sound, which is no token."""

    def memory(self) -> Memory:
        return Memory(sum(parameter.nbytes for parameter in self.network.parameters()))

    def session(self) -> SoundSession:
        return SoundSession(self)

    def batch(self, prefixes: Sequence[Sequence[int]]) -> Batch:
        return SoundBatch(self, prefixes)

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        check(self.info, ids)
        with torch.inference_mode():
            parts = [logprobs_of(torch, logits, part) for logits, part in passes(self.network, [], list(ids))]
        return np.concatenate([np.empty(0), *parts])

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        check(self.info, ids)
        with torch.inference_mode():
            found = self.network(torch.tensor([self.chain(ids)[-self.network.config.field :]])).logits[0, -1, :-1]
        return frozen(found.numpy().copy())

    def at_once(self, ids: Sequence[int], first: int) -> NDArray[np.floating]:
        check(self.info, ids)
        with torch.inference_mode():
            found = self.network(torch.tensor([self.chain(ids)])).logits[0, first:-1, :-1]
        return frozen(found.numpy().copy())

    @property
    def wiring(self) -> str:
        return f"the last {self.network.config.field:,} samples, by its dilations"

    def reads(self, index: int) -> NDArray[np.bool_]:
        return reads_last(index, self.network.config.field)

    def field(self, ids: Sequence[int]) -> Field:
        check(self.info, ids)
        reach = self.network.config.field
        chain = torch.tensor([self.chain(ids)[-(reach + max(BEYOND, reach // 4)) :]])
        gradient = through(self.network.embedding, lambda: self.network(chain).logits[0, -1, :-1])
        n = min(len(ids), chain.shape[1])
        return Field(self.reads(len(ids))[len(ids) - n :], gradient[len(gradient) - n :], np.zeros(n, np.bool_))

    def chain(self, ids: Sequence[int]) -> list[int]:
        """With the start."""
        return [self.start, *map(int, ids)]

    def fill(self, queues: Queues, sounds: Sequence[Sequence[int]]) -> None:
        """Read all of some sounds, of one length, by a pass over the last of their ids."""
        queues.back(0)
        length = 1 + len(sounds[0])
        low = max(0, length - queues.kept.shape[1] - self.network.config.field)
        chains = [list(ids[low - 1 :]) if low else self.chain(ids) for ids in sounds]
        if length > 1:
            read: list[Tensor] = []
            self.network(torch.tensor([chain[:-1] for chain in chains]), kept=read)
            queues.put([layer.numpy() for layer in read], length - 1)
        queues.step(np.array([chain[-1] for chain in chains]))


def passes(network: Network, before: Sequence[int], ids: list[int]) -> Iterator[tuple[Tensor, list[int]]]:
    """``ids``, which follow others, in parts: the logits of each of a part, (n, V), and the part itself."""
    field = network.config.field
    known = [network.config.levels, *before] if len(before) < field else before[len(before) - field :]
    chain = [*known, *ids[:-1]]
    for first in range(0, len(ids), AT_ONCE):
        part = ids[first : first + AT_ONCE]
        at = len(known) - 1 + first
        low = max(0, at - field + 1)
        logits = network(torch.tensor([chain[low : at + len(part)]])).logits[0, at - low :, :-1]
        yield logits, part


class SoundSession(Chain):
    """A chain of samples and the queues of its layers."""

    def __init__(self, model: WaveNet) -> None:
        super().__init__(model.info)
        self._model = model
        self._queues = Queues(model.weights, 1)
        self._queues.step(np.array([model.start]))
        self._behind = False
        """The queues are not those of the ids: they are filled when somebody needs them."""

    @property
    def storages(self) -> Mapping[int, int]:
        return {self._queues.kept.ctypes.data: self._queues.kept.nbytes}

    def extend(self, ids: Sequence[int]) -> Scores:
        given = self._checked(ids)
        found: list[Columns] = []
        with torch.inference_mode():
            if len(given) > A_PASS:
                parts = passes(self._model.network, self._ids, given)
                found = [score_rows(torch, logits.contiguous(), part) for logits, part in parts]
                self.read(given)
            elif given:
                rows = []
                for id in given:
                    rows.append(self.logits())
                    self.read([id])
                found = [score_rows(torch, torch.from_numpy(np.stack(rows)), given)]
        return frozen_scores(columns(found))

    def read(self, ids: Sequence[int]) -> None:
        given = self._checked(ids)
        if len(given) > A_PASS:
            self._ids += given
            self._behind = True
        else:
            self._catch_up()
            for id in given:
                self._queues.step(np.array([id]))
                self._ids.append(id)
        self.evaluated += len(given)

    def reach(self, length: int) -> int:
        return length if self._behind or self._queues.reaches(length) else 0

    def rewind(self, length: int) -> None:
        """Further back than the queues go, by one pass over the receptive field, whatever the length."""
        there = len(self._ids)
        super().rewind(length)
        if length == there or self._behind:
            return
        if self._queues.reaches(length):
            self._queues.back(length)
            self._queues.step(np.array([self._model.chain(self._ids[-1:])[-1]]))
        else:
            self._behind = True

    def _catch_up(self) -> None:
        if self._behind:
            with torch.inference_mode():
                self._model.fill(self._queues, [self._ids])
            self._behind = False

    def branch(self) -> SoundSession:
        other = SoundSession(self._model)
        other._ids = self._ids.copy()
        other._queues, other._behind = self._queues.chosen([0]), self._behind
        return other

    def logits(self) -> NDArray[np.floating]:
        self._catch_up()
        return frozen(self._queues.logits()[0])


class SoundBatch(SideBySide):
    """Sounds whose samples are read side by side."""

    def __init__(self, model: WaveNet, prefixes: Sequence[Sequence[int]]) -> None:
        self._model = model
        self._queues: Queues | None = None
        super().__init__(model.info, prefixes)

    def _after(self, ids: Sequence[tuple[int, ...]]) -> NDArray[np.floating]:
        if self._queues is None:
            self._queues = Queues(self._model.weights, len(ids))
            with torch.inference_mode():
                self._model.fill(self._queues, ids)
        else:
            for column in np.array(ids, np.int64).T:
                self._queues.step(column)
        return self._queues.logits()

    def _follow(self, parents: list[int]) -> None:
        assert self._queues is not None
        self._queues = self._queues.chosen(parents)
