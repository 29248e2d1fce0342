"""A button that opens a menu, and is highlighted afterwards only where the mouse is on it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton


def give_menu(button: QToolButton | QPushButton, menu: QMenu) -> None:
    """Let ``button`` open ``menu``."""
    button.setMenu(menu)
    if isinstance(button, QToolButton):
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu.aboutToHide.connect(_Hover(button).look_soon)


class _Hover(QObject):
    """An open menu has the mouse, so Qt does not tell the button that the mouse left it."""

    def __init__(self, button: QToolButton | QPushButton) -> None:
        super().__init__(button)
        self._button = button

    def look_soon(self) -> None:
        QTimer.singleShot(0, self, self._look)  # the menu is gone then

    def _look(self) -> None:
        button = self._button
        under = button.isVisible() and button.rect().contains(button.mapFromGlobal(QCursor.pos()))
        button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, under)
        button.update()
