"""One of several scorings of a text that stand beside each other, and what stands above it or to its left."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QWidget

from arplay.core.chain import Ledger
from arplay.core.format import number
from arplay.engine.load import Loaded
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Caption, Label


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """``name``: with its letter; ``bits``: per unit, over the units that all of them score."""

    name: str
    ledger: Ledger
    loaded: Loaded
    bits: float | None


class SideHead(QWidget):
    """Name and bits: in a line above, or below each other where it stands to the left."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.bits = Caption(), Label(role="caption")
        self._told = "", ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self.name)
        self._row.addWidget(self.bits)
        self.bits.setAlignment(Qt.AlignmentFlag.AlignTop)

    def show_side(self, side: Side, above: bool) -> None:
        self.name.show_text(side.name)
        figure, per = number(side.bits), side.ledger.unit.per
        self._told = f"{figure} {per}", figure
        self.bits.setToolTip(self._told[0])
        way = QBoxLayout.Direction
        self._row.setDirection(way.LeftToRight if above else way.TopToBottom)
        self._row.setSpacing(SPACE[1] if above else 0)
        self._row.setStretch(0, int(above))
        self._row.setStretch(1, int(not above))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The figure alone where its words have no room beside the name."""
        wide, (whole, figure) = self.bits.fontMetrics().horizontalAdvance, self._told
        above = self._row.direction() == QBoxLayout.Direction.LeftToRight
        roomy = not above or wide(self.name.full) + wide(whole) + SPACE[2] <= self.width()
        self.bits.setText(whole if roomy else figure)
