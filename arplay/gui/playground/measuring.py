"""What the causality lab measures of the document: which conditionals a changed token moves, how rollouts drift,
and two small networks of which one sees ahead."""

from __future__ import annotations

from functools import partial

from arplay.engine.causality import MOST_LINE, Change, Changed, triangle
from arplay.engine.free_running import Freed, FreeRun
from arplay.engine.masks import BreakMask, Broke
from arplay.engine.messages import Failed, Progress, Result
from arplay.engine.rollouts import seeds
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Measure
from arplay.gui.playground.state import State

DRAWS = 8
"""Other tokens that a poisoned one is changed to."""


class Measuring:
    """One measurement at a time; the last one of each kind stays in sight."""

    def __init__(self, play: State, bridge: Bridge) -> None:
        self._play, self._bridge = play, bridge
        self._asked: int | None = None

    def begin(self, intent: Measure) -> None:
        self.stop()
        view = self._play.view
        if intent.lab == "mask":
            ask_mask = partial(BreakMask, kind=intent.kind, seed=view.settings.seed)
            self._asked = self._bridge.ask(ask_mask, self._on_result)
            self._play.show(measuring=intent.lab, measured_share=0.0)
            return
        if not self._play.has_model():
            return
        document, reading, seed = self._play.scored_document, view.settings.reading, view.settings.seed
        at, count = intent.index, intent.count
        if intent.lab == "free":
            ask = partial(
                FreeRun, document=document, place=document.at(view.caret, view.selected),
                seeds=tuple(seeds(seed, intent.chains)), count=intent.tokens, pipeline=view.settings.decoding,
                reading=reading,
            )  # fmt: skip
            self._asked = self._bridge.ask(ask, self._on_result)
        else:
            whole = triangle(count, at)
            rows, columns = {
                "triangle": (whole, whole),
                "reached": ((at, at + 1), (max(0, at - MOST_LINE), at + 1)),
                "poisoned": ((at, min(count, at + MOST_LINE)), (at, at + 1)),
            }[intent.lab]
            ask_change = partial(
                Change, document=document, rows=rows, columns=columns, reading=reading, seed=seed,
                draws=DRAWS if intent.lab == "poisoned" else 1,
            )  # fmt: skip
            self._asked = self._bridge.ask(ask_change, self._on_result)
        self._play.show(measuring=intent.lab, measured_share=0.0)

    def stop(self) -> None:
        if self._asked is not None:
            self._bridge.forget(self._asked)
            self._asked = None
            self._play.show(measuring="")

    def leave(self) -> None:
        """Another model is there: what was asked of the former one ends, networks of the lab's own are trained on."""
        if self._play.view.measuring != "mask":
            self.stop()

    def _on_result(self, result: Result) -> None:
        with self._play.at_once():
            view = self._play.view
            match result:
                case Progress(fraction=fraction):
                    self._play.show(measured_share=fraction or 0.0)
                case Changed() | Freed() | Broke() if view.measuring:
                    self._play.show(measured={**view.measured, view.measuring: result})
                case Failed(cause=cause, remedy=remedy):
                    self._play.reported.emit(cause, remedy)
            if result.is_last:
                self._asked = None
                self._play.show(measuring="")
