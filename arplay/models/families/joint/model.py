"""Hand-written joint distributions of small pictures, and their conditionals in any order: the raster twin of a table.

The file is JSON::

    {"name": "xo", "signs": ".#", "order": [0, 1, 2, 3, 4, 5, 6, 7, 8],
     "patterns": [{"p": 0.4, "slip": 0.1, "rows": ["#.#", ".#.", "#.#"]}, ...]}

A picture is made so: a pattern is drawn, then each of its pixels slips with probability ``slip`` to another level, all
others alike. That is a joint distribution, p(x) = sum_k p_k prod_c p_k(x_c), in which every conditional is exact:
p(x_c | seen pixels) = sum_k p(k | seen) p_k(x_c). ``order`` says which pixel comes when, counted row by row from 0.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Encoded, Note
from arplay.core.modalities.image import BLANK, MOST_LEVELS, MOST_PIXELS, Raster
from arplay.models.base import Report, reads_last
from arplay.models.families.looked_up import Written, info_of, read_written
from arplay.schema import many, real, table, text, whole

MAX_BYTES = 1024 * 1024
MOST_PATTERNS = 256


class Joint(Written):
    """A mixture of patterns whose pixels are independent in each, read pixel by pixel. Exact in float64."""

    def __init__(self, name: str, raster: Raster, weights: Sequence[float], pixels: NDArray[np.float64], source: str):
        """``pixels`` (K, pixels, levels): p_k(x_c), each row summing to 1."""
        self.alphabet = raster
        with np.errstate(divide="ignore"):
            self._weights, self._pixels = np.log(weights), np.log(pixels)
        digest = hashlib.sha256(pixels.tobytes() + repr((raster, tuple(weights))).encode()).hexdigest()
        parameters = len(weights) * (1 + raster.pixels * (len(raster) - 1))
        self.info = info_of(name, "joint", source, digest, len(raster), parameters, raster.in_words)

    @classmethod
    def load(cls, path: Path) -> Joint:
        """Read and check a joint. Raises Problem that names what is wrong."""
        return read_written(path, MAX_BYTES, lambda content: cls(*_checked(content, path.stem), str(path)))

    wiring = "every token before, in its order"

    def reads(self, index: int) -> NDArray[np.bool_]:
        return reads_last(index, index)

    def logprobs(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """log p(next pixel | the pixels before it in the order) in nats, shape (levels,)."""
        order = self.alphabet.order
        if len(ids) == len(order):
            raise Problem("the picture is complete: no pixel comes next", "rewind, or clear the picture")
        seen = self._pixels[:, list(order[: len(ids)]), list(ids)].sum(axis=1) + self._weights
        joint = seen[:, None] + self._pixels[:, order[len(ids)]]
        row = np.logaddexp.reduce(joint, axis=0)
        result: NDArray[np.float64] = row - np.logaddexp.reduce(row)
        return read_only(result)

    def told_of(self, encoded: Encoded) -> tuple[Note, ...]:
        """The chain rule in other orders of the same pixels, once all are there: the total must be the same."""
        raster = self.alphabet
        if len(encoded) < raster.pixels:
            return ()
        levels = np.empty(raster.pixels, np.int64)
        levels[list(raster.order)] = encoded.ids
        own = self._sum(raster.order, levels)
        others = [(name, self._sum(order, levels)) for name, order in raster.orders.items() if order != raster.order]
        sign = "=" if all(math.isclose(own, total, rel_tol=1e-9) for _, total in others) else "\N{NOT EQUAL TO}"
        sums = [f"{name} {total:.4f}".replace("-", "\N{MINUS SIGN}") for name, total in others[:2]]
        return (Note("", "", f" {sign} ".join([*sums, "in this order (log p of the whole picture in nats)"])),)

    def _sum(self, order: Sequence[int], levels: NDArray[np.int64]) -> float:
        """log p in nats by the chain rule: a conditional for each pixel, given those before it in ``order``."""
        seen, found = self._weights.copy(), []
        for cell in order:
            row = np.logaddexp.reduce(seen[:, None] + self._pixels[:, cell], axis=0)
            if not math.isfinite(row[levels[cell]]):
                return -math.inf
            found.append(row[levels[cell]] - np.logaddexp.reduce(row))
            seen += self._pixels[:, cell, levels[cell]]
        return math.fsum(found)

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """As one difference of two joints, and not by the conditionals of :meth:`logprobs`."""
        order = list(self.alphabet.order[: len(ids)])
        each = np.cumsum(self._pixels[:, order, list(ids)], axis=1) + self._weights[:, None]
        return np.diff(np.logaddexp.reduce(each, axis=0), prepend=0.0)


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> Joint:
    """As every family loads; a joint bears a name of its own, and is always float64 on the CPU."""
    return Joint.load(path)


def tokens(path: Path) -> Raster:
    """How it reads pictures. Raises Problem as :meth:`Joint.load` does."""
    return Joint.load(path).alphabet


_FILE = table(
    {
        "name": text(200),
        "about": text(2000),
        "signs": text(MOST_LEVELS),
        "order": many(whole(0, MOST_PIXELS - 1), most=MOST_PIXELS),
        "patterns": many(
            table({"p": real(0, 1), "slip": real(0, 1), "rows": many(text(MOST_PIXELS), most=MOST_PIXELS)}),
            most=MOST_PATTERNS,
        ),
    },
    {"about": "", "order": None, "name": ""},
)


def _checked(content: Any, stem: str) -> tuple[str, Raster, list[float], NDArray[np.float64]]:
    said = _FILE(content, "")
    patterns, signs = said["patterns"], said["signs"]
    if not patterns or not patterns[0]["rows"] or not patterns[0]["rows"][0]:
        raise Problem("there is no pattern with pixels", "see the built-in xo.json")
    height, width = len(patterns[0]["rows"]), len(patterns[0]["rows"][0])
    if height * width > MOST_PIXELS:
        raise Problem(f"a picture has more than {MOST_PIXELS:,} pixels", "make it smaller")
    order = tuple(said["order"] if said["order"] is not None else range(height * width))
    if sorted(order) != list(range(height * width)):
        raise Problem("order must name each pixel once", f"list the numbers 0 to {height * width - 1}")
    weights = [pattern["p"] for pattern in patterns]
    if abs(math.fsum(weights) - 1) > 1e-9:
        raise Problem(f"the patterns' p sum to {math.fsum(weights):.6g}, not 1", "make them sum to 1")
    raster = Raster(height, width, signs, order).checked()
    pixels = np.empty((len(patterns), height * width, len(signs)))
    for k, pattern in enumerate(patterns):
        cells = [cell for cell in raster.picture(pattern["rows"]).cells if cell is not None]
        if len(cells) < raster.pixels:
            raise Problem(f"pattern {k + 1} leaves pixels open", f"write a level for each, not {BLANK}")
        pixels[k] = pattern["slip"] / (len(signs) - 1)
        pixels[k, np.arange(len(cells)), np.array(cells)] = 1 - pattern["slip"]
    return said["name"] or stem, raster, weights, pixels
