"""The receptive field where the caret stands, measured while somebody watches and the user pauses."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer

from arplay.engine.field import Reach, Reached
from arplay.engine.messages import Failed, Result
from arplay.gui.bridge import Bridge
from arplay.gui.playground.comparing import PAUSE_MS
from arplay.gui.playground.state import State
from arplay.gui.view import View


class Reaching(QObject):
    """Keeps ``reached`` of the playground's view. Nothing is measured in Play, nor twice at one place."""

    def __init__(self, play: State, bridge: Bridge) -> None:
        super().__init__(play)
        self._play, self._bridge = play, bridge
        self._watched = False
        self._tried: object = None
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        play.changed.connect(self._on_view)

    def watch(self, watched: bool) -> None:
        self._watched = watched
        self._on_view(self._play.view)

    def stop(self) -> None:
        self._timer.stop()

    def _on_view(self, view: View) -> None:
        if self._watched and self._here(view) not in (None, self._tried) and view.reached_here is None:
            self._timer.start()
        else:
            self._timer.stop()

    def _here(self, view: View) -> object:
        """The place, where there is a field to measure; else None."""
        answer, loaded = view.answer, view.loaded
        if answer is None or answer.distribution is None or loaded is None or not loaded.can.field:
            return None
        if view.stale or view.playing or self._play.looking:
            return None
        return loaded.info, view.document, answer.prefix.index

    def _ask(self) -> None:
        view = self._play.view
        if (here := self._here(view)) is None or view.answer is None:
            return
        self._tried = here
        place = view.document.at(view.caret, view.answer.prefix.index)
        asked = partial(Reach, document=view.document, place=place, reading=view.settings.reading)
        self._bridge.ask(asked, self._on_reached)

    def _on_reached(self, result: Result) -> None:
        if isinstance(result, Reached):
            self._play.show(reached=result)
        elif isinstance(result, Failed):
            self._play.reported.emit(result.cause, result.remedy)
