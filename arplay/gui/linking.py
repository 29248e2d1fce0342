"""Two views of one text that scroll together: whichever the user scrolls leads, and the other shows the same place."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QScrollBar, QWidget


class Scrolls(Protocol):
    """What a view of a text must tell and do. Units are from the start; y is in its viewport."""

    def verticalScrollBar(self) -> QScrollBar: ...

    def viewport(self) -> QWidget: ...

    def isVisible(self) -> bool: ...

    def unit_near(self, y: float) -> int | None:
        """The first unit of the line at y, or of the nearest one."""
        ...

    def scroll_to(self, unit: int, y: float) -> None:
        """Bring the line with this unit to y, as far as the text's ends allow."""
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
        unit = leader.unit_near(share * leader.viewport().height())
        if share == 1.0:
            other.setValue(other.maximum())
        elif unit is not None and follower.isVisible():
            follower.scroll_to(unit, share * follower.viewport().height())
