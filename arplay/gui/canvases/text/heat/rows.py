"""The rows of a heatmap as they scroll: laid out where they come into sight, found by token and by place."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea

from arplay.core.chain import Ledger
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.encoded_text import bytes_of
from arplay.gui.canvases.text.heat.blocks import Blocks, Rows
from arplay.gui.canvases.text.heat.painting import Lines, lead_columns
from arplay.gui.canvases.text.heat.shaping import Grid
from arplay.gui.settings import Wrap
from arplay.gui.theme import SPACE
from arplay.gui.widgets.heat.minimap import WIDTH as MINIMAP

PAD = SPACE[2]
WIDE = 360
"""Pixels of width from which there is room for a minimap."""


class HeatRows(QAbstractScrollArea):
    """Knows where every token is in its viewport; :class:`arplay.gui.canvases.text.heat.view.HeatView` paints it."""

    def __init__(self) -> None:
        super().__init__()
        self.wrap: Wrap = "words"
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.grid = Grid.make()
        self.ledger: Ledger | None = None
        self.vocabulary: TokenSet | None = None
        self.lead: tuple[str, ...] = ()
        self.blocks: Blocks | None = None
        self.flow: Rows | None = None
        self.lines: Lines | None = None
        self.lit: tuple[int, int] | None = None
        self.caret: int | None = None
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
        more = self.ledger is not None and ledger is not None and _begins(self.ledger, ledger)
        anchor = self._anchor() if more and relayout else None
        self.ledger, self.vocabulary, self.lead = ledger, vocabulary, lead
        if not same:
            self.blocks = Blocks.of(ledger, vocabulary, self.grid.measure) if ledger is not None else None
        if relayout:
            self.flow = None
            self._lay_out()
        if more:
            self._return_to(anchor)
        elif not same:
            self.reveal()
        self.viewport().update()

    @property
    def selected(self) -> int | None:
        """The token that is looked at."""
        return None if self.lit is None else self.lit[0]

    def show_place(self, lit: tuple[int, int] | None, caret: int | None) -> None:
        """Where the text is looked at: before a token, which is framed up to another one; else at a byte, where a caret
        stands."""
        if (lit, caret) != (self.lit, self.caret):
            self.lit, self.caret = lit, caret
            self.viewport().update()
            self.reveal()

    def set_text_size(self, pixels: int) -> None:
        """The size of the type; what stands at the top stays there."""
        if pixels == self.grid.size:
            return
        anchor = self._anchor()
        self.grid = Grid.make(pixels)
        self.flow = None
        self._lay_out()
        self._return_to(anchor)

    def set_wrap(self, wrap: Wrap) -> None:
        """What begins a row; what stands at the top stays there."""
        if wrap == self.wrap:
            return
        anchor = self._anchor()
        self.wrap = wrap
        policies = Qt.ScrollBarPolicy
        self.setHorizontalScrollBarPolicy(
            policies.ScrollBarAsNeeded if wrap == "lines" else policies.ScrollBarAlwaysOff
        )
        self.horizontalScrollBar().setValue(0)
        self.flow = None
        self._lay_out()
        self._return_to(anchor)

    @property
    def across(self) -> int:
        """Pixels that are scrolled away on the left, of lines that are not wrapped."""
        return self.horizontalScrollBar().value() if self.wrap == "lines" else 0

    def reveal(self) -> None:
        """Scroll so that what is selected, or the caret, and a row around it are in sight; of much its beginning."""
        token = self.selected
        if token is None and self.caret is not None:
            token = self.token_of(self.caret)
        if self.flow is None or token is None or not self._has(token):
            return
        end = self.flow.last_row(token if self.lit is None else min(self.lit[1], len(self.flow.blocks.ends)) - 1)
        row = self.flow.first_row(token) if token == self.selected else end
        self._hold()
        top, below = PAD + row * self.grid.row, PAD + (end + 2) * self.grid.row
        bar, height = self.verticalScrollBar(), self.viewport().height()
        if top - self.grid.row < bar.value():
            bar.setValue(top - self.grid.row)
        elif below > bar.value() + height:
            bar.setValue(min(below - height, max(bar.value(), top - self.grid.row)))
        if self.wrap == "lines":
            self._reveal_across(token, row)

    def _reveal_across(self, token: int, row: int) -> None:
        rects = self.rects_of(token, row)
        if rects:
            bar, wide = self.horizontalScrollBar(), self.viewport().width()
            left, right = min(rect.left() for rect in rects), max(rect.right() for rect in rects)
            if left < PAD or right > wide - PAD:
                bar.setValue(round(bar.value() + (left + right) / 2 - wide / 2))

    def token_at(self, position: QPointF, nearest: bool = False) -> int | None:
        """The token under a place of the viewport."""
        if self.lines is None:
            return None
        row = int((position.y() - PAD + self.verticalScrollBar().value()) // self.grid.row)
        if nearest:
            row = min(max(row, 0), self.lines.flow.rows - 1)
        return self.lines.hit(row, position.x() - PAD + self.across, nearest)

    def token_of(self, byte: int) -> int | None:
        """The token that has this byte; the last one where it is the end of the text."""
        return self.blocks.token_at(byte) if self.blocks is not None and len(self.blocks) else None

    def line_near(self, y: float) -> tuple[int, float] | None:
        """The token that the row at y in the viewport, or the nearest one, begins with or in, and the row's top."""
        if self.flow is None or not self.flow.rows:
            return None
        scrolled = self.verticalScrollBar().value() - PAD
        row = min(max(int((y + scrolled) // self.grid.row), 0), self.flow.rows - 1)
        token = self.token_of(self.flow.byte_of(row))
        return None if token is None else (token, row * self.grid.row - scrolled)

    def scroll_to(self, token: int, y: float, by_user: bool = False) -> None:
        """Bring the row where this token begins to y, as far as the text's ends allow. ``by_user``: it is their
        doing, as a drag of the scroll bar is, and what scrolls together with this follows."""
        if self.flow is not None and self._has(token):
            row = self.flow.first_row(token)
            self._hold()
            bar = self.verticalScrollBar()
            go = bar.setSliderPosition if by_user else bar.setValue
            go(round(PAD + row * self.grid.row - y))

    def rects_of(self, token: int, row: int) -> list[QRectF]:
        """Where a token is in a row, in the viewport: in several places where directions meet."""
        assert self.lines is not None
        top = PAD + row * self.grid.row - self.verticalScrollBar().value()
        return [rect.translated(PAD - self.across, 0) for rect in self.lines.cells(row, top, token)]

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
        around = 2 * self.frameWidth() + self.verticalScrollBar().sizeHint().width() + self.map_room()
        room = self.width() - 2 * PAD - around
        return max(4, int(room / self.grid.column) - 1)

    def map_room(self) -> int:
        """Pixels on the right that are always free for a minimap, so that rows stay as they are when it comes."""
        return MINIMAP if self.width() >= WIDE else 0

    def _lay_out(self) -> None:
        columns = self.columns()
        if self.blocks is None:
            self.flow = self.lines = self._top = None
        elif self.flow is None or self.flow.columns != columns:
            self._top = None
            self.flow = Rows(self.blocks, columns, lead_columns(self.lead, columns)[1], self.wrap)
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
        if self.wrap == "lines":
            widest = self.flow.widest + 1 if self.flow is not None else 0.0
            wide, across = round(widest * self.grid.column) + 2 * PAD, self.horizontalScrollBar()
            across.setRange(0, max(0, wide - self.viewport().width()))
            across.setPageStep(max(1, self.viewport().width()))
            across.setSingleStep(round(4 * self.grid.column))
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

    def _has(self, token: int | None) -> bool:
        return token is not None and self.ledger is not None and 0 <= token < len(self.ledger)

    def _rows_in(self, part: QRect) -> tuple[int, int]:
        """The rows [first, stop) of a part of the viewport."""
        scrolled, rows = self.verticalScrollBar().value(), self.flow.rows if self.flow is not None else 0
        first = max(0, (scrolled + part.top() - PAD) // self.grid.row)
        return first, min(rows, (scrolled + part.bottom() - PAD) // self.grid.row + 1)

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
        if self._top is not None:
            self._settle(upwards=dy > 0)
        self.viewport().update()


def _begins(a: Ledger, b: Ledger) -> bool:
    """Whether there are more tokens of the same text, which was cut further into them."""
    return not a.encoded.whole and bytes_of(a.encoded) is bytes_of(b.encoded)


def _same_tokens(a: Ledger, b: Ledger) -> bool:
    return a.encoded is b.encoded or (
        bytes_of(a.encoded) == bytes_of(b.encoded) and np.array_equal(a.ends, b.ends) and np.array_equal(a.ids, b.ids)
    )
