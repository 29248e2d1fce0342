"""When panels are shown a View: the text at once, the chart with the answer, the rest after it."""

from __future__ import annotations

import time
from collections.abc import Collection

from PySide6.QtCore import QObject, QTimer

from arplay.gui.contract import Panel
from arplay.gui.view import View

LATE_MS = 50
"""After so long without an answer the panels say that they wait."""

FOLLOW_MS = 80
"""So long after the text and the chart the other panels follow what Play writes."""

LONG = 20_000
"""Tokens of a text whose panels are shown one a turn."""


class Showing(QTimer):
    """Shows the newest View to those ``panels`` that are in sight; nothing is drawn twice for one step.

    ``panels`` may become more. One behind another's tab is given nothing until it comes to the front.
    """

    def __init__(self, panels: Collection[Panel], parent: QObject) -> None:
        super().__init__(parent, singleShot=True)
        self._panels = panels
        self._view = View()
        self._behind: dict[Panel, None] = {}
        """Those that are not shown the newest View yet; the first of them has its turn next."""
        self._began = False
        """Whether some of them had their turn."""
        self._followed = 0.0
        self.timeout.connect(self._show_next)

    def show_view(self, view: View) -> None:
        self._view = view
        waits = view.stale and view.loaded is not None and view.answer is not None and view.problem is None
        for panel in self._panels:
            if panel.comes == "at once":
                panel.show_view(view)
        if not waits:  # what is waited for after a step comes before the other panels have their turn
            for panel in self._panels:
                if panel.comes == "with the answer" and in_sight(panel):
                    panel.show_view(view)
        if view.playing and not waits and time.monotonic() > self._followed + FOLLOW_MS / 1000:
            self.show_all()  # painted with the chart, which takes less than one after the other
        elif not self.isActive() or self._began or not (waits or view.playing):
            self.follow(LATE_MS if waits else FOLLOW_MS if view.playing else 0)

    def follow(self, ms: int) -> None:
        """Show it to the others in so many milliseconds."""
        self._behind |= dict.fromkeys(panel for panel in self._panels if panel.comes != "at once")
        self._began = False
        self.start(ms)

    def show_all(self) -> None:
        self.stop()
        self._behind.clear()
        self._followed = time.monotonic()
        for panel in self._panels:
            if panel.comes != "at once" and in_sight(panel):  # the others have it already
                panel.show_view(self._view)

    def _show_next(self) -> None:
        """To all; to one, which is painted then, where that takes long: what the user does comes in between.

        While a text is scored the worker is in the way of all that is done here.
        """
        ledger = self._view.ledger
        if self._view.playing or ledger is None or (ledger.complete and len(ledger) < LONG):
            self.show_all()
            return
        while self._behind and not in_sight(panel := next(iter(self._behind))):
            del self._behind[panel]
        if not self._behind:
            return
        del self._behind[panel]
        self._began, self._followed = True, time.monotonic()
        if self._behind:
            self.start(1)  # one that is due at once may have its turn before this panel is painted
        panel.show_view(self._view)


def in_sight(panel: Panel) -> bool:
    """Whether any of it is on the screen: Qt calls a panel visible even where another's tab covers it."""
    return not panel.visibleRegion().isEmpty()
