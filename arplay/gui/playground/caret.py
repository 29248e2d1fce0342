"""Where the user stands: in the document of the editor, or at a token of the text that the heatmap shows."""

from __future__ import annotations

from arplay.gui.playground.asking import Asking
from arplay.gui.playground.state import State
from arplay.gui.playground.writing import Writing

OLD_SCORES = "Nothing is chosen: these scores are of the text before the last change"
NOT_CUT = "Nothing is chosen: the text is not cut into tokens so far yet"
NO_SCORES = "Nothing is chosen: the text is not scored yet"


class Caret:
    """Wherever it goes, Play ends, and what comes next there is asked for."""

    def __init__(self, play: State, asking: Asking, writing: Writing) -> None:
        self._play, self._asking, self._writing = play, asking, writing

    def move(self, caret: int) -> None:
        """Go to a place of the editor."""
        play = self._play
        if caret == play.view.caret and not play.looking:
            return
        self._writing.stop()
        play.looking = False
        play.show(caret=caret, stale=True, selected=None, step=None, step_decoded=None)
        self._asking.explore_soon()

    def select(self, index: int, stop: int | None = None) -> None:
        """Go to the start of a token of the text that the heatmap shows; all before ``stop`` light up with it."""
        self._writing.stop()
        play, view = self._play, self._play.view
        ledger, answer = view.ledger, view.answer
        if view.scores_are_old:
            play.refused.emit(OLD_SCORES)
            return
        if ledger is not None:
            encoded = ledger.encoded
        elif answer is not None and not view.stale and play.long is None:
            encoded = answer.encoded
        else:
            play.refused.emit(NO_SCORES)
            return
        if index >= len(encoded) and not encoded.whole:
            play.refused.emit(NOT_CUT)
            return
        if not 0 <= index < len(encoded):
            play.refused.emit(f"There is no token {index + 1:,}: the text has {len(encoded):,}")
            return
        start, play.looking = encoded.span(index)[0], play.long is not None
        span = None if stop is None else (index, min(max(stop, index + 1), len(encoded)))
        play.show(selected=index, span=span, stale=True, step=None, step_decoded=None)
        if not play.looking:
            play.show(caret=start)
        self._asking.explore_at(play.scored_document, play.scored_document.at(start, index))
