"""Going through a document: to what is searched for, to what surprised the model; also through one too long to edit."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QTimer

from arplay.core.finding import beside, surprise
from arplay.core.format import in_unit, number
from arplay.core.modalities.base import Found
from arplay.core.modalities.lengthy import Lengthy, Searching
from arplay.core.rising import place_in
from arplay.gui.playground.caret import Caret
from arplay.gui.playground.state import State

NOT_SCORED = "the text is not scored yet"
NOT_CUT = "the text is not cut into tokens so far yet"
SHOWN_SECONDS = 0.2
"""How often it is told what a search of a long text has found so far."""
AGAIN = {1: "from the start again", -1: "from the end again"}


class Finding:
    """Works on the text that the heatmap shows: the editor's, or the long one of which the editor has the beginning."""

    def __init__(self, play: State, caret: Caret) -> None:
        self._play, self._caret = play, caret
        self._origin = 0
        self._search: Searching | None = None
        self._stands = False
        """Whether the search has led to a place, or is not to lead to one."""
        self._due = 0.0
        self._timer = QTimer(play, interval=0)
        self._timer.timeout.connect(self._look)

    def find(self, text: str, case: bool) -> None:
        """Stand on the first place of ``text`` at or behind the one where the search began; "" ends the search."""
        former = self._play.view.found
        if former is None:
            self._origin = self._here()
        found = self._begin(text, case)
        if found is None:
            self._play.show(found=None)
        else:
            self._tell(found)

    def _begin(self, text: str, case: bool) -> Found | None:
        """Search the text: a short one at once, of a long one a slice, and the others between events."""
        document = self._play.scored_document
        self._timer.stop()
        self._search, self._stands, self._due = None, False, 0.0
        if not text or not isinstance(document, Lengthy):
            return document.find(text, case) if text else None
        self._search = document.search(text, case)
        if not self._search.done:
            self._search.go_on()
        if not self._search.done:
            self._timer.start()
        return self._search.found

    def _look(self) -> None:
        """At one more slice."""
        assert self._search is not None
        self._search.go_on()
        if self._search.done:
            self._timer.stop()
        self._tell(self._search.found)

    def _tell(self, found: Found) -> None:
        """What is found so far; the first time that there is a place behind the caret, or all is found, go there."""
        done = self._search is None or self._search.done
        place = beside(found.spans, self._origin - 1, 1)
        if not self._stands and (done or (place is not None and not place[1])):
            self._stands = True
            self._stand(found, place)
        elif done or time.monotonic() > self._due:
            self._due = time.monotonic() + SHOWN_SECONDS
            former = self._play.view.found if self._stands else None
            at, wrapped = (former.at, former.wrapped) if former is not None else (None, False)
            self._play.show(found=replace(found, at=at, wrapped=wrapped))

    def step(self, step: int) -> None:
        """The next or the former place of what is searched for."""
        found = self._play.view.found
        if found is not None:
            self._stands = True
            self._stand(found, beside(found.spans, self._here(), step))
            self._origin = self._here()

    def look_again(self) -> None:
        """After the text has changed: what is found in it now, without going anywhere."""
        former = self._play.view.found
        self._timer.stop()
        self._play.show(sought="")
        if former is None:
            return
        found, self._stands = self._begin(former.text, former.case), True
        if found is not None:
            here = np.flatnonzero(found.spans[:, 0] == self._here())
            self._play.show(found=replace(found, at=int(here[0]) if len(here) else None))

    def surprise(self, step: int) -> None:
        """The next or the former token that is at least as surprising as the user set it."""
        ledger, settings = self._play.ledger, self._play.view.settings
        if ledger is None:
            self._play.show(sought=NOT_SCORED)
            return
        index = place_in(ledger.ends[:-1], self._here(), "right")
        selected = self._play.view.selected
        if selected is not None:
            index = selected  # several tokens may begin at the same unit
        place = surprise(ledger, max(index, -1 if step > 0 else 0), step, settings.surprise)
        unit, scored = settings.unit, f"{ledger.totals.scored:,} scored token{'s' * (ledger.totals.scored != 1)}"
        if place is None:
            limit = number(in_unit(settings.surprise, unit), 1)
            self._play.show(sought=f"none of {scored} has {limit} {unit} or more")
            return
        value = number(in_unit(-float(ledger.logprob[place[0]]), unit), 1)
        self._play.show(sought=f"{value} {unit}" + (f", {AGAIN[step]}" if place[1] else ""))
        self._caret.select(place[0])

    def _stand(self, found: Found, place: tuple[int, bool] | None) -> None:
        if place is None:
            self._play.show(found=found)
            return
        self._play.show(found=replace(found, at=place[0], wrapped=place[1]))
        self._go(int(found.spans[place[0], 0]))

    def _go(self, unit: int) -> None:
        """Caret before the token that has this unit, so that the reading stays whole; in a long text, to that token."""
        if self._play.long is None:
            self._caret.move(self._before(unit))
        elif (ledger := self._play.ledger) is not None and unit < ledger.encoded.span(len(ledger) - 1)[1]:
            self._caret.select(place_in(ledger.ends, unit, "right"))
        else:
            self._play.show(sought=NOT_SCORED if ledger is None else NOT_CUT)

    def _before(self, unit: int) -> int:
        """Where the token that has this unit begins; the unit itself while nobody knows the tokens of this text."""
        answer = self._play.view.answer
        encoded = answer.encoded if answer is not None else None
        if encoded is None or not encoded.is_of(self._play.document):
            return unit
        place = place_in(encoded.ends, unit, "right")
        return int(encoded.ends[place - 1]) if place else 0

    def _here(self) -> int:
        """The place that was found, while the caret stands before it; else the caret's."""
        view, ledger = self._play.view, self._play.ledger
        if self._play.looking and ledger is not None and view.selected is not None:
            return ledger.encoded.span(view.selected)[0]
        found = view.found
        if found is not None and found.at is not None:
            unit = int(found.spans[found.at, 0])
            if view.caret in (unit, self._before(unit)):
                return unit
        return view.caret
