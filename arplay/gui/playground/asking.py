"""When the worker is asked: what comes next after a short pause of typing, the whole text after a longer one."""

from __future__ import annotations

from functools import partial
from typing import Literal

from PySide6.QtCore import QObject, QTimer

from arplay.core.decoding.pipeline import decode
from arplay.core.decoding.stage import StageProblem
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Place
from arplay.core.position import Answer
from arplay.core.stepping import context_at
from arplay.engine.explore import Explore
from arplay.engine.scoring import Score, Scored
from arplay.gui.bridge import Bridge
from arplay.gui.playground.state import State
from arplay.models import grammar

TYPING_PAUSE_MS = 60
SCORE_PAUSE_MS = 150
PLAYED_MS = 300
"""Between two times that the text is scored while Play writes, which takes the model's time."""
TELLING = 64
"""Tokens of which a speed is told: of fewer it says more about what surrounds a forward."""


class Asking(QObject):
    """Asks for the document in the editor, or at a given place of another one, and shows what was answered."""

    def __init__(self, play: State, bridge: Bridge) -> None:
        super().__init__(play)
        self._play, self._bridge = play, bridge
        self._scoring = False
        self._number: int | None = None
        """Of the request for the scores, while it runs."""
        self._explore_timer = QTimer(self, singleShot=True, interval=TYPING_PAUSE_MS)
        self._explore_timer.timeout.connect(self.explore)
        self._score_timer = QTimer(self, singleShot=True)
        self._score_timer.timeout.connect(self.score)

    def explore_soon(self) -> None:
        self._explore_timer.start()

    def explore(self) -> None:
        """What comes next at the caret, now."""
        view = self._play.view
        document = self._play.document
        self.explore_at(document, document.at(view.caret, None if self._play.looking else view.selected))

    def explore_at(self, document: Document, place: Place) -> None:
        self._explore_timer.stop()
        view = self._play.view
        if view.run is not None:
            try:
                self.answered(view.run.answer(document, place))
            except Problem as problem:
                told = (problem.cause, problem.remedy)
                self._play.show(answer=None, decoded=None, undecoded=None, stale=False, problem=told)
        elif view.loaded is not None:
            decoding = view.settings.decoding
            asked = partial(
                Explore, document=document, place=place, reading=view.settings.reading, wants=decoding.wants,
                written=len(self._play.drawn_before), matches=decoding.matches,
            )  # fmt: skip
            self._bridge.ask(asked)

    def answered(self, answer: Answer) -> None:
        """What comes next at the caret."""
        selected = self._play.view.selected
        if not self._play.looking:
            selected = answer.prefix.index if answer.prefix.actual is not None else None
        self._play.show(answer=answer, **self._decoded(answer), stale=False, problem=None, selected=selected)

    def decode_anew(self) -> None:
        """The settings changed: decoding is pure mathematics on the answer's raw distribution, no model is run.

        Unless a second prompt or model is wanted that was not asked yet, or a constraint before any was made ready.
        """
        answer = self._play.view.answer
        if answer is not None and self._lacks(answer):
            self._play.show(stale=True)
            self.explore_soon()
        elif answer is not None:
            self._play.show(**self._decoded(answer))

    def _lacks(self, answer: Answer) -> bool:
        """Whether the worker has to be asked for what the settings' stages need."""
        loaded, decoding = self._play.view.loaded, self._play.view.settings.decoding
        if loaded is None:
            return False
        ends = () if loaded.eos is None else (loaded.eos,)
        ready = not decoding.matches or grammar.is_prepared(loaded.vocabulary, ends)
        return not (ready and dict(answer.others).keys() >= set(decoding.wants))

    def _decoded(self, answer: Answer) -> dict[str, object]:
        """What the settings make of it, or what a stage cannot do."""
        loaded, settings = self._play.view.loaded, self._play.view.settings
        if answer.distribution is None or loaded is None:
            return {"decoded": None, "undecoded": None}
        try:
            drawn = self._play.drawn_before
            context = context_at(answer, loaded.vocabulary, settings.seed, loaded.eos, drawn, grammar.allowed)
            return {"decoded": decode(answer.distribution, settings.decoding, context), "undecoded": None}
        except StageProblem as problem:
            return {"decoded": None, "undecoded": problem}

    def score_soon(self) -> None:
        playing = self._play.view.playing
        if not (playing and self._score_timer.isActive()):
            self._score_timer.start(PLAYED_MS if playing else SCORE_PAUSE_MS)
        self._show_scoring()

    def score(self) -> None:
        """While Play writes, a pass that runs is let to its end: replaced by each next one, none would ever end."""
        view = self._play.view
        self._score_timer.stop()
        if view.run is not None:
            ledger = view.run.ledger
            self.score_ended()  # what a model had begun does not come
            self._play.show(ledger=ledger if ledger.encoded.is_of(self._play.scored_document) else None, halted="")
        elif view.playing and self._scoring:
            self.score_soon()
        elif view.loaded is not None and not view.loaded.can.no_scores:
            self._scoring = True
            asked = partial(Score, document=self._play.scored_document, reading=view.settings.reading)
            self._number = self._bridge.ask(asked)
            self._show_scoring()
        else:  # nobody is there to be asked
            self._show_scoring()

    def halt(self, how: Literal["paused", "cancelled"]) -> None:
        """What is scored stays in sight, and the worker knows it: nothing of it is read again when it goes on."""
        play = self._play
        if self._scoring and self._number is not None:
            self._bridge.halt(self._number)
        elif not (self._score_timer.isActive() or (how == "cancelled" and play.view.halted)):
            play.refused.emit("Nothing is being scored")
            return
        self._score_timer.stop()
        play.show(halted=how)
        self.score_ended()

    def resume(self) -> None:
        if self._play.view.halted:
            self.score()
        else:
            self._play.refused.emit("Nothing was paused")

    def scored(self, result: Scored) -> None:
        """Scores of the text, or of its beginning, and what they have cost."""
        effort, play = result.effort, self._play
        play.show(ledger=result.ledger, effort=effort)
        if effort.read >= TELLING and effort.per_second is not None:
            play.show(speed=effort.per_second)
        if result.departures is not None and result.document == play.document:
            play.show(departures=result.departures)
        if result.ledger.complete:
            self.score_ended()
            play.show(halted="")

    def score_cancelled(self) -> None:
        """By the user, perhaps where all that runs is cancelled."""
        if self._scoring:
            self.score_ended()
            self._play.show(halted="cancelled")

    def score_ended(self) -> None:
        self._scoring, self._number = False, None
        self._show_scoring()

    def hold(self) -> None:
        """What comes next is asked by Play itself."""
        self._explore_timer.stop()

    def stop(self) -> None:
        self.hold()
        self._score_timer.stop()

    def _show_scoring(self) -> None:
        scoring = self._scoring or self._score_timer.isActive()
        if scoring != self._play.view.scoring:
            self._play.show(scoring=scoring, halted="" if scoring else self._play.view.halted)
