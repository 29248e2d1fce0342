"""What a document of one kind is written or painted in, and its heatmap, as the panels around them see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QWidget

from arplay.core.chain import Ledger
from arplay.gui.linking import Across, Link, Scrolls
from arplay.gui.settings import Unit
from arplay.gui.theme import Theme
from arplay.gui.view import View
from arplay.gui.widgets.heat.scale import HeatScale


class Canvas(QWidget):
    """``intent`` carries what the user does. ``leave``: Esc was pressed, the focus goes to the chart.

    ``beside_title``: what stands there. ``scrolls``: what of it may scroll together with the heatmap. ``least``:
    pixels of height without which it is none.
    """

    intent = Signal(object)
    leave = Signal()
    beside_title: QWidget | None = None
    scrolls: Scrolls | None = None
    least = 80

    def show_view(self, view: View) -> None:
        """Show ``view``, whose document is of this kind."""
        raise NotImplementedError

    def set_theme(self, theme: Theme) -> None:
        raise NotImplementedError

    def wanted_height(self, view: View, width: int) -> int:
        """As that of a panel."""
        raise NotImplementedError

    def open_seek(self, part: str) -> None:
        """The row for going through the document, with this part of it; or a Report why there is none."""
        raise NotImplementedError

    def selected_tokens(self, ledger: Ledger | None) -> tuple[int, int] | None:
        """The tokens [first, stop) of ``ledger`` that are selected; None where it is of another document."""
        return None


class Heat(Protocol):
    """A widget that shows what the tokens of a document scored, and where it is looked at; it speaks of tokens alone.

    ``picked`` carries the index of the token that the user goes to, ``pointed`` that of the one below the mouse, or
    None, ``zoomed`` steps. ``beside``: where a panel is low the figures stand beside it. ``empty_text``: what is said
    where nothing is scored. ``least``: pixels of height that it needs, before the legend has any.
    """

    picked: SignalInstance
    pointed: SignalInstance
    zoomed: SignalInstance
    beside: bool
    empty_text: str
    least: int

    @staticmethod
    def height_of(view: View, width: int) -> int:
        """Pixels that a panel wants with this view, about: nothing is laid out only to ask."""
        ...

    @staticmethod
    def linked(heats: Sequence[Any], across: Across) -> Link | None:
        """What lets several of this kind show the same place; None where each of them shows all at once."""
        ...

    def in_columns(self, many: int, width: int, height: int) -> bool:
        """Whether so many like this are read better beside each other than below each other, in so many pixels."""
        ...

    def show_style(self, theme: Theme, scale: HeatScale, unit: Unit, text_size: int) -> None: ...

    def show_view(self, view: View) -> None:
        """Of a document of this kind, or without scores."""
        ...

    def show_pointed(self, tokens: tuple[int, int] | None) -> None:
        """The mouse points at these tokens [first, stop) in another one of the same document."""
        ...

    def in_sight(self) -> tuple[int, int] | None:
        """The tokens [first, stop) in sight; None where that is all of them or none."""
        ...
