"""Questions that are asked again by themselves, where the text or what is asked for is another, while one watches."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from arplay.core.candidates import Candidates
from arplay.engine.candidates import Rated
from arplay.gui.intents import Ask, CompareCandidates, TokenizeText
from arplay.gui.playground.questions import Questions
from arplay.gui.playground.state import State
from arplay.gui.view import View
from arplay.models import documents

PAUSE_MS = 350
LONGEST_SECONDS = 1.0
"""What took longer is asked for by hand."""
FEW, SHORT = 16, 200
"""So many candidates, of so many characters together, are tried before it is known how long that takes."""
CUT = 100_000
"""Units of a document that are cut into tokens anew at each pause."""

Wanted = Callable[[State], tuple[object, Ask] | None]
"""What is to be asked, and a key that is equal while that is the same; None where nothing is, or it takes too long."""


class Watching(QObject):
    """Nothing is asked in Play, nor twice of the same. ``seen``: whether somebody sees the answer."""

    def __init__(self, play: State, questions: Questions, wanted: Wanted) -> None:
        super().__init__(play)
        self._play, self._questions, self._wanted = play, questions, wanted
        self.seen: Callable[[], bool] = lambda: False
        self._tried: object = None
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        play.changed.connect(self.look)

    def stop(self) -> None:
        """Nobody looks any more."""
        self.seen = lambda: False
        self._timer.stop()

    def look(self, _: object = None) -> None:
        """Something is another thing now, or comes into sight."""
        wanted = None if self._play.view.playing else self._wanted(self._play)
        if wanted is not None and wanted[0] != self._tried:
            self._timer.start()
        else:
            self._timer.stop()

    def _ask(self) -> None:
        wanted = None if self._play.view.playing or not self.seen() else self._wanted(self._play)
        if wanted is not None:
            self._tried, asked = wanted
            self._questions.ask(asked)


def candidates(play: State) -> tuple[object, Ask] | None:
    """The list of candidates at the caret, but not of a server."""
    view = play.view
    answer, loaded, texts = view.answer, view.loaded, view.settings.candidates
    if answer is None or answer.distribution is None or loaded is None or view.stale or play.looking:
        return None
    if view.lacks_model is not None:
        return None
    if loaded.can.partial or not documents.reader_of(loaded.vocabulary).encoded:
        return None
    if not texts or view.answer_to(CompareCandidates).runs or not _cheap(view, texts):
        return None
    if (found := view.rated_here) is not None and found.texts == texts:
        return None
    key = view.info, view.document, view.caret, texts, view.settings.reading
    return key, CompareCandidates(texts, quietly=True)


def _cheap(view: View, texts: Candidates) -> bool:
    long, found = sum(map(len, texts)), view.answer_to(CompareCandidates).found
    if not isinstance(found, Rated) or found.info is not view.info:
        return len(texts) <= FEW and long <= SHORT
    return found.seconds * long <= LONGEST_SECONDS * max(1, sum(map(len, found.texts)))


def tokenizers(play: State) -> tuple[object, Ask] | None:
    """The text under the tokenizers that are chosen; a text of one's own where there is one."""
    view, settings = play.view, play.view.settings
    if view.loaded is None or view.answer_to(TokenizeText).runs:
        return None
    text, document = settings.cut_text, play.scored_document
    if not text and (len(document) > CUT or not documents.is_text(document)):
        return None
    asked = TokenizeText(settings.tokenizers, text, quietly=True)
    return (view.loaded.vocabulary.name, text or document, asked, settings.reading.special), asked
