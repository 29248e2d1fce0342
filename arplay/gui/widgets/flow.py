"""A row of controls that goes on in the next line where the panel is narrow."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from arplay.gui.theme import SPACE


class Flow(QLayout):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(QMargins())
        self.setSpacing(SPACE[1])

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lay(QRect(0, 0, width, 0), False)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            if not item.isEmpty():
                size = size.expandedTo(item.minimumSize())
        return size

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._lay(rect, True)

    def _lay(self, rect: QRect, put: bool) -> int:
        """The height that it takes; ``put``: move the items there."""
        lines: list[list[QLayoutItem]] = [[]]
        x = 0
        for item in self._items:
            if item.isEmpty():
                continue
            wide = item.sizeHint().width()
            if lines[-1] and x + wide > rect.width():
                lines.append([])
                x = 0
            lines[-1].append(item)
            x += wide + self.spacing()
        y = rect.y()
        for line in lines:
            high, x = max((item.sizeHint().height() for item in line), default=0), rect.x()
            for item in line:
                size = item.sizeHint()
                if put:
                    least = item.minimumSize().width()  # cut at the edge rather than pressed into each other
                    wide = max(least, min(size.width(), rect.width()))
                    item.setGeometry(QRect(QPoint(x, y + (high - size.height()) // 2), QSize(wide, size.height())))
                x += size.width() + self.spacing()
            y += high + SPACE[0]
        return y - rect.y() - (SPACE[0] if y > rect.y() else 0)
