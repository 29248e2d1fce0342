"""What a panel is: it shows a frozen View, and emits small frozen intents.

Panels do not know each other or the worker. The window hands every visible panel the same View; a panel emits
intents and changes nothing itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from arplay.gui.intents import Change, Select
from arplay.gui.panels.entry import PanelEntry
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.view import View


class Panel(QWidget):
    """One view. A new panel is a subclass in a file of its own and a line in ``gui/panels/__init__.py``."""

    name: str = ""
    title: str = ""
    """Both are those of its line of the catalogue."""
    explanation: str = ""
    """What is this? Rich text with the formula that the panel shows."""

    intent = Signal(object)

    waits_for: Literal["answer", "scores"] | None = None
    """What its figures are of: while a newer one is on its way a veil over :meth:`veiled` says so."""

    comes: Literal["at once", "with the answer", "after"] = "after"
    """When it is shown a new View: at most one panel comes with the answer, the others a moment after it."""

    theme: Theme = LIGHT

    beside_title: QWidget | None = None
    """What of it stands in its title bar, behind the name."""

    entry: PanelEntry
    """Its line of the catalogue."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = View()
        """What it shows: each keeps it in :meth:`show_view`."""
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # a panel that was clicked is the one that F11 enlarges

    def minimumSizeHint(self) -> QSize:
        """What has no room scrolls, or is left out."""
        return QSize(120, 80)

    def show_view(self, view: View) -> None:
        """Draw ``view``. Called often: compare fields with ``is`` and do nothing where nothing is new."""
        raise NotImplementedError

    def select(self, index: int) -> None:
        """Go to the token with this index."""
        self.intent.emit(Select(index))

    def change(self, **fields: object) -> None:
        """These settings, the others as they are."""
        self.intent.emit(Change(replace(self.view.settings, **fields)))  # type: ignore[arg-type]

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def veiled(self) -> QWidget:
        """What of it shows figures that may be of a moment ago."""
        return self

    def wanted_height(self, view: View, width: int) -> int:
        """Pixels that show all of what the panel holds of ``view`` at this width; panels share the room by it."""
        return 260

    def least_height(self, view: View) -> int:
        """Pixels that it has before others have more than they need at least."""
        return 112

    def chart_size(self) -> tuple[int, int] | None:
        """The size in pixels that an exported picture of everything wants, or None if there is nothing to export."""
        return None

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        """Paint the exported picture (vectors and real text) into ``area``."""
        raise NotImplementedError
