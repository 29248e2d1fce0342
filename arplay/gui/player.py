"""Play: a step now and then, as many as were asked for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Player(QObject):
    """Calls ``step`` at a steady pace. ``step`` says whether it could write; if not, the next beat tries again."""

    def __init__(self, step: Callable[[], bool], ended: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._step, self._ended = step, ended
        self._left = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._beat)

    def start(self, steps: int, per_second: float) -> None:
        self._left = steps
        self.pace(per_second)
        self._beat()

    def pace(self, per_second: float) -> None:
        self._timer.start(max(1, round(1000 / per_second)))

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        if self._left <= 0:
            self._ended()
        elif self._step():
            self._left -= 1
