"""What a PixelCNN keeps of the pixels it has read, so that the next one costs only what it changes.

The vertical features of a row are the same for all its pixels, so they are computed once a row; of the horizontal stack
only the features of the pixel itself are. All are kept as long as the picture, which goes back by forgetting a count.
"""

from __future__ import annotations

import torch
from torch import Tensor

from arplay.models.families.pixelcnn.network import Kernel, Network, gated


class Rows:
    """Features of B pictures that are read side by side; ``done`` pixels, from the first, have theirs."""

    def __init__(self, network: Network, pictures: int) -> None:
        sizes = network.config
        self._network = network
        self._row = -1
        self._across: list[Tensor] = []
        self.done = 0
        self._planes = network.head.weight.new_zeros(pictures, sizes.levels, sizes.height, sizes.width)
        features = (pictures, sizes.channels, sizes.height, sizes.width)
        self._v = [self._planes, *(self._planes.new_zeros(features) for _ in network.deep if sizes.stacks == 2)]
        self._h = [self._planes, *(self._planes.new_zeros(features) for _ in network.deep)]

    @property
    def tensors(self) -> list[Tensor]:
        return [*self._v[1:], *self._h, *self._across]

    def read(self, at: int, ids: Tensor) -> None:
        """Pixels from ``at`` on have these levels, (B, n); what was known of those behind the first is forgotten."""
        found = torch.nn.functional.one_hot(ids, self._network.config.levels).transpose(1, 2)
        self._planes.view(*self._planes.shape[:2], -1)[:, :, at : at + ids.shape[1]] = found.to(self._planes.dtype)
        self.back(at)

    def back(self, length: int) -> None:
        """Forget all but what the first ``length`` pixels tell: features of those, and of the one behind them."""
        self.done = min(self.done, length + 1)
        if self._row >= 0 and length < self._row * self._network.config.width:
            self._row = -1

    def whole(self, known: int) -> Tensor:
        """Features of every pixel by one pass, where so many are read; the logits of all, (B, H x W, V)."""
        v = h = self._planes
        for i, layer in enumerate(self._network.deep, start=1):
            v, h = layer(v, h)
            self._h[i].copy_(h)
            if len(self._v) > 1:
                self._v[i].copy_(v)
        self.done = min(known + 1, h.shape[2] * h.shape[3])
        return self._network.after(h).flatten(2).transpose(1, 2)

    def logits(self, at: int) -> Tensor:
        """Those of pixel ``at``, (B, V), once the pixels before it are read."""
        width = self._network.config.width
        for index in range(self.done, at + 1):
            self._pixel(*divmod(index, width))
        self.done = max(self.done, at + 1)
        row, column = divmod(at, width)
        return self._network.after(self._h[-1][:, :, row : row + 1, column : column + 1])[:, :, 0, 0]

    def _pixel(self, row: int, column: int) -> None:
        if len(self._v) > 1 and row != self._row:
            self._above(row)
        for i, layer in enumerate(self._network.deep):
            before = self._h[i]
            own = _at(layer.horizontal, before, row, column)
            if layer.places:
                own = own + layer.places[-1][:, row, column]
            if self._across:
                own = own + self._across[i][:, :, column]
            made = torch.nn.functional.linear(gated(own), layer.out.weight, layer.out.bias)
            self._h[i + 1][:, :, row, column] = made + before[:, :, row, column] if layer.residual else made

    def _above(self, row: int) -> None:
        """The vertical features of a row, and what each of its pixels gets of them."""
        self._across = []
        for i, layer in enumerate(self._network.deep):
            assert layer.vertical is not None and layer.across is not None
            own = _along(layer.vertical, self._v[i], row)
            if layer.places:
                own = own + layer.places[0][:, row : row + 1]
            self._across.append(layer.across(own)[:, :, 0])
            self._v[i + 1][:, :, row] = gated(own)[:, :, 0]
        self._row = row

    def chosen(self, pictures: Tensor) -> Rows:
        """Those of these pictures, in this order, in memory of their own."""
        other = Rows.__new__(Rows)
        other._network, other._row, other.done = self._network, self._row, self.done
        other._planes = self._planes.index_select(0, pictures)
        other._v = [other._planes, *(features.index_select(0, pictures) for features in self._v[1:])]
        other._h = [other._planes, *(features.index_select(0, pictures) for features in self._h[1:])]
        other._across = [features.index_select(0, pictures) for features in self._across]
        return other


def _at(kernel: Kernel, features: Tensor, row: int, column: int) -> Tensor:
    """What a kernel makes at one pixel, (B, outputs)."""
    height, width = features.shape[2:]
    blank = features.new_zeros(features.shape[:2])
    read = [
        features[:, :, row + down, column + right]
        if 0 <= row + down < height and 0 <= column + right < width
        else blank
        for down, right in kernel.taps
    ]
    return torch.nn.functional.linear(torch.stack(read, dim=2).flatten(1), kernel.weight, kernel.bias)


def _along(kernel: Kernel, features: Tensor, row: int) -> Tensor:
    """What a kernel makes along one row, (B, outputs, 1, W)."""
    first, tall = row - kernel.top, kernel.top + kernel.bottom + 1
    part = features[:, :, max(first, 0) : max(first + tall, 0)]
    pads = (kernel.left, kernel.right, tall - part.shape[2], 0)
    return torch.nn.functional.conv2d(torch.nn.functional.pad(part, pads), kernel.dense(), kernel.bias)
