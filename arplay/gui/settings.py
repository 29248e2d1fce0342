"""What the user set and expects to find again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from arplay.core.candidates import FIRST_CANDIDATES, Candidates
from arplay.core.decoding.layouts import Presets
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.decoding.rows import USUAL, Rows, rows_of
from arplay.core.measures import BOUNDS
from arplay.core.reading import Reading
from arplay.core.watch import Watch
from arplay.export.plots import FIRST, Chosen, How
from arplay.gui.theme import TEXT

Unit = Literal["nats", "bits"]
AtLimit = Literal["stop", "slide"]
ColourBy = str
"""The name of a measure of ``arplay/core/measures.py``."""
LEAST_SURPRISE, MOST_SURPRISE = 0.1, 50.0
"""Nats from which a token may count as surprising."""
Lab = Literal["triangle", "reached", "poisoned", "free", "mask"]
"""What the causality lab measures: all pairs, a row or a column of them, rollouts beside the real text, or two networks
of which one sees ahead."""
Wrap = Literal["words", "lines", "sentences"]
"""What begins a row of the heatmap: a word without room, a line of the text alone, or a sentence as well."""
Tokens = Literal["off", "borders", "colours"]
"""How the editor shows the tokens of its text: not at all, where each begins, or coloured as in the heatmap."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user set and expects to find again.

    ``at_limit``: what writing does where the text no longer fits the context: stop, or slide on with its newest half
    (:class:`arplay.core.windows.Windows`). ``reading`` is that of the model in the window, remembered for each model.
    ``surprise``: nats from which a token counts as surprising; ``link_scrolling``: editor and heatmap scroll together.
    ``ghost``: the greedy continuation is shown behind the text, which costs the steps that it takes.
    ``watch``: rules at which Play ends. ``rows``: how the stages of ``decoding`` are laid out, with those that are off
    (see :attr:`layout`); ``presets``: layouts that the user named.
    ``candidates``: what may follow the caret, which the panel of that name compares.
    ``rank_bounds``: the highest rank of each bucket that the heatmap colours ranks by, but of the last one.
    ``plot``: the name of the one that is shown; ``plot_mean``: tokens of its rolling mean; ``plot_bin``: what a bar
    of its histogram holds, in ``unit``.
    ``tokenizers``: models whose tokenizers stand beside that of the model in the window, and ``cut_text`` what they cut
    in place of its text, where that is not empty.
    ``text_size``: pixels of the type that the text is shown in, in the editor and in the heatmap.
    """

    decoding: Pipeline = Pipeline()
    rows: Rows = USUAL
    presets: Presets = ()
    seed: int = 0
    bars: int = 20
    log_axis: bool = False
    unit: Unit = "nats"
    colour_by: ColourBy = "surprisal"
    rank_bounds: tuple[int, ...] = BOUNDS
    wrap: Wrap = "words"
    play_per_second: float = 8.0
    play_steps: int = 100
    watch: Watch = ()
    stop_at_eos: bool = True
    at_limit: AtLimit = "stop"
    reading: Reading = Reading()
    tokens: Tokens = "borders"
    show_hidden: bool = False
    text_size: int = TEXT
    surprise: float = 6.0
    link_scrolling: bool = True
    ghost: bool = False
    candidates: Candidates = FIRST_CANDIDATES
    plot: str = FIRST.plot
    plot_mean: int = FIRST.how.width
    plot_bin: float = FIRST.how.bin
    tokenizers: tuple[str, ...] = ("english",)
    cut_text: str = ""
    animate: bool = True

    @property
    def layout(self) -> Rows:
        """The rows that work as ``decoding`` does."""
        return rows_of(self.decoding, self.rows)

    @property
    def chosen_plot(self) -> Chosen:
        return Chosen(self.plot, How(self.unit, self.plot_mean, self.plot_bin))
