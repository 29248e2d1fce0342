"""How the cost of a step and its receptive field are written, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from arplay.core.format import duration, power_cell, rough, size
from arplay.core.timings import Timing, Timings, forecast, largest_difference, speedup
from arplay.engine.field import Reached
from arplay.engine.load import Loaded
from arplay.gui.playground.comparing import LONGEST_SECONDS
from arplay.gui.view import View
from arplay.gui.widgets.figure_row import Figure
from arplay.models.base import Info

LEGEND = {"cached": "a step", "uncached": "all read again", "prefill": "prefill"}
_KINDS = {
    "cached": "step: one token read",
    "uncached": "all tokens read again, nothing kept",
    "prefill": "prefill, several tokens read at once",
}

ROUNDING = {"float64": 1e-9, "float32": 1e-3, "float16": 1e-1, "bfloat16": 1.0}
"""Logits of a correct step differ by less than this: the same sums in another order, in numbers of so many bits."""

_GOING_BACK = {
    "cropped": ("cropped on edits", "What is kept behind an edit is cut off; what is before it stays."),
    "checkpoints": (
        "checkpoints",
        "What is kept cannot be cut: after an edit it goes back to an earlier checkpoint and reads on from there.",
    ),
    "recomputed": (
        "recomputed on edits",
        "What is kept cannot go back: after an edit all is read again from the beginning.",
    ),
}
"""How what is kept follows an edit: in a few words, and in a sentence."""


def figures(timings: Timings, loaded: Loaded) -> tuple[Figure, ...]:
    """The newest of each kind, and what follows from all of them."""
    kept = loaded.can.kept
    steps = [t for t in timings if t.kind == "cached"]
    uncached = [t for t in timings if t.kind == "uncached"]
    answers = [t for t in timings if t.kind != "uncached"]
    result: list[Figure] = []
    if steps:
        tip = f"The last step: one token read after {steps[-1].context - 1:,} that need not be read again ({kept})"
        result.append(Figure(duration(steps[-1].seconds), f"with {kept}", tip))
    if uncached:
        longest = max(reversed(uncached), key=lambda t: t.context)
        tip = f"One answer with nothing kept: {longest.context:,} tokens read, the most that was measured"
        result.append(Figure(duration(longest.seconds), f"without, at {longest.context:,}", tip))
    gain = speedup(timings)
    if gain is not None and math.isfinite(gain[0]):
        tip = f"Time without {kept} over time with it, at the longest context that was measured without"
        result.append(Figure(f"{gain[0]:.1f} ×", f"faster at {gain[1]:,}", tip))
    difference = largest_difference(timings)
    if difference is not None:
        tip = f"The largest difference of any logit between the two answers at the same place. {expected(loaded.info)}"
        result.append(Figure(power_cell(difference), "logits differ by", tip))
    if answers:
        result += _memory(answers, loaded)
    return tuple(result)


def _memory(answers: Sequence[Timing], loaded: Loaded) -> list[Figure]:
    result, last = [], answers[-1]
    if last.cache_bytes:
        each = f"{size(min(t.cache_bytes / t.context for t in answers if t.cache_bytes and t.context))} a token"
        tip = "What is kept in memory so as not to be read again, of all branches. "
        tip += (
            "A token: the least share that was seen, since other branches and room kept for the next tokens are no "
            "part of it"
            if loaded.can.grows
            else "It is as large however many tokens were read"
        )
        result.append(Figure(size(last.cache_bytes), each if loaded.can.grows else "of a fixed size", tip))
    tip = "Of the last answer: tokens that need not be read again (hits), and tokens that had to be read (misses)"
    result.append(Figure(f"{last.reused:,} + {last.evaluated:,}", "reused + read", tip))
    return result


def expected(info: Info) -> str:
    """What difference is only rounding in this model's numbers."""
    bound = ROUNDING.get(info.dtype)
    if bound is None:
        return f"The same sums in another order round differently; how much in {info.dtype} is not known here."
    return f"Rounding explains up to about {power_cell(bound)} in {info.dtype}; more would mean that a step is wrong."


