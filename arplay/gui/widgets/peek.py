"""Whether the mouse is over a button, or the keyboard on it: what it would do can then be shown beforehand."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QWidget

_KINDS = (QEvent.Type.Enter, QEvent.Type.Leave, QEvent.Type.FocusIn, QEvent.Type.FocusOut, QEvent.Type.EnabledChange)


class Peek(QObject):
    """``changed`` tells it, and only what is new. It is a child of the widget that it watches."""

    changed = Signal(bool)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._over = self._on = False
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self._widget and kind in _KINDS:
            if kind in (QEvent.Type.Enter, QEvent.Type.Leave):
                self._over = kind == QEvent.Type.Enter
            focused = kind == QEvent.Type.FocusIn or (self._widget.hasFocus() and kind != QEvent.Type.FocusOut)
            on = self._widget.isEnabled() and (self._over or focused)
            if on != self._on:
                self._on = on
                self.changed.emit(on)
        return super().eventFilter(watched, event)
