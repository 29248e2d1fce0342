"""The models as a list: headings, and for each model a name, a line about it, its size and whether it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from arplay.core.format import part_percent, size
from arplay.gui.theme import BODY, LIGHT, RADIUS, SMALL, SPACE, Theme, icon, interface_font, number_font
from arplay.gui.widgets.keys import writes
from arplay.gui.widgets.models.facts import Choice, fit, found, summary
from arplay.gui.widgets.row_table import Column, Index, TableRows
from arplay.models.store.cards import Card

ROW, HEADING = 54, 32
_FIT_WORDS = {"fits": "fits", "tight": "just fits", "too large": "too large", "unknown": ""}


@dataclass(frozen=True, slots=True)
class Row:
    """A model, or the heading of those that follow."""

    heading: str = ""
    card: Card | None = None


def arranged(cards: Sequence[Card], query: str) -> list[Row]:
    """The models that ``query`` finds under their headings; a heading with nothing below it is left out."""
    names = ("Built in", "On this computer", "To get", "Folders and files", "At a server")
    groups: dict[str, list[Card]] = {name: [] for name in names}
    for card in cards:
        if found(card, query):
            groups[_group(card)].append(card)
    return [row for name, group in groups.items() if group for row in (Row(name), *(Row(card=card) for card in group))]


def _group(card: Card) -> str:
    if card.origin == "file":
        return "Folders and files"
    if card.origin == "server":
        return "At a server"
    if card.state == "fetch":
        return "To get"
    return "Built in" if card.origin == "built-in" else "On this computer"


class ModelRows(TableRows):
    """Rows of :func:`arranged`; ``current`` is the model that runs, ``getting`` the one that is downloaded."""

    columns = (Column("Models", "What is there, and what can be fetched", kind="words"),)
    rows: Sequence[Row]
    choice = Choice()
    current = ""
    getting: tuple[str, float | None] = ("", None)

    def show_cards(self, cards: Sequence[Card], query: str) -> None:
        self.reset(arranged(cards, query))

    def show_state(self, choice: Choice, current: str, getting: tuple[str, float | None]) -> None:
        if (choice, current, getting) != (self.choice, self.current, self.getting):
            self.choice, self.current, self.getting = choice, current, getting
            self.changed()

    def row_of(self, spec: str) -> int | None:
        return next((i for i, row in enumerate(self.rows) if row.card is not None and row.card.spec == spec), None)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.rows[index.row()].card is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def text(self, row: int, column: int) -> str:
        one = self.rows[row]
        return one.heading if one.card is None else one.card.title

    def tip(self, row: int, column: int) -> str:
        card = self.rows[row].card
        return "" if card is None else card.problem or card.spec

    def spoken(self, row: int, column: int) -> str:
        card = self.rows[row].card
        if card is None:
            return self.text(row, column)
        return ". ".join(part for part in (card.title, self.said(card), *self.figures(card)) if part)

    def said(self, card: Card) -> str:
        """The second line of a row."""
        return card.problem if card.state == "broken" else summary(card)

    def figures(self, card: Card) -> tuple[str, str]:
        """What stands at the right: how large it is, and whether it fits or runs."""
        if card.spec == self.getting[0]:
            share = self.getting[1]
            return "downloading", "" if share is None else part_percent(share)
        bytes = card.download_bytes if card.state == "fetch" else card.disk_bytes
        large = size(bytes) if bytes else ""
        if card.state == "broken":
            return large, "not usable"
        return large, "in use" if card.spec == self.current else _FIT_WORDS[fit(card, self.choice)]


class ModelList(QListView):
    """``chosen``: Enter or a double click on a model; ``unwanted``: Delete; ``typed``: what is to be searched for."""

    chosen = Signal()
    unwanted = Signal()
    selected = Signal()
    typed = Signal(str)

    def __init__(self, rows: ModelRows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(rows)
        self._painter = ModelPainter(rows, self)
        self.setItemDelegate(self._painter)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAccessibleName("Models")
        self.doubleClicked.connect(self.chosen)
        self.selectionModel().currentChanged.connect(self.selected)

    def set_theme(self, theme: Theme) -> None:
        self._painter.theme = theme
        self.viewport().update()

    def moveCursor(self, action: QListView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Where a key leads; a heading is passed over to the model below it, so that Home and Page Up arrive."""
        index = super().moveCursor(action, modifiers)
        if index.isValid() and not index.flags() & Qt.ItemFlag.ItemIsEnabled:
            return index.siblingAtRow(index.row() + 1)
        return index

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.unwanted.emit()
        elif writes(event):
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)


