"""A WaveNet sample by sample, with a queue a layer (Paine et al. 2016, arXiv 1611.09482).

What a layer of dilation d reads at time t are two columns: the one it reads now, and the one it read d samples ago. So
the last d columns of each layer are all that is needed, and a sample costs the same however many came before it.

In numpy: at these sizes a step is some hundred small operations, and torch takes several times as long to begin one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from arplay.models.families.wavenet.network import Network

Floats = NDArray[np.float32]

SLACK = 256
"""Columns that a queue is longer than needed, at least: so far a rewind costs nothing."""


class Weights:
    """The weights of a network as a step takes them. sigmoid(x) is (1 + tanh(x / 2)) / 2, so one tanh does both."""

    def __init__(self, network: Network) -> None:
        self.sizes = sizes = network.config
        width, gates, outs = sizes.width, [gate for _, gate, _ in network.layers], [out for _, _, out in network.layers]
        half = np.repeat(np.array([1, 0.5], np.float32), width)
        self.dilations, self.layers = np.array(sizes.dilations), np.arange(len(gates))
        self.embedding = _plain(network.embedding.weight)
        self.past = np.stack([_plain(gate.weight[:, :width].T) * half for gate in gates])
        self.present = [_plain(gate.weight[:, width:].T) * half for gate in gates]
        self.bias = np.stack([_plain(gate.bias) * half for gate in gates])[:, None]
        self.rest = [_plain(out.weight[:width].T) * half[-1] for out in outs]
        self.rest_bias = [_plain(out.bias[:width]) for out in outs]
        self.skip = np.concatenate([_plain(out.weight[width:].T) * half[-1] for out in outs])
        self.skip_bias = np.sum([_plain(out.bias[width:]) for out in outs], axis=0)
        self.mix, self.mix_bias = _plain(network.mix.weight.T), _plain(network.mix.bias)
        self.head, self.head_bias = _plain(network.unembedding.weight.T[:, :-1]), _plain(network.unembedding.bias[:-1])

    @property
    def columns(self) -> int:
        """How many columns a queue keeps: a power of two, so that a place in it is a mask of the time."""
        most = int(self.dilations.max())
        return 1 << (most + max(most, SLACK) - 1).bit_length()


def _plain(tensor: Tensor) -> Floats:
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())


class Queues:
    """What each layer has read of B sounds that are ``length`` ids long, the start among them."""

    def __init__(self, weights: Weights, sounds: int) -> None:
        self._weights = weights
        layers, width = len(weights.past), weights.sizes.width
        self.kept = np.zeros((layers, weights.columns, sounds, width), np.float32)
        self._gated = np.zeros((sounds, layers * width), np.float32)
        self.length = 0
        self._peak = 0

    def step(self, ids: NDArray[np.int64]) -> None:
        """Read one id of each sound, (B,)."""
        weights, width, time = self._weights, self._weights.sizes.width, self.length
        mask = self.kept.shape[1] - 1
        earlier = self.kept[weights.layers, (time - weights.dilations) & mask]
        earlier[weights.dilations > time] = 0
        pasts = earlier @ weights.past + weights.bias  # of all layers at once: what they read was known before
        h, now = weights.embedding[ids], self.kept[:, time & mask]
        for k, gates in enumerate(pasts):
            now[k] = h
            gates += h @ weights.present[k]
            np.tanh(gates, out=gates)
            z = self._gated[:, k * width : (k + 1) * width]
            np.multiply(gates[:, width:] + 1, gates[:, :width], out=z)
            h = h + z @ weights.rest[k] + weights.rest_bias[k]
        self.length += 1
        self._peak = max(self._peak, self.length)

    def logits(self) -> Floats:
        """Of the sample after the last id that was stepped over, (B, V)."""
        weights = self._weights
        skips = np.maximum(self._gated @ weights.skip + weights.skip_bias, 0)
        found: Floats = np.maximum(skips @ weights.mix + weights.mix_bias, 0) @ weights.head + weights.head_bias
        return found

    def reaches(self, length: int) -> bool:
        """Whether the columns before time ``length`` are all still there."""
        oldest = self._peak - self.kept.shape[1]
        return oldest <= 0 or length - int(self._weights.dilations.max()) >= oldest

    def back(self, length: int) -> None:
        """Forget all but the first ``length`` ids, where :meth:`reaches` says that they are there."""
        self.length = length

    def put(self, read: list[Floats], length: int) -> None:
        """What each layer has read of the last ids of ``length``, (B, n, width) each: all the columns, or from 0 on."""
        columns = self.kept.shape[1]
        times = np.arange(max(0, length - min(columns, read[0].shape[1])), length)
        for queue, layer in zip(self.kept, read, strict=True):
            queue[times & (columns - 1)] = layer[:, layer.shape[1] - len(times) :].swapaxes(0, 1)
        self.length = self._peak = length

    def chosen(self, sounds: list[int]) -> Queues:
        """Those of these sounds, in this order."""
        other = Queues(self._weights, len(sounds))
        other.kept, other._gated = self.kept[:, :, sounds], self._gated[sounds]
        other.length, other._peak = self.length, self._peak
        return other
