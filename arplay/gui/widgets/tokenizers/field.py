"""Where a text of one's own is typed that tokenizers cut."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLineEdit

from arplay.gui.theme import SPACE


class TextField(QLineEdit):
    """As wide as what stands in it while nothing is typed."""

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().horizontalAdvance(self.placeholderText())
        return QSize(words + 2 * SPACE[3], super().sizeHint().height())
