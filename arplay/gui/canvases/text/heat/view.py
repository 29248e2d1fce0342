"""The scrolling view of a heatmap: paints the rows in sight, hits tokens, and walks over them with the keyboard."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Found, TokenSet
from arplay.core.modalities.text import bytes_of, text_of
from arplay.gui.canvases.text.heat import marks
from arplay.gui.canvases.text.heat.blocks import Blocks, Rows
from arplay.gui.canvases.text.heat.painting import HeatPainter, Lines, lead_columns
from arplay.gui.canvases.text.heat.shaping import Grid
from arplay.gui.contract import Unit, View
from arplay.gui.theme import BODY, LIGHT, RADIUS, SPACE, TEXT, Theme, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.buffer import Buffer
from arplay.gui.widgets.heat.card import HeatCard, content
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.zoom import WheelZoom

PAD = SPACE[2]


class HeatView(QAbstractScrollArea):
    picked = Signal(int)
    zoomed = Signal(int)

    @staticmethod
    def height_of(view: View, width: int) -> int:
        """An estimate: laying out a long text only to ask would cost more than it tells."""
        long = view.ledger is not None and view.excerpt_of is not None
        data = bytes_of(view.ledger.encoded) if view.ledger is not None and long else text_of(view.document).data
        lines = data.count(b"\n") + 1 + len(data) * view.settings.text_size * 6 // (10 * max(1, width))
        return 150 + 2 * lines * view.settings.text_size

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Heatmap of the text")
        self.viewport().setMouseTracking(True)
        self.theme: Theme = LIGHT
        self.grid = Grid.make()
        self.scale = HeatScale(LIGHT, "surprisal")
        self.unit: Unit = "nats"
        self.ledger: Ledger | None = None
        self.vocabulary: TokenSet | None = None
        self.lead: tuple[str, ...] = ()
        self.blocks: Blocks | None = None
        self.flow: Rows | None = None
        self.lines: Lines | None = None
        self.selected: int | None = None
        self.caret: int | None = None
        self.found: Found | None = None
        self.hovered: int | None = None
        self.empty_text = ""
        self.card = HeatCard(self)
        self._zoom = WheelZoom()
        self._buffer = Buffer()
        self._top: tuple[int, int, int] | None = None
        """What stands at the top: the block, its row, and the pixels of this row that are scrolled away."""
        self._counting = QTimer(self)
        self._counting.timeout.connect(self._count)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 40)

    def show_ledger(self, ledger: Ledger | None, vocabulary: TokenSet | None, lead: tuple[str, ...]) -> None:
        """A ledger of the same tokens only brings new colours; another text is laid out anew."""
        same = self.ledger is not None and ledger is not None and _same_tokens(self.ledger, ledger)
        relayout = not same or lead != self.lead
        self.ledger, self.vocabulary, self.lead = ledger, vocabulary, lead
        if not same:
            self.blocks = Blocks.of(ledger, vocabulary, self.grid.measure) if ledger is not None else None
            self._hover(None)
        if relayout:
            self.flow = None
            self._lay_out()
        if not same:
            self.reveal()
        self.viewport().update()

    def show_place(self, index: int | None, caret: int | None) -> None:
        """Where the text is looked at: before a token, which is framed; else at a byte, where a caret stands."""
        if (index, caret) != (self.selected, self.caret):
            self.selected, self.caret = index, caret
            self.viewport().update()
            self.reveal()

    def show_found(self, found: Found | None) -> None:
        if found is not self.found:
            self.found = found
            self.viewport().update()

    def show_style(self, theme: Theme, scale: HeatScale, unit: Unit, text_size: int = TEXT) -> None:
        self.theme, self.scale, self.unit = theme, scale, unit
        if text_size != self.grid.size:
            anchor = self._anchor()
            self.grid = Grid.make(text_size)
            self.flow = None
            self._lay_out()
            self._return_to(anchor)
        self.card.theme = theme
        self.card.update()
        self.viewport().update()

    def reveal(self) -> None:
        """Scroll so that the selected token, or the caret, and a row around it are in sight."""
        token = self.selected
        if token is None and self.caret is not None:
            token = marks.token_of(self, self.caret)
        if self.flow is None or token is None or not self._has(token):
            return
        row = self.flow.first_row(token) if token == self.selected else self.flow.last_row(token)
        self._hold()
        top = PAD + row * self.grid.row
        bar, height = self.verticalScrollBar(), self.viewport().height()
        if top - self.grid.row < bar.value():
            bar.setValue(top - self.grid.row)
        elif top + 2 * self.grid.row > bar.value() + height:
            bar.setValue(top + 2 * self.grid.row - height)

    def token_at(self, position: QPointF, nearest: bool = False) -> int | None:
        """The token under a place of the viewport."""
        if self.lines is None:
            return None
        row = int((position.y() - PAD + self.verticalScrollBar().value()) // self.grid.row)
        if nearest:
            row = min(max(row, 0), self.lines.flow.rows - 1)
        return self.lines.hit(row, position.x() - PAD, nearest)

    def unit_near(self, y: float) -> int | None:
        """The first byte of the row at y in the viewport, or of the nearest one."""
        if self.flow is None or not self.flow.rows:
            return None
        row = int((y - PAD + self.verticalScrollBar().value()) // self.grid.row)
        return self.flow.byte_of(min(max(row, 0), self.flow.rows - 1))

    def scroll_to(self, byte: int, y: float) -> None:
        """Bring the row with this byte to y, as far as the text's ends allow."""
        if self.flow is not None and self.flow.rows:
            row = self.flow.row_of_byte(byte)
            self._hold()
            self.verticalScrollBar().setValue(round(PAD + row * self.grid.row - y))

    def rects_of(self, token: int, row: int) -> list[QRectF]:
        """Where a token is in a row, in the viewport: in several places where directions meet."""
        assert self.lines is not None
        top = PAD + row * self.grid.row - self.verticalScrollBar().value()
        return [rect.translated(PAD, 0) for rect in self.lines.cells(row, top, token)]

    def rect_of(self, token: int) -> QRectF:
        """Where (the first part of) a token is in the viewport."""
        assert self.flow is not None
        return self.rects_of(token, self.flow.first_row(token))[0]

    def in_sight(self) -> tuple[int, int] | None:
        """The tokens [first, stop) of the rows in sight."""
        if self.lines is None or not self.lines.flow.rows:
            return None
        scrolled, row = self.verticalScrollBar().value() - PAD, self.grid.row
        last = min(self.lines.flow.rows, -(-(scrolled + self.viewport().height()) // row)) - 1
        first = min(max(0, -(-scrolled // row)), last)
        cells = [cell for line in (self.lines[first], self.lines[last]) for cell in line.cells]
        return min(token for _, _, token in cells), max(token for _, _, token in cells) + 1

    def columns(self) -> int:
        """Columns of a row; one more is kept free, for a newline that hangs. The scroll bar's place is always free."""
        around = 2 * self.frameWidth() + self.verticalScrollBar().sizeHint().width()
        room = self.width() - 2 * PAD - around
        return max(4, int(room / self.grid.column) - 1)

    def _lay_out(self) -> None:
        columns = self.columns()
        if self.blocks is None:
            self.flow = self.lines = self._top = None
        elif self.flow is None or self.flow.columns != columns:
            self._top = None
            self.flow = Rows(self.blocks, columns, lead_columns(self.lead, columns)[1])
            self.lines = Lines(self.grid, self.flow)
        bar = self.verticalScrollBar()
        bar.setSingleStep(self.grid.row)
        bar.setPageStep(max(self.grid.row, self.viewport().height() - self.grid.row))
        self._hold()
        self._settle()

    def _hold(self) -> None:
        """Keep what stands at the top there, though blocks were laid out that are not as long as estimated."""
        height = 2 * PAD + (self.flow.rows if self.flow is not None else 0) * self.grid.row
        bar, top = self.verticalScrollBar(), self._top
        self._top = None  # scrolling would come back here
        bar.setRange(0, max(0, height - self.viewport().height()))
        if self.flow is not None and top is not None:
            block, row, pixels = top
            bar.setValue((int(self.flow.tops[block]) + row) * self.grid.row + pixels)
        self._top = top

    def _settle(self, upwards: bool = False) -> None:
        """Lay out the blocks in sight. Upwards, and above what was there already, a block is met at its end."""
        flow, bar, high = self.flow, self.verticalScrollBar(), self.grid.row
        if flow is None or not flow.rows:
            return
        at_end = bar.value() == bar.maximum() > 0
        row = min(max((bar.value() - PAD) // high, 0), flow.rows - 1)
        pixels, rows = bar.value() - row * high, self.viewport().height() // high + 2
        block, last = flow.block_at(row), flow.block_at(min(row + rows, flow.rows - 1))
        upwards = upwards or any(map(flow.is_known, range(block + 1, last + 1)))
        before, row = int(flow.tops[block + 1] - flow.tops[block]), row - int(flow.tops[block])
        row = min(max(row + (flow.count(block) - before) * upwards, 0), flow.count(block) - 1)
        self._top = block, row, pixels
        behind = block + 1
        while behind < len(flow.blocks) and flow.tops[behind] < flow.tops[block] + row + rows:
            flow.count(behind)
            behind += 1
        self._hold()
        if at_end and bar.value() != bar.maximum():
            bar.setValue(bar.maximum())

    def is_between(self, token: int, first_row: int, stop_row: int) -> bool:
        """Whether a token is in some rows (which are laid out), or near them."""
        if self.flow is None or first_row >= stop_row:
            return False
        first, stop = self.flow.tokens(first_row, stop_row)
        return first <= token < stop

    def _count(self) -> None:
        """Count the rows of one more block, so that soon the scroll bar tells the truth."""
        block = self.flow.unknown if self.flow is not None else None
        if block is None or self.flow is None:
            self._counting.stop()
            return
        self.flow.count(block)
        self._hold()

    def resizeEvent(self, event: QResizeEvent) -> None:
        anchor = self._anchor()
        before = self.flow
        self._lay_out()
        if self.flow is not before:
            self._return_to(anchor)
        super().resizeEvent(event)

    def _anchor(self) -> int | None:
        """The first token in sight; None at the very top."""
        return self.token_at(QPointF(PAD, PAD), nearest=True) if self.verticalScrollBar().value() else None

    def _return_to(self, anchor: int | None) -> None:
        if anchor is not None and self.flow is not None:
            self.verticalScrollBar().setValue(self.flow.first_row(anchor) * self.grid.row)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self._hover(None)
        if self._top is not None:
            self._settle(upwards=dy > 0)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.viewport().rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(frame, RADIUS - 1, RADIUS - 1)  # the frame around it is the style sheet's
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.ledger is None or self.lines is None or not len(self.ledger):
            self._paint_empty(painter, frame)
        else:
            self._paint_rows(painter, self._painter(self.lines, self.ledger), event.rect())
            self._paint_marks(painter, event.rect())
            if self.flow is not None and self.flow.unknown is not None and not self._counting.isActive():
                self._counting.start(0)
        painter.end()

    def _painter(self, lines: Lines, ledger: Ledger) -> HeatPainter:
        heat = HeatPainter(lines, self.theme, self.scale, ledger, self.lead)
        heat.specials = self.vocabulary.special if self.vocabulary is not None else frozenset()
        return heat

    def _rows_in(self, part: QRect) -> tuple[int, int]:
        """The rows [first, stop) of a part of the viewport."""
        scrolled, rows = self.verticalScrollBar().value(), self.flow.rows if self.flow is not None else 0
        first = max(0, (scrolled + part.top() - PAD) // self.grid.row)
        return first, min(rows, (scrolled + part.bottom() - PAD) // self.grid.row + 1)

    def _paint_rows(self, painter: QPainter, heat: HeatPainter, dirty: QRect) -> None:
        scrolled, port = self.verticalScrollBar().value(), self.viewport()

        def paint(painter: QPainter, part: QRect) -> None:
            first, stop = self._rows_in(part)
            painter.translate(PAD, 0)
            heat.paint(painter, first, stop, PAD + first * self.grid.row - scrolled)
            painter.translate(-PAD, 0)

        ratio = painter.device().devicePixelRatioF()
        painter.setClipRect(QRectF(port.rect()).adjusted(RADIUS, 1, -RADIUS, -1))  # the corners are round
        if ratio != int(ratio):  # scrolled by a part of a pixel, a picture would blur
            paint(painter, dirty)
            return
        of = self.ledger, self.vocabulary, self.lead, self.theme, self.scale, self.lines, self.flow and self.flow.moved
        under = self.theme.color("surface")
        painter.drawPixmap(0, 0, self._buffer.pixmap(of, scrolled, port.size(), int(ratio), under, paint))

    def _paint_marks(self, painter: QPainter, dirty: QRect) -> None:
        """What is over the rows: what was found, hovered and selected, and the caret."""
        first, stop = self._rows_in(dirty)
        if self.found is not None:
            marks.paint_found(painter, self, self.found, first, stop)
        for token, color, thick in ((self.hovered, "text", 1.0), (self.selected, "accent", 2.0)):
            if token is None or self.flow is None or not self.is_between(token, first, stop):
                continue
            painter.setPen(QPen(self.theme.color(color), thick))
            for row in range(max(first, self.flow.first_row(token)), min(stop - 1, self.flow.last_row(token)) + 1):
                for rect in self.rects_of(token, row):
                    painter.drawRoundedRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5), 3, 3)
        token = marks.token_of(self, self.caret) if self.caret is not None else None
        if self.caret is not None and token is not None and self.is_between(token, first, stop):
            caret = marks.caret_at(self, self.caret)
            assert caret is not None
            painter.fillRect(caret, self.theme.color("accent"))

    def _paint_empty(self, painter: QPainter, frame: QRectF) -> None:
        painter.setFont(interface_font(BODY))
        painter.setPen(self.theme.color("muted"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(frame.adjusted(PAD, PAD, -PAD, -PAD), int(flags), self.empty_text)

    def _has(self, token: int | None) -> bool:
        return token is not None and self.ledger is not None and 0 <= token < len(self.ledger)

    def _hover(self, token: int | None) -> None:
        if token != self.hovered:
            self.hovered = token
            self.viewport().update()
        if token is None or self.ledger is None:
            self.card.hide()
        else:
            rect = self.rect_of(token).toAlignedRect()
            cell = QRect(self.viewport().mapToGlobal(rect.topLeft()), rect.size())
            self.card.show_at(content(self.ledger, token, self.vocabulary, self.unit), cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.token_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            token = self.token_at(event.position())
            if token is not None:
                self.picked.emit(token)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        elif event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tell_lead(event.pos(), event.globalPos())
            return True
        return super().viewportEvent(event)

    def _tell_lead(self, position: QPoint, where: QPoint) -> None:
        if (
            self.lines is None
            or self.ledger is None
            or (position.y() - PAD + self.verticalScrollBar().value()) // self.grid.row
        ):
            return
        places = self._painter(self.lines, self.ledger).lead_places()
        for name, (left, right) in zip(self.lead, places, strict=False):
            if left <= position.x() - PAD < right:
                text = f"{label(name)}: read before the text and not part of it, so it has no score of its own."
                QToolTip.showText(where, plain(text), self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = self._zoom.steps(event)
        if steps is None:
            super().wheelEvent(event)
        elif steps:
            self.zoomed.emit(steps)

    def hideEvent(self, event: QHideEvent) -> None:
        self._hover(None)
        super().hideEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._hover(None)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        target = self._target(Qt.Key(event.key()))
        if target is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
            return
        self.picked.emit(target)

    def _target(self, key: Qt.Key) -> int | None:
        """The token that a key leads to from the selected one (from the first in sight where none is selected)."""
        if self.lines is None or self.flow is None or not self.flow.rows:
            return None
        last = len(self.ledger) - 1 if self.ledger is not None else 0
        here = self.selected if self._has(self.selected) else self.token_at(QPointF(PAD, PAD), nearest=True)
        here = 0 if here is None else here
        self.flow.count_around(here)
        self._hold()
        row = self.flow.first_row(here)
        page = max(1, self.viewport().height() // self.grid.row - 1)
        onwards = -1 if self.lines[row].rtl else 1
        steps = {Qt.Key.Key_Left: -onwards, Qt.Key.Key_Right: onwards}
        rows = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page}
        if key in steps:
            return min(max(here + steps[key], 0), last) if self._has(self.selected) else here
        if key in rows:
            left, right = self.lines[row].places[here][0]
            start = self.flow.last_row(here) if rows[key] > 0 else row
            wanted = min(max(start + rows[key], 0), self.flow.rows - 1)
            return self.lines.hit(wanted, (left + right) / 2, nearest=True)
        return {Qt.Key.Key_Home: 0, Qt.Key.Key_End: last}.get(key)


def _same_tokens(a: Ledger, b: Ledger) -> bool:
    return a.encoded is b.encoded or (
        bytes_of(a.encoded) == bytes_of(b.encoded) and np.array_equal(a.ends, b.ends) and np.array_equal(a.ids, b.ids)
    )
