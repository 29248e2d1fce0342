"""PixelCNN: a convolutional network whose connections reach earlier pixels only, in raster order.

Van den Oord, Kalchbrenner and Kavukcuoglu (2016), arXiv 1601.06759, and van den Oord et al. (2016), arXiv 1606.05328.
A connection is a *tap*, (rows down, columns right) from the pixel that is computed to the one that is read. Mask A, of
the first layer, leaves out the pixel itself; mask B, of all others, reads what is known there. A kernel has weights for
its taps alone, so the order is in the connections and no weight can break it.

One stack of such kernels never sees some pixels above and to the right, however deep it is: the blind spot. Two stacks
have none. The vertical one reads all rows above, the horizontal one the row itself and, at each pixel, the vertical
one. With V and H their features and * a convolution, a layer is

    v = W_v * V;  V' = tanh(v_1) sigmoid(v_2);  h = W_h * H + U v;  H' = H + P (tanh(h_1) sigmoid(h_2))

where the halves of v and h are marked by 1 and 2; one stack has the second line without U v. Every place of the picture
has a feature of its own besides, which tells the network where it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from arplay.models.saved_network import SavedNetwork

MODEL_TYPE = "arplay-pixelcnn"
FIRST, REST = 3, 1
"""How far the kernels of the first layer and of the others reach."""

Taps = tuple[tuple[int, int], ...]


def above(reach: int, mask: str) -> Taps:
    """Of the vertical stack: rows above by mask A, with the row itself by mask B, where it stands for those above it.

    >>> above(1, "A")
    ((-1, -1), (-1, 0), (-1, 1))
    """
    return tuple((row, column) for row in range(-reach, mask == "B") for column in range(-reach, reach + 1))


def left(reach: int, mask: str) -> Taps:
    """Of the horizontal stack: pixels to the left, and by mask B the pixel itself.

    >>> left(1, "A"), left(1, "B")
    (((0, -1),), ((0, -1), (0, 0)))
    """
    return tuple((0, column) for column in range(-reach, mask == "B"))


@dataclass(frozen=True, slots=True)
class Sizes:
    """What config.json says. ``stacks``: 2, or 1 with the blind spot; ``channels``: features of a stack."""

    height: int
    width: int
    levels: int
    channels: int
    layers: int
    stacks: int = 2

    def taps(self, layer: int) -> tuple[Taps, Taps]:
        """Those of the vertical kernel of a layer, none with one stack, and those of the horizontal one.

        >>> Sizes(8, 8, 2, 4, 2, stacks=1).taps(1)
        ((), ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0)))
        """
        reach, mask = (REST, "B") if layer else (FIRST, "A")
        if self.stacks == 2:
            return above(reach, mask), left(reach, mask)
        return (), above(reach, "A") + left(reach, mask)

    def receptive_field(self, row: int, column: int) -> NDArray[np.bool_]:
        """The pixels that the distribution of one depends on, as the taps connect them, of shape (height, width).

        >>> Sizes(2, 3, 2, 4, 1).receptive_field(1, 1).astype(int).tolist()
        [[1, 1, 1], [1, 0, 0]]
        """
        field = np.zeros((2, self.height, self.width), bool)  # of the vertical features and the horizontal ones
        field[1, row, column] = True
        for layer in reversed(range(self.layers)):
            field[0] |= field[1] & (self.stacks == 2)
            made = np.stack([_read(part, taps) for part, taps in zip(field, self.taps(layer), strict=True)])
            field = made if layer == 0 else made | np.stack([np.zeros_like(field[1]), field[1]])  # residual
        either: NDArray[np.bool_] = field[0] | field[1]
        return either

    def blind_spot(self, row: int, column: int) -> NDArray[np.bool_]:
        """The pixels that two stacks of as many layers would read and this network does not, (height, width).

        >>> Sizes(3, 6, 2, 4, 3, stacks=1).blind_spot(2, 0).astype(int).tolist()
        [[0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]]
        """
        two: NDArray[np.bool_] = replace(self, stacks=2).receptive_field(row, column)
        return two & ~self.receptive_field(row, column)


def _read(wanted: NDArray[np.bool_], taps: Taps) -> NDArray[np.bool_]:
    """What is read where these features are wanted."""
    height, width = wanted.shape
    read = np.zeros_like(wanted)
    for row, column in np.argwhere(wanted).tolist():
        for down, right in taps:
            if 0 <= row + down < height and 0 <= column + right < width:
                read[row + down, column + right] = True
    return read


class Kernel(nn.Module):
    """A convolution with weights for its taps alone, (outputs, inputs x taps), that reads 0 outside of the picture."""

    def __init__(self, inputs: int, outputs: int, taps: Taps) -> None:
        super().__init__()
        self.taps = taps
        rows, columns = {row for row, _ in taps}, {column for _, column in taps}
        self.top, self.left = -min(rows), -min(columns)
        self.bottom, self.right = max(rows), max(columns)
        self.shape = outputs, inputs, max(rows) + self.top + 1, max(columns) + self.left + 1
        self.place = [(row + self.top) * self.shape[3] + column + self.left for row, column in taps]
        self.weight = nn.Parameter(torch.empty(outputs, inputs * len(taps)))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.normal_(self.weight, std=(inputs * len(taps)) ** -0.5)

    def dense(self) -> Tensor:
        """The weights as a rectangle around the taps, 0 where there is no tap."""
        outputs, inputs, height, width = self.shape
        weight = self.weight.view(outputs, inputs, -1)
        if len(self.place) < height * width:
            full = weight.new_zeros(outputs, inputs, height * width)
            weight = full.index_copy(2, torch.tensor(self.place, device=weight.device), weight)
        return weight.view(self.shape)

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H, W)."""
        height, width = features.shape[2:]
        pads = (self.left, max(self.right, 0), self.top, max(self.bottom, 0))
        made = functional.conv2d(functional.pad(features, pads), self.dense(), self.bias)
        return made[:, :, :height, :width]


