"""Scores shown on one widget that has the document's own shape."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from arplay.gui.settings import Settings, Unit
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.view import View
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.layouts import in_column


class WidgetHeat(QWidget):
    """A :class:`arplay.gui.canvases.canvas.Heat` on ``inner``, which has a theme."""

    picked = Signal(int)
    pointed = Signal(object)
    zoomed = Signal(int)
    empty_text = ""

    def __init__(self, inner: Any, name: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._view, self._inner = View(), inner
        self._scale, self._unit = HeatScale(LIGHT, Settings().colour_by), Settings().unit
        inner.setAccessibleName(name)
        in_column(inner, on=self)
        self.setFocusProxy(inner)

    def show_style(self, theme: Theme, scale: HeatScale, unit: Unit, text_size: int) -> None:
        self._inner.theme, self._scale, self._unit = theme, scale, unit
        self.show_view(self._view)

    def show_view(self, view: View) -> None:
        raise NotImplementedError
