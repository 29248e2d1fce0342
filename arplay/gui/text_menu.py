"""Commands about the text as it is shown. They stand in the menus Edit and View, and their keys always act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from arplay.gui.contract import Change, Zoom
from arplay.gui.theme import TEXT

if TYPE_CHECKING:
    from arplay.gui.main_window import MainWindow


class TextMenu(QObject):
    """Actions that no menu owns: a menu that is filled anew must not take their keys away."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.view: tuple[QAction, ...] = (
            self._action("&Larger text", self._larger, "Ctrl++", "Ctrl+="),
            self._action("&Smaller text", self._smaller, "Ctrl+-"),
            self._action("&Usual size of text", self._usual, "Ctrl+0"),
        )

    def _larger(self) -> None:
        self._window._on_intent(Zoom(1))

    def _smaller(self) -> None:
        self._window._on_intent(Zoom(-1))

    def _usual(self) -> None:
        self._change(text_size=TEXT)

    def _change(self, **fields: object) -> None:
        settings = self._window.playground.view.settings
        self._window._on_intent(Change(replace(settings, **fields)))  # type: ignore[arg-type]

    def _action(self, words: str, slot: Callable[[], object], *keys: str) -> QAction:
        action = QAction(words, self)
        action.triggered.connect(slot)
        action.setShortcuts([QKeySequence(key) for key in keys])
        self._window.addAction(action)
        return action
