"""Two views of one document scroll together: the one that the user scrolls leads, the other shows the same place.

A plot of the whole text shows which part of it they have in sight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QScrollBar, QWidget


class Scrolls(Protocol):
    """What a view of a document must tell and do; y is in its viewport."""

    def verticalScrollBar(self) -> QScrollBar: ...

    def viewport(self) -> QWidget: ...

    def isVisible(self) -> bool: ...

    def visibleRegion(self) -> QRegion: ...

    def token_near(self, y: float) -> int | None:
        """The token that the line at y, or the nearest one, begins with or in."""
        ...

    def scroll_to(self, token: int, y: float) -> None:
        """Bring the line where this token begins to y, as far as the document's ends allow."""
        ...


class ScrollLink(QObject):
    """Follows what the user does to a scroll bar (wheel, keys, drags), never what a view does to its own: no echo."""

    def __init__(self, areas: tuple[Scrolls, Scrolls], parent: QObject) -> None:
        super().__init__(parent)
        self.on = True
        self._areas = areas
        self._leader: Scrolls | None = None
        for area in areas:
            bar = area.verticalScrollBar()
            bar.actionTriggered.connect(self._on_action)
            bar.valueChanged.connect(self._on_value)

    def _on_action(self) -> None:
        """The user is about to scroll one of both (Qt tells this before it moves)."""
        self._leader = next(area for area in self._areas if area.verticalScrollBar() is self.sender())

    def _on_value(self) -> None:
        leader, self._leader = self._leader, None
        if not self.on or leader is None or leader.verticalScrollBar() is not self.sender():
            return
        follower = next(area for area in self._areas if area is not leader)
        bar, other = leader.verticalScrollBar(), follower.verticalScrollBar()
        share = bar.value() / bar.maximum() if bar.maximum() else 0.0  # so that both come to their ends together
        token = leader.token_near(share * leader.viewport().height())
        if share == 1.0:
            other.setValue(other.maximum())
        elif token is not None and follower.isVisible():
            follower.scroll_to(token, share * follower.viewport().height())


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
        ends = (None, None) if area is None else (area.token_near(0), area.token_near(area.viewport().height()))
        self._shows(None if ends[0] is None or ends[1] is None else (ends[0], ends[1] + 1))
