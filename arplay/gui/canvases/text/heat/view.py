"""The heatmap of a text: paints the rows in sight, tells what is under the mouse, and walks over the tokens by key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
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
)
from PySide6.QtWidgets import QToolTip

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Found, TokenSet
from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.text import text_of
from arplay.gui.canvases.text.heat import marks
from arplay.gui.canvases.text.heat.layout import rows_about
from arplay.gui.canvases.text.heat.painting import HeatPainter, Lines
from arplay.gui.canvases.text.heat.rows import PAD, HeatRows
from arplay.gui.linking import Across, ScrollLink
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, LIGHT, RADIUS, TEXT, Theme, interface_font
from arplay.gui.view import View
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.buffer import Buffer
from arplay.gui.widgets.heat.card import HeatCard, content
from arplay.gui.widgets.heat.minimap import Minimap, tokens_of
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.labels import label, lead_tokens
from arplay.gui.widgets.zoom import WheelZoom

LOW = 64
"""Pixels of height below which there is no minimap."""
LINE = 32
"""Letters of a line in which a text is read well, with what stands around it."""
NOWHERE = np.zeros((0, 2), np.int64)


class HeatView(WheelZoom, HeatRows):
    picked = Signal(int)
    pointed = Signal(object)
    zoomed = Signal(int)
    beside = False
    least = 80

    @staticmethod
    def height_of(view: View, width: int) -> int:
        """An estimate: laying out a long text only to ask would cost more than it tells."""
        long = view.ledger is not None and view.excerpt_of is not None
        data = bytes_of(view.ledger.encoded) if view.ledger is not None and long else text_of(view.document).data
        return 150 + 2 * rows_about(data, view.settings.text_size, width) * view.settings.text_size

    @staticmethod
    def linked(heats: Sequence[HeatView], across: Across) -> ScrollLink:
        link = ScrollLink(heats, heats[0], across)
        for heat in heats:
            heat.verticalScrollBar().rangeChanged.connect(link.align)
        return link

    def in_columns(self, many: int, width: int, height: int) -> bool:
        """Where there is width for them, and where a row would not have a line in sight."""
        return width >= many * LINE * self.grid.column or height < many * (PAD + self.grid.row)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Heatmap of the text")
        self.viewport().setMouseTracking(True)
        self.theme: Theme = LIGHT
        self.scale = HeatScale(LIGHT, "surprisal")
        self.unit: Unit = "nats"
        self.found: Found | None = None
        self._spans, self._ends = NOWHERE, NOWHERE[:, 0]
        self.hovered: int | None = None
        self._pointed: tuple[int, int] | None = None
        self.empty_text = ""
        self.card = HeatCard(self)
        self._view = View()
        self._buffer = Buffer()
        self.minimap = Minimap(self)
        self.minimap.hide()
        self.minimap.wanted.connect(self._on_wanted)
        self.verticalScrollBar().rangeChanged.connect(self._place_minimap)

    def show_view(self, view: View) -> None:
        """What changed in it: the scores, the place that is looked at, and what was found."""
        ledger, loaded, before = view.ledger, view.loaded, self._view
        self._view = view
        if ledger is not before.ledger or loaded is not before.loaded:
            lead = lead_tokens(ledger, loaded) if ledger is not None else ()
            self.show_ledger(ledger, loaded.vocabulary if loaded else None, lead)
            if view.follows:
                self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
        self.set_wrap(view.settings.wrap)
        own = ledger is not None and not view.scores_are_old
        here = own and view.selected is None and view.excerpt_of is None
        self.show_place(view.lit, view.caret if here else None)
        self.show_found(view.found if own else None)
        self.minimap.show_surprise(view.settings.surprise)
        self.minimap.show_magnified(view.magnified)

    def show_ledger(self, ledger: Ledger | None, vocabulary: TokenSet | None, lead: tuple[str, ...]) -> None:
        before = self.blocks
        super().show_ledger(ledger, vocabulary, lead)
        if self.blocks is not before:
            self._hover(None)
        self.minimap.show_ledger(ledger)
        self._place_minimap()

    def show_empty(self, words: str) -> None:
        """What stands where there is no text."""
        if words != self.empty_text:
            self.empty_text = words
            self.viewport().update()

    def show_found(self, found: Found | None) -> None:
        if found is not self.found:
            self.found = found
            self.viewport().update()
        ends = self.ledger.ends if self.ledger is not None else NOWHERE[:, 0]
        spans = found.spans if found is not None and len(ends) else NOWHERE
        if spans is not self._spans or ends is not self._ends:
            self._spans, self._ends = spans, ends
            there = spans[:, 0] < (ends[-1] if len(ends) else 0)  # a text may be cut into tokens so far only
            self.minimap.show_found(tokens_of(spans[there, 0], ends))

    def show_style(self, theme: Theme, scale: HeatScale, unit: Unit, text_size: int = TEXT) -> None:
        self.theme, self.scale, self.unit = theme, scale, unit
        self.set_text_size(text_size)
        self.card.theme = theme
        self.card.update()
        self.minimap.show_style(theme, scale, unit)
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self._hover(None)
        super().scrollContentsBy(dx, dy)

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
            if self.minimap.isVisible():
                self.minimap.show_seen(self.in_sight())
                self.minimap.show_selected(self.lit)
        painter.end()

    def _painter(self, lines: Lines, ledger: Ledger) -> HeatPainter:
        heat = HeatPainter(lines, self.theme, self.scale, ledger, self.lead)
        heat.specials = self.vocabulary.special if self.vocabulary is not None else frozenset()
        return heat

    def _paint_rows(self, painter: QPainter, heat: HeatPainter, dirty: QRect) -> None:
        scrolled, port = self.verticalScrollBar().value(), self.viewport()

        def paint(painter: QPainter, part: QRect) -> None:
            first, stop = self._rows_in(part)
            left = PAD - self.across
            heat.between = (part.left() - left, part.right() + 1 - left)
            painter.translate(left, 0)
            heat.paint(painter, first, stop, PAD + first * self.grid.row - scrolled)
            painter.translate(-left, 0)

        ratio = painter.device().devicePixelRatioF()
        painter.setClipRect(QRectF(port.rect()).adjusted(RADIUS, 1, -RADIUS, -1))  # the corners are round
        if ratio != int(ratio):  # scrolled by a part of a pixel, a picture would blur
            paint(painter, dirty)
            return
        shown = self.ledger, self.vocabulary, self.lead, self.theme, self.scale
        of = *shown, self.lines, self.flow and self.flow.moved, self.across
        under = self.theme.color("surface")
        painter.drawPixmap(0, 0, self._buffer.pixmap(of, scrolled, port.size(), int(ratio), under, paint))

    def _paint_marks(self, painter: QPainter, dirty: QRect) -> None:
        """What is over the rows: what was found, hovered and selected, and the caret."""
        first, stop = self._rows_in(dirty)
        if self.found is not None:
            marks.paint_found(painter, self, self.theme, self.found, first, stop)
        if self.wrap == "sentences" and self.flow is not None:
            marks.paint_beginnings(painter, self, self.theme, first, stop)
        hovered = None if self.hovered is None else (self.hovered, self.hovered + 1)
        for tokens, color, thick in ((hovered or self._pointed, "text", 1.0), (self.lit, "accent", 2.0)):
            if tokens is not None:
                painter.setPen(QPen(self.theme.color(color), thick))
                marks.paint_framed(painter, self, tokens, first, stop)
        token = self.token_of(self.caret) if self.caret is not None else None
        if self.caret is not None and token is not None and self.is_between(token, first, stop):
            caret = marks.caret_at(self, self.caret)
            assert caret is not None
            painter.fillRect(caret, self.theme.color("accent"))

    def _paint_empty(self, painter: QPainter, frame: QRectF) -> None:
        painter.setFont(interface_font(BODY))
        painter.setPen(self.theme.color("muted"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(frame.adjusted(PAD, PAD, -PAD, -PAD), int(flags), self.empty_text)

    def _place_minimap(self, *_: int) -> None:
        """Beside the rows, where the text is longer than what is in sight; in a low panel it gives way."""
        long = self.verticalScrollBar().maximum() > 0 and self.ledger is not None
        shown = long and self.map_room() > 0 and self.height() >= LOW
        if shown == self.minimap.isHidden():
            self.minimap.setVisible(shown)
            self.setViewportMargins(0, 0, self.map_room() if shown else 0, 0)
        port = self.viewport().geometry()
        self.minimap.setGeometry(port.right() + 1, port.top() + PAD // 2, self.minimap.width(), port.height() - PAD)

    def _on_wanted(self, token: int) -> None:
        self.scroll_to(token, self.viewport().height() / 2, by_user=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_minimap()

    def _hover(self, token: int | None) -> None:
        if token != self.hovered:
            self.hovered = token
            self.viewport().update()
            self.pointed.emit(token)
        if token is None or self.ledger is None:
            self.card.hide()
        else:
            rect = self.rect_of(token).toAlignedRect()
            cell = QRect(self.viewport().mapToGlobal(rect.topLeft()), rect.size())
            self.card.show_at(content(self.ledger, token, self.vocabulary, self.unit), cell)

    def show_pointed(self, tokens: tuple[int, int] | None) -> None:
        """The mouse points at these in another view of the text."""
        if tokens != self._pointed:
            self._pointed = tokens
            self.viewport().update()

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
            if left <= position.x() - PAD + self.across < right:
                text = f"{label(name)}: read before the text and not part of it, so it has no score of its own."
                QToolTip.showText(where, plain(text), self)

    def hideEvent(self, event: QHideEvent) -> None:
        self._hover(None)
        super().hideEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._hover(None)
        super().focusOutEvent(event)

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
