"""What a document of one kind is written or painted in, as the panel around it sees it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from arplay.core.chain import Ledger
from arplay.gui.contract import View
from arplay.gui.linking import Scrolls
from arplay.gui.theme import Theme


class Canvas(QWidget):
    """``intent`` carries what the user does. ``leave``: Esc was pressed, the focus goes to the chart.

    ``scrolls``: what of it may scroll together with the heatmap. ``least``: pixels of height without which it is none.
    """

    intent = Signal(object)
    leave = Signal()
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
