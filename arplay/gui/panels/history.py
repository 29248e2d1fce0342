"""History: how did we get here? Every state of the text as a row; a click goes there."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from arplay.core.tree import Node
from arplay.gui.contract import Goto, Panel, View
from arplay.gui.theme import BODY, LIGHT, SMALL, SPACE, Theme, fixed_font, icon, interface_font, number_font
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.history_rows import HistoryRows, said

ROW_HEIGHT = 26
INDENT = 14
DEEPEST = 8
"""Branches of branches are indented up to here."""
_ICONS = {
    "opened": "file-text",
    "typed": "keyboard",
    "picked": "hand-pointing",
    "sampled": "dice-five",
    "retokenised": "arrows-clockwise",
}
_EMPTY = (
    "Everything that you write, pick or sample appears here, with its probability. Click a row to go back to that "
    "state; nothing is ever lost, older ways are kept as branches."
)


class Rows(QTableView):
    """The list. ``chosen``: a row was clicked, or Enter was pressed on it."""

    chosen = Signal(QModelIndex)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName("History of the text")
        self.clicked.connect(self.chosen)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The current row stays in sight, also of a list that was hidden when it became the current one."""
        super().resizeEvent(event)
        self.scrollTo(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


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
        if current:
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
            self._what(painter, area, row.node, min(row.indent, DEEPEST), ink, current)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.color("accent"), 1))
            painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.restore()

    def _what(self, painter: QPainter, area: QRectF, node: Node, indent: int, ink: str, current: bool) -> None:
        theme, left = self.theme, area.left() + SPACE[1]
        if current:
            painter.fillRect(QRectF(area.left(), area.top(), 3, area.height()), theme.color("accent"))
        painter.setPen(QPen(theme.color("border"), 1.5))
        for level in range(indent):
            x = left + level * INDENT + 7
            painter.drawLine(int(x), int(area.top()), int(x), int(area.bottom()) + 1)
        left += indent * INDENT
        colour = "accent" if current else ink
        picture = self._icon(node.kind, colour, painter.device().devicePixelRatioF())
        painter.drawPixmap(int(left), int(area.center().y()) - 7, picture)
        text, is_text = said(node)
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


class HistoryPanel(Panel):
    """The tree of everything written, picked or sampled."""

    name = "history"
    title = "History"
    explanation = (
        "<p>Every state of the text, oldest first: what was typed, picked by hand or sampled. For a step you see "
        "<b>p</b> = p(x<sub>i</sub> | x<sub>&lt;i</sub>), the probability that the model gave to the token, and "
        "<b>u</b>, the random number that chose it: the token whose share of the cumulative distribution holds u.</p>"
        "<p>A click goes to that state. Going on from an older state starts a branch; the old way is kept, "
        "indented.</p>"
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self.model = HistoryRows(self)
        self.rows = Rows(self)
        self.rows.setModel(self.model)
        self._painter = RowPainter(self.model, self.rows)
        self.rows.setItemDelegate(self._painter)
        header = self.rows.horizontalHeader()
        header.setStretchLastSection(False)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, 60)
        self.rows.chosen.connect(self._go)
        self.empty = Label(_EMPTY, wrap=True)
        self.empty.setMargin(SPACE[1])
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.rows.hide()
        pages = QVBoxLayout(self)
        pages.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[1])
        pages.addWidget(self.empty, 1)
        pages.addWidget(self.rows, 1)

    def show_view(self, view: View) -> None:
        before, self._view = self._view, view
        if view.tree is before.tree and view.node is before.node and view.document is before.document:
            return
        self.model.follow(view.tree, view.node)
        nothing = view.tree is None or view.tree.count == 1
        self.empty.setVisible(nothing)
        self.rows.setVisible(not nothing)
        # a hidden list would take the keyboard nowhere
        self.setFocusProxy(None if nothing else self.rows)  # type: ignore[arg-type]
        row = self.model.row_of(view.node)
        if row is not None:
            index = self.model.index(row, 0)
            self.rows.setCurrentIndex(index)
            self.rows.scrollTo(index)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._painter.set_theme(theme)
        self.rows.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rows.setColumnHidden(2, self.width() < 280)
        self.rows.setColumnHidden(1, self.width() < 180)

    def _go(self, index: QModelIndex) -> None:
        node = self.model.rows[index.row()].node
        if node is not self._view.node:
            self.intent.emit(Goto(node))
