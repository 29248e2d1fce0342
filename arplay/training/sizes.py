"""How wide and deep a network of about so many parameters is. No torch: it is checked before anything starts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from arplay.core.errors import Problem

ASPECT = 32
"""Width over layers that a transformer is brought near to; the built-in English model has 256 over 8."""

WIDTHS = (16, 32, *range(64, 4097, 64))
_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgGbB]?)")


@dataclass(frozen=True)
class Sizes:
    """``width`` of the residual stream (or of an LSTM's layers), ``hidden`` of the feed-forward layers."""

    width: int
    layers: int
    heads: int
    hidden: int


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
    Sizes(width=256, layers=8, heads=2, hidden=688)
    """
    found = []
    for width in WIDTHS:
        sizes = Sizes(width, 1, _heads(width), _hidden(width))
        one, two = (llama_parameters(sizes, vocabulary, layers) for layers in (1, 2))
        layers = max(1, round((params - one) / (two - one)) + 1)
        off = abs(math.log(llama_parameters(sizes, vocabulary, layers) / params))
        found.append((max(off, 0.1), abs(math.log(width / layers / ASPECT)), Sizes(width, layers, *_rest(width))))
    return _checked(min(found, key=lambda each: each[:2]), params, vocabulary)


def recurrent(params: int, vocabulary: int) -> Sizes:
    """The LSTM nearest to ``params`` parameters: two layers, one where they would be narrower than 256.

    Raises Problem where the embeddings alone take more.

    >>> recurrent(6_000_000, 4096)
    Sizes(width=496, layers=2, heads=0, hidden=0)
    """
    widths = range(8, 4097, 8)
    width, layers = 0, 0
    for layers in (2, 1):
        width = min(widths, key=lambda each: abs(lstm_parameters(each, layers, vocabulary) - params))
        if width >= 256:
            break
    off = abs(math.log(lstm_parameters(width, layers, vocabulary) / params))
    return _checked((max(off, 0.1), 0, Sizes(width, layers, 0, 0)), params, vocabulary)


def llama_parameters(sizes: Sizes, vocabulary: int, layers: int) -> int:
    """Of ``layers`` layers of these sizes with tied embeddings."""
    width = sizes.width
    return vocabulary * width + layers * (4 * width**2 + 3 * width * sizes.hidden + 2 * width) + width


def lstm_parameters(width: int, layers: int, vocabulary: int) -> int:
    """With tied embeddings: each layer has four gates of two matrices and two biases."""
    return vocabulary * width + layers * (8 * width**2 + 8 * width)


def parameters(family: str, made: Sizes, vocabulary: int) -> int:
    """Of the network that a family makes in these sizes."""
    if family == "rnn":
        return lstm_parameters(made.width, made.layers, vocabulary)
    return llama_parameters(made, vocabulary, made.layers)


def _checked(found: tuple[float, float, Sizes], params: int, vocabulary: int) -> Sizes:
    off, _, sizes = found
    if off > math.log(1.5):
        least = vocabulary * WIDTHS[0]
        raise Problem(
            f"no network with {vocabulary:,} pieces has about {params:,} parameters",
            f"choose more than {2 * least:,}, or a smaller --vocab" if params < 4 * least else "choose fewer --params",
        )
    return sizes


def _rest(width: int) -> tuple[int, int]:
    return _heads(width), _hidden(width)


def _heads(width: int) -> int:
    """Heads are 128 wide where that divides the width: on a CPU twice as fast as twice as many of 64."""
    return width // next(head for head in (128, 64, 32, 16) if width % head == 0)


def _hidden(width: int) -> int:
    """8/3 of the width, as in Llama (Touvron et al. 2023), up to a multiple of 16."""
    return -(-8 * width // 48) * 16
