"""The scrolling list of bars: rows under a fixed legend and axis, the pinned row and the rest always in sight."""

from __future__ import annotations

import html

from PySide6.QtCore import QEasingCurve, QEvent, QPoint, QPointF, QRectF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip

from arplay.core.decoding.pipeline import Decoded
from arplay.core.decoding.trace import Lost
from arplay.core.distribution import Distribution
from arplay.core.format import percent
from arplay.core.modalities.base import TokenSet
from arplay.gui.theme import ANIMATION_MS, LIGHT, RADIUS, SPACE, Theme
from arplay.gui.widgets.bars.bars import Axis, Bars, Row, figures
from arplay.gui.widgets.bars.painting import (
    AXIS_HEIGHT,
    LEGEND_HEIGHT,
    BarPainter,
    Look,
    lengths_of,
    others,
)
from arplay.gui.widgets.frame import paint_message
from arplay.gui.widgets.keys import row_after

ROW = 24
REFUSED = "Nothing is written: these bars are of a moment ago. Choose again when the new ones are there."
ROOMY = 32


class BarView(QAbstractScrollArea):
    """Shows one Bars. A click, Enter or → takes a row (``taken``); keys that it has no use for are its panel's."""

    taken = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.bars = Bars()
        self.axis = Axis(0.0, 1.0, False)
        self.lit: int | None = None
        self.chosen = 0
        self.message = ""
        self.animate = True
        self.source: tuple[Distribution, TokenSet] | None = None
        self.decoded: Decoded | None = None
        """What names the stage that cut a token."""
        self._hovered: Row | None = None
        self._answers = self._refused = False
        self._from: dict[int, tuple[float, float]] = {}
        self._to: dict[int, tuple[float, float]] = {}
        self._motion = QVariantAnimation(self)
        self._motion.setStartValue(0.0)
        self._motion.setEndValue(1.0)
        self._motion.setDuration(ANIMATION_MS)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.valueChanged.connect(self._moved)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName("Next tokens, the most probable first")

    def show_bars(self, bars: Bars, axis: Axis, lit: int | None, keep_choice: bool) -> None:
        """Draw ``bars``; ``lit`` is the token that lights up everywhere. Keep the chosen row, or start at the first."""
        before = self.chosen_row
        self._from = self.lengths
        self.bars, self.axis, self.lit, self.message = bars, axis, lit, ""
        self._to = lengths_of(bars, axis)
        self._answers = True
        if self._refused:
            self._refused = False
            QToolTip.hideText()
        self._motion.stop()
        if self.animate and self.isVisible() and self._from != self._to:
            self._motion.start()
        self._hovered = None
        places = {row.id: place for place, row in enumerate(bars.all_rows)}
        self.chosen = places.get(before.id, 0) if before and keep_choice else 0
        self._tell_choice()
        self._fit_scroll_bar()
        if not keep_choice:
            self.verticalScrollBar().setValue(0)
        self.viewport().update()

    def show_message(self, message: str) -> None:
        """There are no bars: say why."""
        self._motion.stop()
        self._hovered = None
        self.bars, self._from, self._to, self._answers = Bars(), {}, {}, False
        self.message = message
        self.setAccessibleDescription(message)
        self._fit_scroll_bar()
        self.viewport().update()

    def wait(self) -> None:
        """The bars belong to a text that was left: what is clicked now is refused in words."""
        self._answers = False

    @property
    def lengths(self) -> dict[int, tuple[float, float]]:
        """What is drawn at this moment of the animation."""
        if self._motion.state() != QVariantAnimation.State.Running:
            return self._to
        t = float(self._motion.currentValue())
        result = {}
        for id, (outline, fill) in self._to.items():
            a, b = self._from.get(id, (0.0, 0.0))
            result[id] = (a + (outline - a) * t, b + (fill - b) * t)
        return result

    @property
    def chosen_row(self) -> Row | None:
        rows = self.bars.all_rows
        return rows[self.chosen] if self.chosen < len(rows) else None

    # geometry: all in pixels of the viewport

    @property
    def row_height(self) -> int:
        room = self._bottom() - self._top() - 2 * SPACE[0]
        return min(max(ROW, int(room // max(1, len(self.bars.rows)))), ROOMY)

    def _top(self) -> float:
        return SPACE[0] + (LEGEND_HEIGHT if self.viewport().height() >= 160 else 0) + AXIS_HEIGHT

    def _bottom(self) -> float:
        pinned = (self.bars.pinned is not None) + (self.bars.rest is not None)
        return self.viewport().height() - pinned * ROW - (SPACE[1] if pinned else 0)

    def row_area(self, place: int) -> QRectF:
        """Where row ``place`` of ``bars.all_rows`` stands."""
        width = self.viewport().width()
        if place >= len(self.bars.rows):
            return QRectF(0, self._bottom() + SPACE[0], width, ROW)
        top = self._top() + SPACE[0] + place * self.row_height - self.verticalScrollBar().value()
        return QRectF(0, top, width, self.row_height)

    def rest_area(self) -> QRectF:
        return QRectF(0, self.viewport().height() - ROW - SPACE[0], self.viewport().width(), ROW)

    def place_at(self, point: QPointF) -> int | None:
        """The row under a point, as a place in ``bars.all_rows``."""
        scrolled = range(len(self.bars.rows)) if self._top() <= point.y() < self._bottom() else range(0)
        if scrolled:
            place = int((point.y() - self.row_area(0).top()) // self.row_height)
            return place if place in scrolled else None
        if self.bars.pinned and self.row_area(len(self.bars.rows)).contains(point):
            return len(self.bars.rows)
        return None

    def _fit_scroll_bar(self) -> None:
        room = int(self._bottom() - self._top())
        content = len(self.bars.rows) * self.row_height + 2 * SPACE[0]
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, content - room))
        bar.setPageStep(max(1, room))
        bar.setSingleStep(self.row_height)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.viewport().rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(area, RADIUS - 1, RADIUS - 1)  # the frame around it is the style sheet's
        if self.message:
            paint_message(painter, self.theme, area, self.message)
        elif self.bars.all_rows or self.bars.rest:
            self._paint_rows(BarPainter(painter, self.theme, self.bars, self.axis, self.lengths, area.width()))
        painter.end()

    def _paint_rows(self, bars: BarPainter) -> None:
        width, top, bottom = self.viewport().width(), self._top(), self._bottom()
        if top > SPACE[0] + AXIS_HEIGHT:
            bars.legend(QRectF(0, SPACE[0], width, LEGEND_HEIGHT))
        bars.axis_labels(QRectF(0, top - AXIS_HEIGHT, width, AXIS_HEIGHT))
        bars.grid(top, self.viewport().height() - 2.0)
        painter = bars.painter
        painter.save()
        painter.setClipRect(QRectF(0, top, width, max(0.0, bottom - top)))
        first, height = self.row_area(0).top(), self.row_height
        stop = min(len(self.bars.rows), int((bottom - first) // height) + 1)
        places = range(max(0, int((top - first) // height)), stop)
        rows = ((place, self.bars.rows[place]) for place in places)
        bars.rows(
            [(QRectF(0, first + place * height, width, height), row, self._look(place, row)) for place, row in rows]
        )
        painter.restore()
        if self.bars.pinned or self.bars.rest:
            painter.setPen(QPen(self.theme.color("border"), 1))
            painter.drawLine(QPointF(SPACE[1], bottom + 0.5), QPointF(width - SPACE[1], bottom + 0.5))
        if self.bars.pinned:
            place = len(self.bars.rows)
            bars.rows([(self.row_area(place), self.bars.pinned, self._look(place, self.bars.pinned))])
        if self.bars.rest:
            bars.rest(self.rest_area(), self.bars.rest)

    def _look(self, place: int, row: Row) -> Look:
        return Look(place == self.chosen, row is self._hovered, self.hasFocus(), row.id == self.lit)

    # keys and mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        keys = Qt.Key
        page = max(1, self.verticalScrollBar().pageStep() // self.row_height - 1)
        to = row_after(key, self.chosen, len(self.bars.all_rows), page)
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        elif to is not None:
            self.choose(to)
        elif key in (keys.Key_Return, keys.Key_Enter, keys.Key_Right):
            self._take(self.chosen)
        else:
            event.ignore()

    def choose(self, place: int) -> None:
        """Move the keyboard's row, and scroll it into sight."""
        self.chosen = place
        self._tell_choice()
        if place < len(self.bars.rows):
            area, bar = self.row_area(place), self.verticalScrollBar()
            if area.top() < self._top():
                bar.setValue(bar.value() - int(self._top() + SPACE[0] - area.top()))
            elif area.bottom() > self._bottom():
                bar.setValue(bar.value() + int(area.bottom() + SPACE[0] - self._bottom()))
        self.viewport().update()

    def _take(self, place: int | None) -> None:
        if place is None or place >= len(self.bars.all_rows):
            return
        if self._answers:
            self.taken.emit(self.bars.all_rows[place].id)
        else:
            self._refused = True
            where = self.row_area(place).bottomLeft().toPoint()
            QToolTip.showText(self.viewport().mapToGlobal(where), REFUSED, self.viewport())
            self.setAccessibleDescription(REFUSED)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self.choose(place)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place == self.chosen:
            self._take(place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(event.position(), event.globalPosition().toPoint())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave and self._hovered is not None:
            self._hovered = None
            QToolTip.hideText()
            self.viewport().update()
        return super().viewportEvent(event)

    def _hover(self, point: QPointF, where: QPoint) -> None:
        place = self.place_at(point)
        row = None if place is None else self.bars.all_rows[place]
        if self.bars.rest and self.rest_area().contains(point):
            QToolTip.showText(where, self.rest_card(), self.viewport())
        elif row is None or place is None:
            QToolTip.hideText()
        elif row is not self._hovered:
            QToolTip.showText(where, self.row_card(row), self.viewport(), self.row_area(place).toRect())
        if row is not self._hovered:
            self._hovered = row
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if row else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def _lost(self, row: Row) -> Lost | None:
        return self.decoded.lost(row.id) if row.removed and self.decoded is not None else None

    def row_card(self, row: Row) -> str:
        """The hover card of a row, as rich text."""
        lines = "".join(
            f"<tr><td style='color:{self.theme.muted}; padding-right:{SPACE[2]}px'>{name}</td>"
            f"<td align='right'>{html.escape(value)}</td></tr>"
            for name, value in (figures(row, *self.source, self._lost(row)) if self.source else ())
        )
        how = "cut, but a click takes it by hand" if row.removed else "click to take it"
        note = "<br>next in the text" if row.actual else ""
        return f"<b>{html.escape(row.text)}</b>{note}<table cellspacing='0'>{lines}</table>{how}"

    def rest_card(self) -> str:
        rest = self.bars.rest
        if rest is None:
            return ""
        torn = "" if not self.axis.exceeds(rest.prob) else "<br>The bar is torn: it is longer than the axis."
        return (
            f"<b>{others(rest)}</b> without a row<br>together {percent(rest.prob)} of the model's probability, "
            f"{percent(rest.decoded)} after decoding{torn}"
        )

    # small things

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_scroll_bar()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def _moved(self, _: object) -> None:
        self.viewport().update()

    def _tell_choice(self) -> None:
        row = self.chosen_row
        if row:
            rank = "" if row.rank is None else f"rank {row.rank}, "
            lost = self._lost(row)
            cut = "" if lost is None else f", cut by {lost.label}; Enter takes it by hand"
            self.setAccessibleDescription(f"{rank}{row.text}, {percent(row.prob)}{cut}")
