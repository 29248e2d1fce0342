"""What the views of training ask the worker, and the answers: none of them concerns the rest of the window."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from arplay.core.reading import Reading
from arplay.engine.messages import Lesson, Replay, Result, is_last
from arplay.gui.bridge import Bridge


class Lessons(QObject):
    """``replayed`` emits every answer to the newest Replay, ``taught`` that to the newest Lesson, failures included."""

    replayed = Signal(object)
    taught = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._asked: dict[int, type[Replay] | type[Lesson]] = {}  # the requests that have no final answer yet

    def replay(self, folder: str, text: str, place: int | None, after: int) -> None:
        self._forget(Replay)
        self._asked[self._bridge.replay(folder, text, place, after)] = Replay

    def lesson(self, text: str, reading: Reading) -> None:
        self._forget(Lesson)
        self._asked[self._bridge.lesson(text, reading)] = Lesson

    def hear(self, result: Result) -> bool:
        """Whether ``result`` answers a request of this object; it is then dealt with."""
        kind = self._asked.get(result.number)
        if kind is None:
            return False
        if is_last(result):
            del self._asked[result.number]
        (self.replayed if kind is Replay else self.taught).emit(result)
        return True

    def _forget(self, kind: type[Replay] | type[Lesson]) -> None:
        """The newer request replaces the one before it, which the bridge does not answer any more."""
        self._asked = {number: asked for number, asked in self._asked.items() if asked is not kind}
