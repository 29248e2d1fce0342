"""A row of tools above a text: quiet buttons with icons of the theme; where there is no room, some give way."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QToolButton

from arplay.gui.theme import Theme, icon
from arplay.gui.widgets.push_button import quiet_button


class ToolRow(QFrame):
    """As high as its parts are, and as narrow as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._icons: list[tuple[QToolButton, str]] = []

    def tool(self, name: str, tip: str, slot: Callable[[], None]) -> QToolButton:
        button = quiet_button(tip)
        button.clicked.connect(slot)
        self._icons.append((button, name))
        return button

    def set_theme(self, theme: Theme) -> None:
        for button, name in self._icons:
            button.setIcon(icon(name, theme, "muted"))

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Show what there is room for."""
        raise NotImplementedError
