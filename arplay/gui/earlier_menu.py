"""The texts of earlier sessions that no window holds: those of windows that crashed, and those that were left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from arplay.core.errors import Problem
from arplay.core.signs import safe
from arplay.gui.recovery import Left

if TYPE_CHECKING:
    from arplay.gui.main_window import MainWindow


class EarlierMenu(QMenu):
    """Choosing one makes this window go on with it; the text that was in the window is kept like the others."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__("&Earlier texts", window)
        self._window = window
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        for left in self._window.keeping.left():
            action = self.addAction(_words(left))
            action.setData(str(left.path))
            action.setToolTip("The text comes back with its history")
            action.triggered.connect(self._open)
        if self.isEmpty():
            self.addAction("There is no other text").setEnabled(False)

    def _open(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction)
        try:
            self._window.keeping.open(Path(action.data()))
        except Problem as problem:
            self._window.tell(problem.cause, problem.remedy)
        else:
            self._window.focus_editor()


def _words(left: Left) -> str:
    begins = safe(left.about.begins).replace("&", "&&") or "an empty text"
    ended = "" if left.about.closed else ", not closed"
    return f"{begins} ({left.when:%d %b %H:%M}{ended})"
