"""The table of a sound model's card: bits per sample on held-out sounds, beside other ways to write them.

``python -m arplay.training.sound_yardsticks assets/recipes/speech.toml`` prints it in Markdown. A model needs -log2 p
bits for a sound, and an arithmetic coder would write that many (Shannon 1948). Beside the model stand

- independent samples: each written by how often its level stands in the held-out sounds themselves;
- linear prediction, as in FLAC but without its losses: in each block of 1,024 samples the amplitudes are predicted from
  up to 12 before them by least squares; a level costs -log2 of what a Laplace distribution around the prediction puts
  on the amplitudes that are nearest to it. Order and spread (of some near the likeliest) are the best of the block; 4
  and 6 bits tell them, and 12 more each coefficient;
- xz -9 of the levels of all of them as one file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arplay.core.modalities.sound import LEVELS, Amplitudes
from arplay.models.families.wavenet.loading import build
from arplay.models.store.folder import inspect
from arplay.paths import assets
from arplay.training import card_table
from arplay.training.sounds import Samples, bits_per_sample, read_recipe, sounds_of

BLOCK, ORDER = 1024, 12
COEFFICIENT = 1 << 10
"""Steps of a coefficient from 0 to 1; 12 bits go from -2 to 2, as far as nearly all do."""
SPREADS = 2.0 ** -np.linspace(1, 14, 27)
"""Scales of the Laplace distribution, of amplitudes from -1 to 1."""


def independent(sounds: Sequence[Samples]) -> float:
    """Bits of all sounds.

    >>> independent([np.array([0, 1, 1, 0], np.uint8)])
    4.0
    """
    counts = np.bincount(np.concatenate(sounds), minlength=LEVELS)
    shares = counts[counts > 0] / counts.sum()
    return float(-(counts[counts > 0] * np.log2(shares)).sum())


def xz(sounds: Sequence[Samples]) -> float:
    return card_table.xz(np.concatenate(sounds).tobytes())


def linear(sounds: Sequence[Samples]) -> float:
    """Bits of all sounds by linear prediction."""
    amplitudes = Amplitudes(8000).amplitudes
    edges = np.concatenate([[-np.inf], (amplitudes[1:] + amplitudes[:-1]) / 2, [np.inf]])
    bits = 0.0
    for samples in sounds:
        wave = np.concatenate([np.zeros(ORDER), amplitudes[samples]])
        for at in range(0, len(samples), BLOCK):
            ids = samples[at : at + BLOCK].astype(np.int64)
            behind = np.lib.stride_tricks.sliding_window_view(wave[at : at + ORDER + len(ids)], ORDER + 1)
            low, high = edges[ids], edges[ids + 1]
            bits += min(_block(behind[:, -1], behind[:, ORDER - p : ORDER], low, high) for p in range(ORDER + 1))
    return bits


def _block(
    wave: NDArray[np.float64], before: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> float:
    """Bits of a block whose amplitudes are predicted from those ``before``, (n, p)."""
    weights = np.rint(np.linalg.lstsq(before, wave, rcond=None)[0] * COEFFICIENT) / COEFFICIENT
    expected = before @ weights
    left, right = low - expected, high - expected
    typical = max(float(np.abs(wave - expected).mean()), 1e-9)  # the likeliest spread, but for how wide levels are
    near = int(np.abs(np.log(SPREADS / typical)).argmin())
    cost = min(_laplace(left, right, spread) for spread in SPREADS[max(near - 2, 0) : near + 3])
    return float(10 + 12 * before.shape[1] + cost)


def _laplace(left: NDArray[np.float64], right: NDArray[np.float64], spread: float) -> float:
    """-log2 of what it puts between, with a floor that keeps every level possible."""
    share = (_below(right / spread) - _below(left / spread)) * (1 - 2.0**-12) + 2.0**-12 / LEVELS
    return float(-np.log2(share).sum())


def _below(x: NDArray[np.float64]) -> NDArray[np.float64]:
    half = np.exp(-np.abs(x)) / 2
    found: NDArray[np.float64] = np.where(x < 0, half, 1 - half)
    return found


def table(path: Path, folder: Path | None) -> str:
    """The table of a recipe and a model, in Markdown. Raises Problem."""
    recipe = read_recipe(path)
    network = build(inspect(folder or assets() / "models" / recipe.name, causal=False))
    columns: dict[str, Callable[[Sequence[Samples]], float]] = {
        recipe.name: lambda sounds: bits_per_sample(network, sounds) * sum(map(len, sounds)),
        "linear prediction": linear,
        "xz -9": xz,
        "independent samples": independent,
    }
    rate = recipe.network["rate"]
    scored = ((source.name, sounds_of(source, recipe, card_table.say)[1]) for source in recipe.sources)
    sized = ((name, found, sum(map(len, found))) for name, found in scored)
    rows = ((f"{name} | {len(found):,} ({count / rate:.0f} s)", found, count) for name, found, count in sized)
    return card_table.markdown("source | held-out sounds", columns, rows)


if __name__ == "__main__":
    sys.exit(card_table.main(__doc__, table))
