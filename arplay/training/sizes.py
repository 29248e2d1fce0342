"""How wide and deep a network of about so many parameters is. No torch: it is checked before anything starts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from arplay.core.errors import Problem
from arplay.models import families
from arplay.models.families.wavenet import STAGES
from arplay.models.family import resolve

ASPECT = 32
"""Width over layers that a transformer is brought near to; the built-in English model has 256 over 8."""

WIDTHS = (16, 32, *range(64, 4097, 64))
_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgGbB]?)")


@dataclass(frozen=True)
class Sizes:
    """``width`` of the residual stream (or of an LSTM's layers), ``hidden`` of the feed-forward layers.

    ``rows`` and ``columns``: of a picture, which so many ``stacks`` of convolutions read (0 is 2); ``rate``: samples a
    second of a sound.
    """

    width: int
    layers: int
    heads: int = 0
    hidden: int = 0
    rows: int = 0
    columns: int = 0
    rate: int = 0
    stacks: int = 0


@dataclass(frozen=True)
class Shape:
    """What the networks of a family are like in some sizes. ``numbers``: the fields of :class:`Sizes` that they have.

    ``nearest`` of (parameters, vocabulary) gives the sizes of about so many, of pictures also of so many ``stacks``;
    ``parameters`` of (sizes, vocabulary) counts them; ``kept`` of (sizes, context): numbers that a layer keeps of a
    position for the way back, at least.
    """

    numbers: tuple[str, ...]
    nearest: Callable[..., Sizes]
    parameters: Callable[[Sizes, int], int]
    kept: Callable[[Sizes, int], int]


def shape_of(family: str) -> Shape:
    """Of a family that is trained by gradient."""
    found: Shape = resolve(families.trained(family).shape)
    return found


def count_of(text: str) -> int:
    """A number of parameters or tokens as people write it. Raises ValueError for anything else.

    >>> count_of("6M"), count_of("1.5m"), count_of("500k"), count_of("120000")
    (6000000, 1500000, 500000, 120000)
    """
    found = _COUNT.fullmatch(text.strip().replace(",", "").replace("_", ""))
    if not found or len(text) > 30:
        raise ValueError(f"{text!r} is no number such as 6M")
    return round(float(found[1]) * {"": 1, "k": 1000, "m": 10**6, "g": 10**9, "b": 10**9}[found[2].lower()])


def transformer(params: int, vocabulary: int) -> Sizes:
    """The Llama nearest to ``params`` parameters; among those within a tenth, the one of the best proportions.

    Raises Problem where the embeddings alone take more.

    >>> transformer(7_400_000, 4096)
    Sizes(width=256, layers=8, heads=2, hidden=688, rows=0, columns=0, rate=0, stacks=0)
    """
    found = []
    for width in WIDTHS:
        made = [Sizes(width, layers, _heads(width), _hidden(width)) for layers in (1, 2)]
        one, two = (llama_parameters(sizes, vocabulary) for sizes in made)
        layers = max(1, round((params - one) / (two - one)) + 1)
        sizes = replace(made[0], layers=layers)
        off = abs(math.log(llama_parameters(sizes, vocabulary) / params))
        found.append((max(off, 0.1), abs(math.log(width / layers / ASPECT)), sizes))
    return _checked(min(found, key=lambda each: each[:2]), params, vocabulary)


def recurrent(params: int, vocabulary: int) -> Sizes:
    """The LSTM nearest to ``params`` parameters: two layers, one where they would be narrower than 256.

    Raises Problem where the embeddings alone take more.

    >>> recurrent(6_000_000, 4096)
    Sizes(width=496, layers=2, heads=0, hidden=0, rows=0, columns=0, rate=0, stacks=0)
    """
    sizes = Sizes(0, 0)
    for layers in (2, 1):
        made = [Sizes(width, layers) for width in range(8, 4097, 8)]
        sizes = min(made, key=lambda each: abs(lstm_parameters(each, vocabulary) - params))
        if sizes.width >= 256:
            break
    off = abs(math.log(lstm_parameters(sizes, vocabulary) / params))
    return _checked((max(off, 0.1), 0, sizes), params, vocabulary)


def convolutional(params: int, vocabulary: int, stacks: int = 0) -> Sizes:
    """The PixelCNN of eight layers nearest to ``params`` parameters, but for those of its places.

    >>> convolutional(100_000, 8)
    Sizes(width=24, layers=8, heads=0, hidden=0, rows=0, columns=0, rate=0, stacks=0)
    >>> convolutional(100_000, 8, stacks=1).width
    32
    """
    made = [Sizes(width, 8, stacks=stacks) for width in range(4, 1025, 4)]
    return min(made, key=lambda each: abs(pixelcnn_parameters(each, vocabulary) - params))


def pixelcnn_parameters(sizes: Sizes, vocabulary: int) -> int:
    """The first layer reads 24 places of V levels, the others 8 of features by two stacks, 5 by one; those of two have
    two matrices each."""
    width, pixels = sizes.width, sizes.rows * sizes.columns
    if sizes.stacks == 1:
        layers = sizes.layers * (11 * width**2 + 3 * width) + 2 * width * (24 * vocabulary + pixels) - 10 * width**2
    else:
        first = 2 * width * (24 * vocabulary + 2 * pixels) - 16 * width**2
        layers = sizes.layers * (21 * width**2 + 7 * width) + first
    return layers + 2 * width**2 + 2 * width + 2 * width * vocabulary + vocabulary


def dilated(params: int, vocabulary: int) -> Sizes:
    """The WaveNet of two cycles of layers nearest to ``params`` parameters; twice as wide where its layers meet.

    >>> dilated(160_000, 256)
    Sizes(width=32, layers=18, heads=0, hidden=64, rows=0, columns=0, rate=0, stacks=0)
    """
    made = [Sizes(width, 2 * STAGES, hidden=2 * width) for width in range(4, 1025, 4)]
    return min(made, key=lambda each: abs(wavenet_parameters(each, vocabulary) - params))


def wavenet_parameters(sizes: Sizes, vocabulary: int) -> int:
    """Each layer has two taps to two gates, and one matrix out of them; the start is one id more."""
    width, skip, ids = sizes.width, sizes.hidden, vocabulary + 1
    layer = 4 * width**2 + 2 * width + (width + 1) * (width + skip)
    return ids * width + sizes.layers * layer + skip**2 + skip + ids * (skip + 1)


def llama_parameters(sizes: Sizes, vocabulary: int) -> int:
    """With tied embeddings."""
    width = sizes.width
    return vocabulary * width + sizes.layers * (4 * width**2 + 3 * width * sizes.hidden + 2 * width) + width


def lstm_parameters(sizes: Sizes, vocabulary: int) -> int:
    """With tied embeddings: each layer has four gates of two matrices and two biases."""
    width = sizes.width
    return vocabulary * width + sizes.layers * (8 * width**2 + 8 * width)


def _checked(found: tuple[float, float, Sizes], params: int, vocabulary: int) -> Sizes:
    off, _, sizes = found
    if off > math.log(1.5):
        least = vocabulary * WIDTHS[0]
        raise Problem(
            f"no network with {vocabulary:,} tokens has about {params:,} parameters",
            f"choose more than {2 * least:,}, or a smaller --vocab" if params < 4 * least else "choose fewer --params",
        )
    return sizes


def _heads(width: int) -> int:
    """Heads are 128 wide where that divides the width: on a CPU twice as fast as twice as many of 64."""
    return width // next(head for head in (128, 64, 32, 16) if width % head == 0)


def _hidden(width: int) -> int:
    """8/3 of the width, as in Llama (Touvron et al. 2023), up to a multiple of 16."""
    return -(-8 * width // 48) * 16


TRANSFORMER = Shape(
    ("width", "layers", "heads", "hidden"),
    transformer,
    llama_parameters,
    lambda made, context: 4 * made.width + made.heads * context,  # the latter: its attention
)
CONVOLUTIONAL = Shape(
    ("width", "layers", "rows", "columns", "stacks"),
    convolutional,
    pixelcnn_parameters,
    lambda made, context: 10 * made.width,
)
DILATED = Shape(
    ("width", "layers", "hidden", "rate"),
    dilated,
    wavenet_parameters,
    lambda made, context: 12 * made.width + made.hidden,
)
RECURRENT = Shape(
    ("width", "layers"),
    recurrent,
    lstm_parameters,
    lambda made, context: 6 * made.width,
)
