"""Where a network is trained and in which precision, and how many tokens some minutes are worth there."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil
import torch

from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.models.devices import machine
from arplay.training.run_folder import Precision
from arplay.training.sizes import Sizes, shape_of
from arplay.training.train import Run

MOST_TIMING = 5.0
"""Seconds that the timing run takes at most, beyond its second step."""

FLOATS = 4
"""Numbers in memory for each parameter: itself, its gradient, and what the optimiser keeps (two at most)."""

OVERHEAD = 0.07
"""Part of the time for held-out text, checkpoints and snapshots."""


def device_of(asked: str | None) -> str:
    """The torch device for "auto" (or None), "cpu", "cuda" ... Raises Problem for one that is not there."""
    kinds = machine(torch).kinds
    if asked in (None, "auto"):
        return kinds[0]
    if asked not in kinds:
        raise Problem(f"there is no device {asked} here", f"use --device {' or '.join(['auto', *kinds])}")
    return str(asked)


def precision_of(device: str) -> Precision:
    """bfloat16 where the device computes it natively."""
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if device == "cpu" and native else "float32"


def check_memory(family: str, made: Sizes, vocabulary: int, batch: int, context: int, recipe: bool) -> None:
    """Raise Problem where a step takes more memory than this computer has, by what it takes at the very least.

    That is: each parameter, its gradient and what the optimiser keeps, in float32; of every position of a batch its
    logits and their gradient, and what each layer keeps for the way back.
    """
    shape = shape_of(family)
    position = 2 * vocabulary + made.layers * shape.kept(made, context)
    needed = 4 * (FLOATS * shape.parameters(made, vocabulary) + batch * context * position)
    if needed > (there := psutil.virtual_memory().total):
        cause = f"training it takes {size(needed)} of memory, of {size(there)} here"
        raise Problem(cause, smaller(recipe))


def smaller(recipe: bool) -> str:
    """What to do where memory runs out."""
    if recipe:
        return "choose a smaller width, hidden, batch or context, or fewer layers, in the recipe"
    return "choose fewer --params, less --context or less to read"


def tokens_in(minutes: float, run: Run, stop: Callable[[], bool]) -> int:
    """How many predictions ``run`` makes in that time, in whole steps, at least one. It is used up by this.

    What it gives after ``stop()`` is of no use.
    """
    asked = time.monotonic()
    run.start()
    began = time.monotonic()
    run.advance()  # the first one warms up, and compiles where that is asked for
    warm = time.monotonic()
    steps = 0
    while not stop() and (steps < 2 or time.monotonic() - warm < min(MOST_TIMING, 60 * minutes / 20)):
        run.advance()
        steps += 1
    now = time.monotonic()
    again = began - asked  # the run itself starts once more
    left = (60 * minutes - (now - asked) - again) * (1 - OVERHEAD)
    return max(1, int(left * steps / max(now - warm, 1e-9))) * run.schedule.batch * run.schedule.context