class Layer(nn.Module):
    """One gated layer of both stacks, or of the only one."""

    def __init__(self, sizes: Sizes, layer: int) -> None:
        super().__init__()
        vertical, horizontal = sizes.taps(layer)
        inputs, channels = sizes.channels if layer else sizes.levels, sizes.channels
        self.vertical = Kernel(inputs, 2 * channels, vertical) if vertical else None
        self.horizontal = Kernel(inputs, 2 * channels, horizontal)
        self.across = Kernel(2 * channels, 2 * channels, ((0, 0),)) if vertical else None
        self.out = Kernel(channels, channels, ((0, 0),))
        self.residual = layer > 0
        places = torch.zeros(2 * channels, sizes.height, sizes.width)
        self.places = nn.ParameterList([places.clone() for kernel in (vertical, horizontal) if kernel and not layer])

    def forward(self, v: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """The features of the vertical and the horizontal stack; with one stack the former are passed on."""
        own = self.horizontal(h)
        if self.places:
            own = own + self.places[-1]
        if self.vertical is not None and self.across is not None:
            above = self.vertical(v)
            if self.places:
                above = above + self.places[0]
            own, v = own + self.across(above), gated(above)
        made = self.out(gated(own))
        return v, made + h if self.residual else made


def gated(features: Tensor) -> Tensor:
    """tanh of the first half of the channels, times sigmoid of the second."""
    first, second = features.chunk(2, dim=1)
    return torch.tanh(first) * torch.sigmoid(second)


@dataclass(frozen=True, slots=True)
class Output:
    """``logits``: (B, n, V)."""

    logits: Tensor


class Network(SavedNetwork):
    """Weights from torch's global generator."""

    config: Sizes
    model_type = MODEL_TYPE

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.config = sizes
        self.layers = nn.ModuleList(Layer(sizes, layer) for layer in range(sizes.layers))
        self.mix = Kernel(sizes.channels, 2 * sizes.channels, ((0, 0),))
        self.head = nn.Conv2d(2 * sizes.channels, sizes.levels, 1)
        nn.init.zeros_(self.head.weight)  # the first loss is log V

    @property
    def deep(self) -> list[Layer]:
        """Its layers, the first one first."""
        return [layer for layer in self.layers if isinstance(layer, Layer)]

    def planes(self, pictures: Tensor) -> Tensor:
        """Levels (B, H, W) to features that say which level each pixel has, (B, V, H, W)."""
        found = functional.one_hot(pictures, self.config.levels).permute(0, 3, 1, 2)
        return found.to(self.dtype).contiguous(memory_format=torch.channels_last)

    def after(self, h: Tensor) -> Tensor:
        """The logits (B, V, H, W) of the features of the last layer."""
        made: Tensor = self.head(functional.relu(self.mix(functional.relu(h))))
        return made

    def of(self, planes: Tensor) -> Tensor:
        """Logits (B, V, H, W) of every pixel given those before it."""
        v = h = planes
        for layer in self.deep:
            v, h = layer(v, h)
        return self.after(h)

    def forward(self, input_ids: Tensor, use_cache: bool = False) -> Output:
        """Logits after each of ``input_ids`` (B, n), as networks of text are called in training: the first id stands
        for the blank picture and the others are pixels in raster order; those to come are read as level 0."""
        sizes = self.config
        blank = sizes.height * sizes.width - input_ids.shape[1] + 1
        pixels = functional.pad(input_ids[:, 1:], (0, blank)).view(-1, sizes.height, sizes.width)
        logits = self.of(self.planes(pixels)).permute(0, 2, 3, 1).flatten(1, 2)
        return Output(logits[:, : input_ids.shape[1]])


def pixelcnn(
    vocabulary: int, width: int, layers: int, rows: int, columns: int, context: int, stacks: int = 2
) -> Network:
    """A fresh PixelCNN for pictures of ``context`` pixels in ``vocabulary`` levels; of two ``stacks`` where none said.

    The weights are drawn from torch's global generator: seed it first. ``pixelcnn(8, 24, 8, 28, 28, 784)`` has 174,968
    parameters.
    """
    return Network(Sizes(rows, columns, vocabulary, width, layers, stacks or 2))
