"""Continuations that are tried behind the caret, rollouts, beams and a map: the document changes only when asked.

Rollouts and beams are states of the tree as soon as they are found; one stands there only once it is chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from arplay.core.beams import Expansion
from arplay.core.tree import Step
from arplay.core.tried import End, Tried
from arplay.engine.mapping import Map, Mapped
from arplay.engine.messages import Failed, Request, Result
from arplay.engine.rollouts import Roll, Rolled, seeds
from arplay.engine.search import Search, Searched
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Beams, Continue, Maps, Rollouts, Take
from arplay.gui.playground.recording import Recording
from arplay.gui.playground.state import State
from arplay.gui.playground.writing import ELSEWHERE, Writing


class Trying:
    """One of them at a time; what was tried last is shown until another one is."""

    def __init__(self, play: State, bridge: Bridge, recording: Recording, writing: Writing) -> None:
        self._play, self._bridge, self._recording, self._writing = play, bridge, recording, writing
        self._asked: int | None = None
        self._tried: Tried | None = None
        self._ends: list[End | None] = []  # of each rollout, or each beam
        self._seen: list[int] = []  # so many steps of each rollout, or so many expansions, are in the tree

    def roll(self, intent: Rollouts) -> None:
        if self._may_begin():
            settings, count = self._play.view.settings, intent.count
            self._begin(count)
            chosen, drawn = tuple(seeds(settings.seed, count)), self._play.drawn_before
            behind = self._ask(Roll, seeds=chosen, count=intent.tokens, stop_at=self._stop_at, drawn=drawn)
            self._play.show(trying="rollouts", rolled=None, rolled_behind=behind)

    def search(self, intent: Beams) -> None:
        if self._may_begin():
            self._begin(intent.rules.groups)
            behind = self._ask(Search, rules=intent.rules, upto=intent.upto)
            self._play.show(trying="beams", searched_behind=behind)

    def map(self, intent: Maps) -> None:
        if self._may_begin():
            behind = self._ask(Map, depth=intent.depth, budget=intent.budget, stop_at=self._stop_at)
            self._play.show(trying="map", mapped=None, mapped_behind=behind)

    @property
    def _stop_at(self) -> int | None:
        view = self._play.view
        return view.loaded.eos if view.loaded is not None and view.settings.stop_at_eos else None

    def _ask(self, what: Callable[..., Request], **how: object) -> str:
        """Ask it of the caret's place; the end of the text before that."""
        view = self._play.view
        place, settings = view.document.at(view.caret), view.settings
        asked = partial(what, document=view.document, place=place, pipeline=settings.decoding, reading=settings.reading)
        self._asked = self._bridge.ask(partial(asked, **how), self._on_result)
        return view.document.tail(view.caret)

    def stop(self) -> None:
        """What has come so far stays in sight."""
        if self._asked is not None:
            self._bridge.forget(self._asked)
            self._asked = None
            self._play.show(trying="")

    def write(self, intent: Continue) -> None:
        """Each token is a state of its own: one that was tried as it was tried, another one as if it was picked."""
        self.stop()
        play, loaded = self._play, self._play.view.loaded
        if not intent.steps or loaded is None:
            for id in intent.ids:
                self._writing.when_fresh(Take(id))
            return
        with play.at_once():
            self._writing.stop()
            play.show(step=None, step_decoded=None)
            tried = Tried(play.tree, play.view.caret, loaded.vocabulary)
            way = tried.way(intent.steps, intent.kind)
            self._grow(tried)
            self._recording.follow(way)

    def _begin(self, ends: int) -> None:
        """Where ``ends`` rollouts or beams will begin."""
        play = self._play
        assert play.view.loaded is not None
        self._tried = Tried(play.tree, play.view.caret, play.view.loaded.vocabulary)
        self._ends, self._seen = [self._tried.start] * ends, [0] * ends
        play.show(left_out=0)

    def _grow(self, tried: Tried) -> None:
        """What is new in the tree is kept and shown."""
        for node in tried.new:
            self._recording.grown.emit(node)
        tried.new.clear()
        self._play.show(states=tried.tree.count, left_out=tried.left_out)

    def _add(self, result: Rolled | Searched) -> None:
        tried = self._tried
        if tried is None or tried.tree is not self._play.tree:
            return
        if isinstance(result, Rolled):
            for at, rollout in enumerate(result.rollouts):
                for step in rollout.steps[self._seen[at] :]:
                    self._ends[at] = tried.goes_on(self._ends[at], step, "rolled")
                self._seen[at] = len(rollout.steps)
        else:
            for expansion, steps in zip(result.expansions[self._seen[0] :], result.steps[self._seen[0] :], strict=True):
                self._ends = self._expanded(tried, expansion, steps)
            self._seen[0] = len(result.expansions)
        self._grow(tried)

    def _expanded(self, tried: Tried, expansion: Expansion, steps: tuple[Step, ...]) -> list[End | None]:
        """The ends of the beams after it. What was pruned at once is not in the tree but in the panel of the search."""
        going: dict[tuple[int, int], End | None] = {}
        for each, step in zip(expansion.candidates, steps, strict=True):
            if each.fate in ("goes on", "finished"):
                going[each.parent, each.id] = tried.goes_on(self._ends[each.parent], step, "searched")
        return [going[pair] for pair in zip(expansion.parents, expansion.ids, strict=True)]

    def _may_begin(self) -> bool:
        if not self._play.has_model():
            return False
        if self._play.looking:
            self._play.reported.emit(*ELSEWHERE)
            return False
        self._writing.stop()
        self.stop()
        return True

    def _on_result(self, result: Result) -> None:
        with self._play.at_once():
            match result:
                case Rolled():
                    self._play.show(rolled=result)
                    self._add(result)
                case Searched():
                    self._play.show(searched=result)
                    self._add(result)
                case Mapped():
                    self._play.show(mapped=result)
                case Failed(cause=cause, remedy=remedy):
                    self._play.reported.emit(cause, remedy)
            if result.is_last:
                self._asked = None
                self._play.show(trying="")
