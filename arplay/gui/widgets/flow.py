"""A row of controls that goes on in the next line where the panel is narrow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from arplay.gui.theme import SPACE


class Flow(QWidget):
    """As high as its lines are at its width."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[QWidget] = []
        self._high = 0
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def add(self, part: QWidget) -> None:
        part.setParent(self)
        self._parts.append(part)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # one of them came, went, or wants another size
            self._lay()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay()

    def sizeHint(self) -> QSize:
        return QSize(self.minimumSizeHint().width(), self._high)

    def minimumSizeHint(self) -> QSize:
        shown = [part for part in self._parts if not part.isHidden()]
        return QSize(max((part.minimumSizeHint().width() for part in shown), default=0), 0)

    def _lay(self) -> None:
        """Side by side; what does not fit begins a line, and is cut at the edge rather than pressed together.

        Where all would fit into one line but for a few pixels, they stand closer.
        """
        shown = [part for part in self._parts if not part.isHidden()]
        room = self.width() - sum(part.sizeHint().width() for part in shown)
        gap = SPACE[0] if SPACE[0] * (len(shown) - 1) <= room < SPACE[1] * (len(shown) - 1) else SPACE[1]
        lines: list[list[QWidget]] = [[]]
        x = 0
        for part in shown:
            wide = part.sizeHint().width()
            if lines[-1] and x + wide > self.width():
                lines.append([])
                x = 0
            lines[-1].append(part)
            x += wide + gap
        y = 0
        for line in lines:
            high, x = max((part.sizeHint().height() for part in line), default=0), 0
            for part in line:
                size = part.sizeHint()
                wide = max(part.minimumSizeHint().width(), min(size.width(), self.width()))
                part.setGeometry(QRect(x, y + (high - size.height()) // 2, wide, size.height()))
                x += size.width() + gap
            y += high + SPACE[0]
        if self._high != max(0, y - SPACE[0]):
            self._high = max(0, y - SPACE[0])
            self.updateGeometry()
