"""Pictures to train on: the greys of packages or of a folder of one's own, cut into levels, some of them held out.

Read one after another in raster order they are one long document, and a row of training is the pixel before a picture,
which no network of pictures reads, with the picture.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem

Ids = NDArray[np.int64]
Levels = NDArray[np.uint8]
"""Pictures, (N, H, W): 0 is white paper, the last level full ink."""

IDX = "usr/share/datasets/fashion-mnist"
DIGITS_TEST = 297
"""The last pictures of the digits; those of one writer stand together."""


def levels_of(ink: NDArray[np.uint8], levels: int) -> Levels:
    """Ink from 0 to 255 as one of so many equal parts of that range.

    >>> levels_of(np.array([0, 31, 32, 255], np.uint8), 8).tolist()
    [0, 0, 1, 7]
    """
    found: Levels = (ink.astype(np.uint16) * levels >> 8).astype(np.uint8)
    return found


def idx(path: Path) -> NDArray[np.uint8]:
    """The pictures (N, H, W) of a gzipped IDX file. Raises Problem for one that holds something else."""
    with gzip.open(path) as file:
        data = file.read(1 << 27)
    kind, count, height, width = np.frombuffer(data[:16], ">u4").tolist() if len(data) >= 16 else (0, 0, 0, 0)
    if kind != 0x803 or len(data) != 16 + count * height * width:
        raise Problem(f"{path.name} is no IDX file of pictures", "fetch the package again")
    return np.frombuffer(data, np.uint8, offset=16).reshape(count, height, width)


def _fashion(part: str) -> Callable[[Path, int], Levels]:
    return lambda folder, levels: levels_of(idx(folder / IDX / f"{part}-images-idx3-ubyte.gz"), levels)


def _digits(test: bool) -> Callable[[Path, int], Levels]:
    def read(folder: Path, levels: int) -> Levels:
        with gzip.open(folder / "sklearn/datasets/data/digits.csv.gz", "rt", encoding="ascii") as file:
            table = np.array([[int(float(cell)) for cell in row[:64]] for row in csv.reader(file)], np.uint8)
        if levels != 17:
            raise Problem(f"the digits have 17 levels, not {levels}", "say levels = 17 in the recipe")
        every = table.reshape(-1, 8, 8)
        return every[-DIGITS_TEST:] if test else every[:-DIGITS_TEST]

    return read


READERS: dict[str, Callable[[Path, int], Levels]] = {
    "fashion": _fashion("train"),
    "fashion-test": _fashion("t10k"),
    "digits": _digits(False),
    "digits-test": _digits(True),
}
"""From an unpacked package and a number of levels to pictures."""


def digest_of(pictures: Levels) -> str:
    """The sha256 of shape and levels."""
    return hashlib.sha256(repr(pictures.shape).encode() + pictures.tobytes()).hexdigest()


def document(pictures: Levels) -> Ids:
    """All of them as one document; before the first stands a pixel that belongs to none.

    >>> document(np.array([[[1, 2]], [[3, 4]]], np.uint8)).tolist()
    [0, 1, 2, 3, 4]
    """
    return np.concatenate([np.zeros(1, np.int64), pictures.reshape(-1).astype(np.int64)])


def split(pictures: Levels, every: int) -> tuple[Levels, Levels]:
    """(training, held-out): every ``every``-th is held out, and no picture is in both."""
    held = np.arange(1, len(pictures) + 1) % every == 0
    hidden = {picture.tobytes() for picture in pictures[held]}
    kept = np.array([not out and picture.tobytes() not in hidden for picture, out in zip(pictures, held, strict=True)])
    return pictures[kept], pictures[held]
