"""What the networks of *Break the mask* learn from: small, of each kind of tokens, and made on the spot."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay import paths
from arplay.core.modalities.base import Document, Ids, TokenSet
from arplay.core.modalities.image import Raster, signs_of
from arplay.core.modalities.sound import Amplitudes
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary

LENGTH = 64
"""Tokens of a chain."""
SIGNS = " abcdefghijklmnopqrstuvwxyz.,'"
PICTURES, SOUNDS = 480, 1024
RATE, LEVELS = 8000, 32
LEAST, MOST = 6, 24
"""Samples of a period of a tone."""


@dataclass(frozen=True, eq=False, slots=True)
class Kind:
    """An architecture of the lab. ``broken``: what the network that sees ahead has instead of a mask.

    ``chains`` makes (N, n) ids in an order without a meaning, which ``data`` tells of; ``makes``, "module:function",
    a network of V, ``tokens``, n and whether it sees ahead.
    """

    name: str
    title: str
    broken: str
    tokens: TokenSet
    chains: Callable[[np.random.Generator], Ids]
    data: str
    makes: str


@cache
def _sentences() -> str:
    """The sentences of the pages: no code, no tables, nothing but letters and a few signs."""
    pages = [page.read_text("utf-8") for page in sorted((paths.assets() / "docs").glob("*.md"))]
    lines = [line for page in pages for line in re.sub(r"```.*?```", "", page, flags=re.DOTALL).splitlines()]
    plain = re.sub(r"[^a-z.,']+", " ", " ".join(line for line in lines if line[:1] != "|").lower())
    return plain.strip()


def _text(rng: np.random.Generator) -> Ids:
    text = _sentences()
    ids = np.array([SIGNS.index(sign) for sign in text[: len(text) // LENGTH * LENGTH]])
    return rng.permutation(ids.reshape(-1, LENGTH))


def _sounds(rng: np.random.Generator) -> NDArray[np.int64]:
    """Sines of a random pitch, loudness and beginning, (N, n)."""
    pitch, begins = 1 / rng.uniform(LEAST, MOST, (SOUNDS, 1)), rng.uniform(0, 1, (SOUNDS, 1))
    wave = rng.uniform(0.5, 0.95, (SOUNDS, 1)) * np.sin(2 * np.pi * (pitch * np.arange(LENGTH) + begins))
    return Amplitudes(RATE, LEVELS).ids(wave + rng.normal(0, 0.01, wave.shape)).astype(np.int64)


def _pictures(rng: np.random.Generator) -> NDArray[np.int64]:
    """What the network ``digits`` draws at u of ``rng``, pixel by pixel, all pictures at once."""
    import torch

    from arplay.models import catalogue

    model: Any = catalogue.load("digits", "cpu", "float32", lambda fraction, what: None)
    network, found = model.network, torch.zeros(PICTURES, 8, 8, dtype=torch.long)
    for pixel in range(LENGTH):
        row, column = divmod(pixel, 8)
        with torch.inference_mode():
            edges = network.of(network.planes(found))[:, :, row, column].softmax(1).cumsum(1)
        u = torch.from_numpy(rng.uniform(size=(PICTURES, 1))).float()
        found[:, row, column] = torch.searchsorted(edges, u, right=True).clamp(max=edges.shape[1] - 1)[:, 0]
    return found.flatten(1).numpy()


_of_letters = partial(
    Kind,
    tokens=Vocabulary("break the mask", tuple(sign.encode() for sign in SIGNS)),
    chains=_text,
    data=f"pieces of {LENGTH} characters of the pages in the menu Help, in small letters",
)
KINDS = (
    _of_letters(
        name="transformer",
        title="Transformer",
        broken="attention has no mask: every token attends to all of them",
        makes="arplay.training.masks:transformer",
    ),
    _of_letters(
        name="lstm",
        title="LSTM",
        broken="it reads both ways: a second pass comes from the end",
        makes="arplay.training.masks:recurrent",
    ),
    Kind(
        name="pixelcnn",
        title="PixelCNN",
        broken="mask B stands in the first layer, where mask A belongs: each pixel reads itself",
        tokens=Raster(8, 8, signs_of(17), tuple(range(LENGTH))),
        chains=_pictures,
        data="pictures of 8 × 8 pixels that the model digits drew",
        makes="arplay.training.masks:convolutional",
    ),
    Kind(
        name="wavenet",
        title="WaveNet",
        broken="the first layer is not shifted: it reads the next sample in place of the last one",
        tokens=Amplitudes(RATE, LEVELS),
        chains=_sounds,
        data=f"sounds of {LENGTH} samples: tones of any pitch with a little noise",
        makes="arplay.training.masks:dilated",
    ),
)


def kind_of(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


def document_of(tokens: TokenSet, ids: Ids) -> Document:
    """A chain as a document."""
    if isinstance(tokens, Raster):
        return tokens.levels(np.asarray(ids).reshape(tokens.height, tokens.width))
    if isinstance(tokens, Amplitudes):
        return tokens.sound(np.asarray(ids, np.uint8).tobytes())
    assert isinstance(tokens, Vocabulary)
    return Text.of(b"".join(tokens.written[id] for id in ids.tolist()))
