"""The whole text from afar, beside the part in sight: spots of colour in the order of the text, and a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QToolTip, QWidget

from arplay.core.chain import Ledger
from arplay.core.format import nats_or_bits, number, percent
from arplay.gui.settings import Unit
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.overview import Overview
from arplay.gui.widgets.heat.scale import UNSCORED, HeatScale

Ints = NDArray[np.int64]

GUTTER = 5
"""Pixels on each side, for marks: surprises on the left, what was found on the right."""
COLUMNS = 12
"""Spots of a row."""
SPOT = 3
"""Pixels of a spot's width."""
WIDTH = COLUMNS * SPOT + 2 * GUTTER
LEAST, MOST = 2, 4
"""Pixels of a row's height."""
LEAST_FRAME = 6


class Minimap(QWidget):
    """``wanted`` carries the token that is to come into sight."""

    wanted = Signal(int)

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self._area = area
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("The whole text from afar")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.theme: Theme = LIGHT
        self.scale = HeatScale(LIGHT, "surprisal")
        self.unit: Unit = "nats"
        self.overview = Overview()
        self.ledger: Ledger | None = None
        self.seen: tuple[int, int] | None = None
        self.lit: tuple[int, int] | None = None
        self.magnified: tuple[int, int] | None = None
        self.surprise = np.inf
        self.found: Ints = np.zeros(0, np.int64)
        """The tokens that a search found, in rising order."""
        self._picture = QPixmap()
        self._of: tuple[QSize, float] | None = None
        self._filling = QTimer(self)
        self._filling.setInterval(0)
        self._filling.timeout.connect(self._fill)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 200)

    # ---- what is shown

    def show_ledger(self, ledger: Ledger | None) -> None:
        if ledger is not self.ledger:
            self.ledger = ledger
            self._renew()

    def show_style(self, theme: Theme, scale: HeatScale, unit: Unit) -> None:
        self.theme, self.scale, self.unit = theme, scale, unit
        self._renew()

    def show_surprise(self, nats: float) -> None:
        """From where a token counts as surprising and has a mark."""
        if nats != self.surprise:
            self.surprise = nats
            self._renew()

    def _renew(self) -> None:
        self.overview.show(self.ledger, self.scale.measure, self.surprise)
        if not self.overview.complete and self.isVisible():
            self.overview.go_on()  # a text that is not long is there at once
        self._of = None
        if not self.overview.complete:
            self._filling.start()
        self.update()

    def _fill(self) -> None:
        """One more block of tokens, between events; while nobody sees it nothing is done."""
        if not self.isVisible() or self.overview.complete:
            self._filling.stop()
            return
        self.overview.go_on()
        self._of = None
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._renew()

    def show_seen(self, seen: tuple[int, int] | None) -> None:
        """The tokens [first, stop) in sight."""
        if seen != self.seen:
            self.seen = seen
            self.update()

    def show_selected(self, lit: tuple[int, int] | None) -> None:
        """The tokens [first, stop) that light up."""
        if lit != self.lit:
            self.lit = lit
            self.update()

    def show_magnified(self, tokens: tuple[int, int] | None) -> None:
        """The tokens [first, stop) that a curve along the text is zoomed to."""
        if tokens != self.magnified:
            self.magnified = tokens
            self.update()

    def show_found(self, tokens: Ints) -> None:
        if tokens is not self.found:
            self.found, self._of = tokens, None
            self.update()

    # ---- places

    @property
    def each(self) -> int:
        """Tokens of a spot."""
        ledger = self.ledger
        spots = COLUMNS * max(1, self.height() // LEAST)
        need = max(1, -(-len(ledger) // spots)) if ledger is not None else 1
        return -(-need // self.overview.group) * self.overview.group

    @property
    def rows(self) -> int:
        return 0 if self.ledger is None else -(-len(self.ledger) // (COLUMNS * self.each))

    @property
    def row_height(self) -> float:
        return min(float(MOST), max(float(LEAST), self.height() / max(1, self.rows)))

    def y_of(self, token: int) -> float:
        """The top of the row that a token is in."""
        return token // (COLUMNS * self.each) * self.row_height

    def token_at(self, place: QPointF) -> int | None:
        """The first token of the spot at a place, the nearest one where there is none."""
        if self.ledger is None or not len(self.ledger):
            return None
        row = min(max(int(place.y() / self.row_height), 0), self.rows - 1)
        column = min(max(int((place.x() - GUTTER) / SPOT), 0), COLUMNS - 1)
        return min((row * COLUMNS + column) * self.each, len(self.ledger) - 1)

    def frame(self, tokens: tuple[int, int] | None) -> QRectF | None:
        """Around the rows of the tokens [first, stop), of what is in sight, say."""
        if tokens is None or self.ledger is None:
            return None
        top, bottom = self.y_of(tokens[0]), self.y_of(max(tokens[1] - 1, tokens[0])) + self.row_height
        missing = max(0.0, LEAST_FRAME - (bottom - top)) / 2
        return QRectF(1, top - missing, self.width() - 2, bottom - top + 2 * missing)

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.ledger is None or not len(self.ledger):
            return
        painter = QPainter(self)
        of = self.size(), self.devicePixelRatioF()
        if self._of != of:
            self._picture, self._of = self._made(), of
        painter.drawPixmap(0, 0, self._picture)
        if self.lit is not None and 0 <= self.lit[0] < len(self.ledger):
            top, bottom = self.y_of(self.lit[0]), self.y_of(self.lit[1] - 1) + max(2.0, self.row_height)
            painter.fillRect(QRectF(0, top, self.width(), bottom - top), self.theme.color("accent", 0.7))
        self._paint_magnified(painter)
        frame = self.frame(self.seen)
        if frame is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.theme.color("accent"), 2))
            painter.setBrush(self.theme.color("accent", 0.12))
            painter.drawRoundedRect(frame, 2, 2)
        painter.end()

    def _paint_magnified(self, painter: QPainter) -> None:
        """A bracket at either end of what a curve shows larger, and all else paler."""
        frame = self.frame(self.magnified)
        if frame is None:
            return
        end = self.rows * self.row_height
        for top, bottom in ((0.0, frame.top()), (frame.bottom(), end)):
            rest = QRectF(0, top, self.width(), max(0.0, bottom - top))
            painter.fillRect(rest, self.theme.color("surface", 0.6))
        for edge, inwards in ((frame.top(), GUTTER), (frame.bottom(), -GUTTER)):
            for x in (0, self.width() - 2):
                painter.fillRect(QRectF(x, edge, 2, inwards).normalized(), self.theme.color("text"))
            painter.fillRect(QRectF(0, edge - 1, self.width(), 2), self.theme.color("text"))

    def _made(self) -> QPixmap:
        """All but the frame, as it is until something is new."""
        ratio = self.devicePixelRatioF()
        picture = QPixmap((QSizeF(self.size()) * ratio).toSize())
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.drawImage(QRectF(GUTTER, 0, COLUMNS * SPOT, self.rows * self.row_height), self._spots())
        self._paint_marks(painter)
        painter.end()
        return picture

    def _spots(self) -> QImage:
        """A pixel a spot."""
        rows, each = self.rows, self.each
        shades = self.scale.scale.shade(self.overview.means(rows * COLUMNS, each))
        clear, blank = QColor(0, 0, 0, 0), self.theme.color("muted", 0.25)
        palette = np.array([color.rgba() for color in (*self.scale.fills, blank, clear)], np.uint32)
        n = len(self.ledger) if self.ledger is not None else 0
        shades = np.where(shades == UNSCORED, len(palette) - 2, shades)
        shades[-(-n // each) :] = len(palette) - 1
        pixels = np.ascontiguousarray(palette[shades].reshape(rows, COLUMNS))
        image = QImage(pixels.tobytes(), COLUMNS, rows, 4 * COLUMNS, QImage.Format.Format_ARGB32)
        return image.copy()

    def _paint_marks(self, painter: QPainter) -> None:
        rows, per = self.rows, COLUMNS * self.each
        many = self.overview.surprising(rows, per)
        strong = many / max(1.0, float(many.max(initial=0.0)))
        for row in np.flatnonzero(many).tolist():
            shade = self.theme.color("warning", round(0.1 + 0.9 * float(strong[row]) ** 2, 2))
            painter.fillRect(QRectF(0, row * self.row_height, 3, self.row_height), shade)
        right = self.width() - 3
        tall = max(2.0, self.row_height)
        for row in np.unique(self.found // per).tolist():
            painter.fillRect(QRectF(right, row * self.row_height, 3, tall), self.theme.color("accent"))

    # ---- the mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        QApplication.sendEvent(self._area.viewport(), event)  # the text scrolls

    def _go(self, place: QPointF) -> None:
        token = self.token_at(place)
        if token is not None:
            self.wanted.emit(token)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self.told(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain(words), self) if words else QToolTip.hideText()
            return True
        return super().event(event)

    def told(self, place: QPointF) -> str:
        """What the spot at a place is the colour of."""
        first, ledger = self.token_at(place), self.ledger
        if first is None or ledger is None:
            return ""
        stop = min(first + self.each, len(ledger))
        measure = self.scale.measure
        mean = measure.mean(measure.values(ledger, first, stop))
        many = f"tokens {first + 1:,} to {stop:,}" if stop - first > 1 else f"token {first + 1:,}"
        return (
            f"{many} of {ledger.how_many}: {self._figure(mean, stop - first > 1)}\n"
            "A spot has the colour of the mean of its tokens, in the order of the text. Marks: on the left tokens that "
            "count as surprising, on the right what a search found. Click or drag to go there."
            + ("\nBetween the brackets: what a curve along the text is zoomed to." if self.magnified else "")
        )

    def _figure(self, mean: float, several: bool) -> str:
        measure = self.scale.measure
        if np.isnan(mean):
            return "not scored"
        kinds = {"ranks": "geometric mean rank" if several else "rank", "share": "mean p" if several else "p"}
        name = kinds.get(measure.scale, f"mean {measure.said}" if several else measure.said)
        if measure.in_nats:
            return f"{name} {nats_or_bits(mean, self.unit, 2)}"
        return f"{name} {percent(mean) if measure.scale == 'share' else number(mean, 1 if several else 0)}"


def tokens_of(starts: Ints, ends: Ints) -> Ints:
    """The token that each found place begins in; ``ends``: where every token ends.

    >>> tokens_of(np.array([0, 4]), np.array([3, 6, 9])).tolist()
    [0, 1]
    """
    return ends.searchsorted(starts.astype(ends.dtype), "right")  # else all ends were made 64 bits first
