"""Candidates compared again by themselves where the caret or the list is another one, while somebody watches."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from arplay.core.candidates import Candidates
from arplay.engine.candidates import Rated
from arplay.gui.intents import CompareCandidates
from arplay.gui.playground.questions import Questions
from arplay.gui.playground.state import State
from arplay.gui.view import View
from arplay.models import documents

PAUSE_MS = 350
LONGEST_SECONDS = 1.0
"""What took longer is asked for by hand."""
FEW, SHORT = 16, 200
"""So many candidates, of so many characters together, are tried before it is known how long that takes."""


class Rating(QObject):
    """Nothing is asked in Play, of a server, nor twice of one list at one place."""

    def __init__(self, play: State, questions: Questions) -> None:
        super().__init__(play)
        self._play, self._questions = play, questions
        self._watched = False
        self._tried: object = None
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        play.changed.connect(self._on_view)

    def watch(self, watched: bool) -> None:
        self._watched = watched
        self._on_view(self._play.view)

    def stop(self) -> None:
        self._watched = False
        self._timer.stop()

    def _on_view(self, view: View) -> None:
        here = self._here(view) if self._watched else None
        if here is not None and here != self._tried:
            self._timer.start()
        else:
            self._timer.stop()

    def _here(self, view: View) -> object:
        """The place and the list, where it is cheap to compare them; else None."""
        answer, loaded, texts = view.answer, view.loaded, view.settings.candidates
        if answer is None or answer.distribution is None or loaded is None or view.stale or view.playing:
            return None
        if self._play.looking or loaded.can.partial or not documents.reader_of(loaded.vocabulary).encoded:
            return None
        if not texts or view.answer_to(CompareCandidates).runs or not _cheap(view, texts):
            return None
        if (found := view.rated_here) is not None and found.texts == texts:
            return None
        return view.info, view.document, view.caret, texts, view.settings.reading

    def _ask(self) -> None:
        view = self._play.view
        if (here := self._here(view)) is not None:
            self._tried = here
            self._questions.ask(CompareCandidates(view.settings.candidates, quietly=True))


def _cheap(view: View, texts: Candidates) -> bool:
    long, found = sum(map(len, texts)), view.answer_to(CompareCandidates).found
    if not isinstance(found, Rated) or found.info is not view.info:
        return len(texts) <= FEW and long <= SHORT
    return found.seconds * long <= LONGEST_SECONDS * max(1, sum(map(len, found.texts)))
