"""The part of a menu whose entries come and go: files used lately, models that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from arplay.core.signs import safe
from arplay.gui.widgets.caption import plain


@dataclass(frozen=True, slots=True)
class Entry:
    """``value`` is what choosing it means."""

    value: str
    words: str
    tip: str
    checked: bool | None = None
    """None: not one of several of which one is in use."""


class Entries(QObject):
    """At the end that ``menu`` has when this is made, or before ``before``. ``chosen``: the value of an entry.

    No action is ever taken out of the menu: removing one that the menu owns cuts its connections, so each is kept,
    given other words, or hidden.
    """

    chosen = Signal(str)

    def __init__(self, menu: QMenu, before: QAction | None = None) -> None:
        super().__init__(menu)
        self._menu, self._before = menu, before
        self.actions: list[QAction] = []

    def show(self, entries: Sequence[Entry]) -> None:
        while len(self.actions) < len(entries):
            action = QAction(self._menu)
            action.triggered.connect(self._on_triggered)
            self._menu.insertAction(self._before, action)  # type: ignore[arg-type]  # None: at the end
            self.actions.append(action)
        for action, entry in zip(self.actions, entries, strict=False):
            action.setText(safe(entry.words).replace("&", "&&"))
            action.setToolTip(plain(entry.tip))
            action.setData(entry.value)
            action.setCheckable(entry.checked is not None)
            action.setChecked(bool(entry.checked))
        for place, action in enumerate(self.actions):
            action.setVisible(place < len(entries))

    def _on_triggered(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction)
        self.chosen.emit(action.data())
