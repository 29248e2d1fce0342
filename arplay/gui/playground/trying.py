"""Continuations that are tried behind the caret, rollouts, beams and a map: the document changes only when asked."""

from __future__ import annotations

from functools import partial

from arplay.engine.mapping import Map, Mapped
from arplay.engine.messages import Failed, Result
from arplay.engine.rollouts import Roll, Rolled, seeds
from arplay.engine.search import Search, Searched
from arplay.gui.bridge import Bridge
from arplay.gui.contract import Beams, Continue, Maps, Rollouts, Take
from arplay.gui.playground.state import State
from arplay.gui.playground.writing import ELSEWHERE, Writing


class Trying:
    """One of them at a time; what was tried last is shown until another one is."""

    def __init__(self, play: State, bridge: Bridge, writing: Writing) -> None:
        self._play, self._bridge, self._writing = play, bridge, writing
        self._asked: int | None = None

    def roll(self, intent: Rollouts) -> None:
        view = self._play.view
        if self._may_begin() and view.loaded is not None:
            asked = partial(
                Roll,
                document=view.document,
                place=view.document.at(view.caret),
                pipeline=view.settings.decoding,
                seeds=tuple(seeds(view.settings.seed, intent.count)),
                count=intent.tokens,
                reading=view.settings.reading,
                stop_at=view.loaded.eos if view.settings.stop_at_eos else None,
                drawn=self._play.drawn_before,
            )
            self._asked = self._bridge.ask(asked, self._heard)
            self._play.show(trying="rollouts", rolled=None, rolled_behind=view.document.tail(view.caret))

    def search(self, intent: Beams) -> None:
        view = self._play.view
        if self._may_begin():
            asked = partial(
                Search,
                document=view.document,
                place=view.document.at(view.caret),
                rules=intent.rules,
                pipeline=view.settings.decoding,
                reading=view.settings.reading,
                upto=intent.upto,
            )
            self._asked = self._bridge.ask(asked, self._heard)
            self._play.show(trying="beams", searched_behind=view.document.tail(view.caret))

    def map(self, intent: Maps) -> None:
        view = self._play.view
        if self._may_begin() and view.loaded is not None:
            asked = partial(
                Map,
                document=view.document,
                place=view.document.at(view.caret),
                depth=intent.depth,
                budget=intent.budget,
                pipeline=view.settings.decoding,
                reading=view.settings.reading,
                stop_at=view.loaded.eos if view.settings.stop_at_eos else None,
            )
            self._asked = self._bridge.ask(asked, self._heard)
            self._play.show(trying="map", mapped=None, mapped_behind=view.document.tail(view.caret))

    def stop(self) -> None:
        """What has come so far stays in sight."""
        if self._asked is not None:
            self._bridge.forget(self._asked)
            self._asked = None
            self._play.show(trying="")

    def write(self, intent: Continue) -> None:
        """Each token becomes a state of its own: a drawn one as it was drawn, another one as if it was picked."""
        self.stop()
        play = self._play
        if not intent.steps:
            for id in intent.ids:
                self._writing.when_fresh(Take(id))
            return
        with play.at_once():
            self._writing.stop()
            play.show(step=None, step_decoded=None)
            for step in intent.steps:
                self._writing.write(step, "sampled")

    def _may_begin(self) -> bool:
        if not self._writing.has_model():
            return False
        if self._play.looking:
            self._play.reported.emit(*ELSEWHERE)
            return False
        self._writing.stop()
        self.stop()
        return True

    def _heard(self, result: Result) -> None:
        with self._play.at_once():
            match result:
                case Rolled():
                    self._play.show(rolled=result)
                case Searched():
                    self._play.show(searched=result)
                case Mapped():
                    self._play.show(mapped=result)
                case Failed(cause=cause, remedy=remedy):
                    self._play.reported.emit(cause, remedy)
            if result.is_last:
                self._asked = None
                self._play.show(trying="")
