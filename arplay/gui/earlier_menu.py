"""The texts of earlier sessions that no window holds: those of windows that crashed, and those that were left."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QMenu

from arplay.core.errors import Problem
from arplay.core.signs import safe
from arplay.gui.host import Host
from arplay.gui.playground.recovery import Left
from arplay.gui.widgets.entries import Entries, Entry
from arplay.gui.widgets.labels import capital


class EarlierMenu(QMenu):
    """Choosing one makes this window go on with it; the text that was in the window is kept like the others."""

    def __init__(self, window: Host) -> None:
        super().__init__("E&arlier texts", window)
        self._window = window
        self.setToolTipsVisible(True)
        self._nothing = self.addAction("")
        self._nothing.setEnabled(False)
        self._entries = Entries(self)
        self._entries.chosen.connect(self._open)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self._nothing.setText("There is no other text")
        left: list[Left] = []
        try:
            left = self._window.keeping.left()
        except Problem as problem:
            self._nothing.setText(capital(safe(str(problem))).replace("&", "&&"))
        tip = "The text comes back with its history"
        self._entries.show([Entry(str(one.path), _words(one), tip) for one in left])
        self._nothing.setVisible(not left)

    def _open(self, path: str) -> None:
        try:
            self._window.keeping.open(Path(path))
        except Problem as problem:
            self._window.report(problem.cause, problem.remedy)
        else:
            self._window.focus_editor()


def _words(left: Left) -> str:
    begins = left.about.begins or "an empty text"
    ended = "" if left.about.closed else ", not closed"
    return f"{begins} ({left.when:%d %b %H:%M}{ended})"
