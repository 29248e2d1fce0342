"""The table of a picture model's card: bits per dimension on test pictures, beside other ways to write them.

``python -m arplay.training.yardsticks assets/recipes/fashion.toml`` prints it in Markdown. A model needs -log2 p bits
for a picture, and an arithmetic coder would write that many (Shannon 1948). Beside the model stand

- independent pixels: each written by how often its level stands at its place in the pictures that are trained on;
- optimised PNG of one column of all pictures, by Pillow;
- lossless WebP of one sheet of all pictures, as narrow as WebP allows, by Pillow;
- xz -9 of all of them as one file.

Of every source that is only scored the first 1,000 pictures count.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.models.families.pixelcnn.loading import build
from arplay.models.store.folder import inspect
from arplay.paths import assets
from arplay.training import card_table
from arplay.training.pictures import SCORED, Levels, bits_per_dimension, pictures_of, read_recipe, split

MOST_WEBP = 16383
"""Rows of a WebP, at most."""


def independent(pictures: Levels, training: Levels) -> float:
    """Bits of all pictures where every pixel is drawn by the shares of its levels in ``training``, each once more.

    >>> independent(np.zeros((3, 1, 1), np.uint8), np.array([[[0]], [[1]]], np.uint8))
    3.0
    """
    levels = int(max(training.max(), pictures.max())) + 1
    counts = np.stack([(training == level).sum(axis=0) + 1 for level in range(levels)])
    shares = counts / counts.sum(axis=0)
    rows, columns = np.indices(pictures.shape[1:])
    return float(sum(-np.log2(shares[picture, rows, columns]).sum() for picture in pictures))


def png(pictures: Levels) -> float:
    """Bits of a file of all of them, one below the other."""
    return _saved(pictures.reshape(-1, pictures.shape[2]), "PNG", optimize=True)


def webp(pictures: Levels) -> float:
    """Bits of a sheet of all of them in a few columns, at the most effort."""
    count, height, width = pictures.shape
    across = -(-count * height // MOST_WEBP)
    down = -(-count // across)
    padded = np.zeros((down * across, height, width), np.uint8)
    padded[:count] = pictures
    sheet = padded.reshape(down, across, height, width).swapaxes(1, 2).reshape(down * height, across * width)
    return _saved(sheet, "WEBP", lossless=True, quality=100, method=6)


def xz(pictures: Levels) -> float:
    """Bits of all of them behind each other, a byte a pixel."""
    return card_table.xz(pictures.tobytes())


def _saved(levels: NDArray[np.uint8], kind: str, **options: Any) -> float:
    from PIL import Image

    file = io.BytesIO()
    spread = levels * (256 // (int(levels.max()) + 1))  # as greys, whose differences the formats expect
    Image.fromarray(spread.astype(np.uint8)).save(file, kind, **options)
    return 8.0 * len(file.getvalue())


def table(path: Path, folder: Path | None) -> str:
    """The table of a recipe and a model, in Markdown. Raises Problem."""
    recipe = read_recipe(path)
    network = build(inspect(folder or assets() / "models" / recipe.name, causal=False))
    found = {source: pictures_of(source, recipe.vocabulary, card_table.say) for source in recipe.sources}
    training = np.concatenate([
        split(pictures, recipe.held_out_every)[0] for source, pictures in found.items() if source.role != "outside"
    ])  # fmt: skip
    columns: dict[str, Callable[[Levels], float]] = {
        recipe.name: lambda pictures: bits_per_dimension(network, pictures) * pictures.size,
        "independent pixels": lambda pictures: independent(pictures, training),
        "optimised PNG": png,
        "lossless WebP, one sheet": webp,
        "xz -9": xz,
    }
    scored = {source.name: pictures[:SCORED] for source, pictures in found.items() if source.role == "outside"}
    rows = ((f"{name} | {len(some):,}", some, some.size) for name, some in scored.items())
    return card_table.markdown("source | pictures", columns, rows)


if __name__ == "__main__":
    sys.exit(card_table.main(__doc__, table))
