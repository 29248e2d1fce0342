"""Views of one document scroll together: the one that the user scrolls leads, the others show the same place.

A plot of the whole text shows which part of it they have in sight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QScrollBar, QWidget


class Scrolls(Protocol):
    """What a view of a document must tell and do; y is in its viewport."""

    def verticalScrollBar(self) -> QScrollBar: ...

    def horizontalScrollBar(self) -> QScrollBar: ...

    def viewport(self) -> QWidget: ...

    def isVisible(self) -> bool: ...

    def visibleRegion(self) -> QRegion: ...

    def line_near(self, y: float) -> tuple[int, float] | None:
        """The token that the line at y, or the nearest one, begins with or in, and the top of this line."""
        ...

    def scroll_to(self, token: int, y: float) -> None:
        """Bring the line where this token begins to y, as far as the document's ends allow."""
        ...


Across = Callable[[int, int, int], int | None]


def _the_same(side: int, token: int, to: int) -> int | None:
    return token


class Link(Protocol):
    """Views of one document that show the same place of it."""

    def align(self) -> None:
        """Soon: some of them were laid out anew."""
        ...


class ScrollLink(QObject):
    """Follows what the user does to a scroll bar (wheel, keys, drags), never what a view does to its own: no echo.

    ``across``: which token of another view stands where a token of one does; views by their numbers, from 0.
    """

    def __init__(self, areas: Sequence[Scrolls], parent: QObject, across: Across = _the_same) -> None:
        super().__init__(parent)
        self.on = True
        self._areas, self._across = areas, across
        self._leader: Scrolls | None = None
        self._side = 0
        """Which of them led the last time."""
        self._aligning = QTimer(self, singleShot=True, interval=0)
        self._aligning.timeout.connect(lambda: self.lead(self._side))
        for area in areas:
            for bar in (area.verticalScrollBar(), area.horizontalScrollBar()):
                bar.actionTriggered.connect(self._on_action)
                bar.valueChanged.connect(self._on_value)

    def _on_action(self) -> None:
        """The user is about to scroll one of them (Qt tells this before it moves)."""
        bar = self.sender()
        self._leader = next(a for a in self._areas if bar in (a.verticalScrollBar(), a.horizontalScrollBar()))

    def _on_value(self) -> None:
        leader, self._leader = self._leader, None
        bar = self.sender()
        if leader is None or bar not in (leader.verticalScrollBar(), leader.horizontalScrollBar()):
            return
        if bar is leader.verticalScrollBar():
            self.lead(self._areas.index(leader))
        elif self.on:
            for other in self._areas:
                other.horizontalScrollBar().setValue(leader.horizontalScrollBar().value())

    def lead(self, side: int) -> None:
        """Bring the place that one view shows into sight in the others."""
        self._side = side
        if not self.on:
            return
        leader = self._areas[side]
        bar, tall = leader.verticalScrollBar(), leader.viewport().height()
        share = bar.value() / bar.maximum() if bar.maximum() else 0.0  # so that all come to their ends together
        near = leader.line_near(share * tall)
        for to, other in enumerate(self._areas):
            if to == side:
                continue
            token = None if near is None else self._across(side, near[0], to)
            if share in (0.0, 1.0):
                other.verticalScrollBar().setValue(round(share * other.verticalScrollBar().maximum()))
            elif near is not None and token is not None and other.isVisible():
                other.scroll_to(token, near[1] + share * (other.viewport().height() - tall))

    def align(self) -> None:
        self._aligning.start()


class SightLink(QObject):
    """Tells ``shows`` which tokens are in sight, [first, stop), in the first of ``areas`` that is on the screen."""

    def __init__(
        self, areas: tuple[Scrolls, ...], shows: Callable[[tuple[int, int] | None], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._areas, self._shows = areas, shows
        for area in areas:
            bar = area.verticalScrollBar()
            bar.valueChanged.connect(self.tell)
            bar.rangeChanged.connect(self.tell)

    def tell(self) -> None:
        area = next((area for area in self._areas if not area.visibleRegion().isEmpty()), None)
        ends = (None, None) if area is None else (area.line_near(0), area.line_near(area.viewport().height()))
        self._shows(None if ends[0] is None or ends[1] is None else (ends[0][0], ends[1][0] + 1))