class ModelPainter(QStyledItemDelegate):
    """Draws a row: an icon of its kind, two lines of text, two figures; the chosen one in the accent's soft colour."""

    def __init__(self, rows: ModelRows, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = rows
        self.theme: Theme = LIGHT

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, HEADING if self._rows.rows[index.row()].card is None else ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, area = self._rows.rows[index.row()], QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.card is None:
            painter.setFont(interface_font(SMALL, bold=True))
            painter.setPen(self.theme.color("muted"))
            place = area.adjusted(SPACE[2], 0, 0, -SPACE[0])
            painter.drawText(place, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, row.heading)
        else:
            self._background(painter, area.adjusted(SPACE[0], 1, -SPACE[0], -1), option.state)
            self._model(painter, area.adjusted(SPACE[2], SPACE[1], -SPACE[3], -SPACE[1]), row.card)
        painter.restore()

    def _background(self, painter: QPainter, area: QRectF, state: QStyle.StateFlag) -> None:
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if not selected and not state & QStyle.StateFlag.State_MouseOver:
            return
        focused = selected and bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(QPen(self.theme.color("accent"), 1) if focused else Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("accent_soft" if selected else "raised"))
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def _model(self, painter: QPainter, area: QRectF, card: Card) -> None:
        broken, current = card.state == "broken", card.spec == self._rows.current
        sign = "warning" if broken else "accent" if current else "muted"
        picture = icon(_icon(card), self.theme, sign).pixmap(QSize(20, 20), painter.device().devicePixelRatioF())
        painter.drawPixmap(int(area.left()), int(area.center().y()) - 10, picture)
        text = area.adjusted(20 + SPACE[2], 0, 0, 0)
        above, below = self._rows.figures(card)
        top, bottom = number_font(BODY), interface_font(SMALL, bold=current)
        width = max(QFontMetricsF(top).horizontalAdvance(above), QFontMetricsF(bottom).horizontalAdvance(below))
        right = text.adjusted(text.width() - width, 0, 0, 0)
        left = text.adjusted(0, 0, -width - SPACE[2], 0)
        muted = "warning" if broken else "muted"
        told = "accent" if current else "warning" if below in ("too large", "not usable", "just fits") else "muted"
        lines = (
            (left, Qt.AlignmentFlag.AlignLeft, interface_font(BODY, bold=True), "text", card.title),
            (left, Qt.AlignmentFlag.AlignLeft, interface_font(SMALL), muted, self._rows.said(card)),
            (right, Qt.AlignmentFlag.AlignRight, top, "text", above),
            (right, Qt.AlignmentFlag.AlignRight, bottom, told, below),
        )
        for i, (place, side, font, ink, words) in enumerate(lines):
            self._line(painter, place, side | (_BOTTOM if i % 2 else _TOP), font, ink, words)

    def _line(
        self, painter: QPainter, place: QRectF, side: Qt.AlignmentFlag, font: QFont, ink: str, words: str
    ) -> None:
        painter.setFont(font)
        painter.setPen(self.theme.color(ink))
        one_line = " ".join(words.split())
        shown = painter.fontMetrics().elidedText(one_line, Qt.TextElideMode.ElideRight, int(place.width()) + 1)
        painter.drawText(place, int(side | Qt.TextFlag.TextSingleLine), shown)


_TOP, _BOTTOM = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom


def _icon(card: Card) -> str:
    if card.state == "broken":
        return "warning-circle"
    if card.state == "fetch":
        return "cloud-arrow-down"
    return card.of.icon
