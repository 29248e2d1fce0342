"""The rows of the history as a list: every state is one, with what was done, p and u."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from arplay.gui.theme import BODY, LIGHT, SMALL, SPACE, Theme, fixed_font, icon, interface_font, number_font
from arplay.gui.widgets.history_rows import HistoryRows, Row
from arplay.gui.widgets.row_table import RowTable

ROW_HEIGHT = 26
INDENT = 14
DEEPEST = 8
"""Branches of branches are indented up to here."""
_ICONS = {
    "opened": "file-text",
    "typed": "keyboard",
    "painted": "paint-brush",
    "pasted": "clipboard",
    "picked": "hand-pointing",
    "sampled": "dice-five",
    "retokenised": "arrows-clockwise",
    "rolled": "shuffle",
    "searched": "tree-structure",
}


class RowPainter(QStyledItemDelegate):
    """One row: where it branched off, what was done, p and u. The way to the current state is in full colour."""

    def __init__(self, rows: HistoryRows, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = rows
        self._icons: dict[tuple[str, str, float], QPixmap] = {}
        self.theme: Theme = LIGHT

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._icons.clear()

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row, theme = self._rows.rows[index.row()], self.theme
        state, area = option.state, QRectF(option.rect)
        current, on_path = row.node is self._rows.node, id(row.node) in self._rows.path
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if current or row.node.serial in self._rows.lit:
            painter.fillRect(area, theme.color("accent_soft"))
        elif state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected):
            painter.fillRect(area, theme.color("raised"))
        ink = "text" if on_path else "muted"
        if index.column():
            painter.setFont(number_font(SMALL))
            painter.setPen(theme.color(ink))
            place = area.adjusted(0, 0, -SPACE[1], 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        else:
            self._what(painter, area, row, min(row.indent, DEEPEST), ink, current)
        view = option.widget
        if isinstance(view, RowTable) and view.hasFocus() and view.currentIndex().row() == index.row():
            painter.fillRect(QRectF(area.left(), area.bottom() - 2, area.width(), 2), theme.color("accent"))
        painter.restore()

    def _what(self, painter: QPainter, area: QRectF, row: Row, indent: int, ink: str, current: bool) -> None:
        theme, left = self.theme, area.left() + SPACE[1]
        if current:
            painter.fillRect(QRectF(area.left(), area.top(), 3, area.height()), theme.color("accent"))
        painter.setPen(QPen(theme.color("border"), 1.5))
        for level in range(indent):
            x = left + level * INDENT + 7
            painter.drawLine(int(x), int(area.top()), int(x), int(area.bottom()) + 1)
        left += indent * INDENT
        colour = "accent" if current else ink
        picture = self._icon(row.node.kind, colour, painter.device().devicePixelRatioF())
        painter.drawPixmap(int(left), int(area.center().y()) - 7, picture)
        text, is_text = row.said
        font = fixed_font(BODY) if is_text else interface_font(BODY)
        font.setBold(current)
        painter.setFont(font)
        painter.setPen(theme.color(ink))
        place = area.adjusted(left - area.left() + 15 + SPACE[1], 0, -SPACE[0], 0)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(place.width()))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)

    def _icon(self, kind: str, colour: str, scale: float) -> QPixmap:
        key = (kind, colour, scale)
        if key not in self._icons:
            self._icons[key] = icon(_ICONS[kind], self.theme, colour).pixmap(QSize(15, 15), scale)
        return self._icons[key]