def verdict(timings: Timings, info: Info) -> str:
    """Whether both ways agree, in a sentence; empty before anything was compared."""
    difference, bound = largest_difference(timings), ROUNDING.get(info.dtype)
    if difference is None:
        return ""
    if math.isnan(difference):
        return "The logits are not numbers (NaN)."
    if bound is not None and difference > bound:
        return f"Logits differ by {power_cell(difference)}: more than {info.dtype} explains."
    if bound is None:
        return f"Logits of both ways differ by ≤ {power_cell(difference)}"
    return f"Same answer both ways but for {info.dtype} rounding"


def going_back(loaded: Loaded) -> tuple[str, str]:
    """What is kept, engine, numbers and how it follows an edit: in a line, and the last in a sentence."""
    info, (few, sentence) = loaded.info, _GOING_BACK.get(loaded.can.rewinds, ("", ""))
    return " · ".join(
        part for part in (loaded.can.kept, info.engine, f"{info.dtype} on {info.device}", few) if part
    ), sentence


def state(view: View) -> str:
    """What is measured now, or why it is not."""
    if view.recomputing:
        return "Reading all once more, with nothing kept…"
    if view.playing:
        return "With nothing kept is measured once Play rests."
    if view.answer is None or view.stale or any(t.context == view.answer.position.context for t in _uncached(view)):
        return ""
    seconds = forecast(view.timings, view.answer.position.context)
    if seconds is not None and seconds > LONGEST_SECONDS:
        count = view.answer.position.context
        return f"{count:,} tokens with nothing kept may take {rough(seconds)}: ask for it"
    return ""


def _uncached(view: View) -> list[Timing]:
    return [t for t in view.timings if t.kind == "uncached"]


def point(timing: Timing) -> str:
    """What pointing at a mark says."""
    lines = [f"{_KINDS[timing.kind]}: {duration(timing.seconds)}", f"context {timing.context:,} tokens"]
    if timing.kind != "uncached":
        lines.append(f"{timing.reused:,} reused, {timing.evaluated:,} read")
    if timing.cache_bytes:
        lines.append(f"kept {size(timing.cache_bytes)}")
    if timing.difference is not None:
        lines.append(f"largest difference of a logit {power_cell(timing.difference)}")
    return "\n".join(lines)


_LOOKED_UP = "looks each answer up and keeps nothing"


def nothing_yet(view: View) -> str:
    """The empty panel: what it will show and how to get there."""
    if view.problem is not None:
        return f"{view.problem[0]}. {view.problem[1]}."
    if view.loaded is None or view.run is not None:
        return view.work or view.no_model
    if not view.loaded.can.keeps:
        how = "is asked at a server and keeps nothing here" if view.loaded.can.partial else _LOOKED_UP
        return (
            f"{view.loaded.info.name} {how}, so there is nothing kept to measure. Load a transformer to see what its "
            "KV cache buys, or a PixelCNN, a WaveNet or an LSTM, which keep something else."
        )
    return (
        f"What does a step cost with {view.loaded.can.kept}, and what without? Step, play or edit: every answer "
        "becomes a point, its time over the tokens before it. When you pause, it is computed once more with nothing "
        "kept."
    )


def reach(reached: Reached | None) -> str:
    """What the receptive field of the place comes to, in a line."""
    if reached is None:
        return "The receptive field is measured in a pause, where a token comes next"
    field = reached.field
    n, felt = len(field.declared), field.gradient > 0
    beyond, blind = int(np.count_nonzero(felt & ~field.declared)), int(np.count_nonzero(field.blind))
    if not n:
        return "Nothing comes before it"
    declared, both = int(np.count_nonzero(field.declared)), int(np.count_nonzero(felt & field.declared))
    words = f"Reads {declared:,} of {n:,}"
    if beyond:
        words += f", and {beyond:,} that are NOT connected"
    else:
        words += ", as connected" if both == declared else f", a gradient from {both:,}"
    return words + (f" · blind spot {blind:,}" if blind else "")


REACH = (
    "Connected: what the masks, dilations or states of the network let it read. Gradient: how much its logits move "
    "with each token, measured by one pass and a few passes back. A blind spot is what two stacks of as many layers "
    "would read and this network cannot."
)
