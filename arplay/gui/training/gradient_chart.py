"""The gradient by the logits as bars to both sides of zero: what a training step pushes down, and what it pulls up."""

from __future__ import annotations

import html

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.gui.theme import BODY, LIGHT, SMALL, SPACE, Theme, fixed_font, interface_font, number_font
from arplay.gui.training.gradient import MEANING, Gradient, Pull, signed
from arplay.gui.widgets.frame import paint_frame, paint_message

ROW = 24.0
LINE = SMALL + SPACE[1]
TOP = SPACE[1] + 2 * LINE + SPACE[0]
BELOW = LINE + SPACE[1]
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTER = Qt.AlignmentFlag.AlignCenter

UP, DOWN = "↑ pulled up", "↓ pushed down"


def rows_in(height: float) -> int:
    """How many rows fit beside the true token's and that of all others."""
    return max(1, int((height - TOP - BELOW - SPACE[0]) // ROW) - 2)


class GradientPainter:
    """Paints one Gradient into a width; the same code for the screen and for exported pictures."""

    def __init__(self, painter: QPainter, theme: Theme, gradient: Gradient, width: float) -> None:
        self.painter, self.theme, self.gradient, self.width = painter, theme, gradient, width
        figures = QFontMetricsF(number_font(SMALL))
        number = figures.horizontalAdvance(">−0.0001") + 2
        words = figures.horizontalAdvance(DOWN) + 2 if width >= 420 else figures.horizontalAdvance("↓") + 2
        text = min(max(0.24 * width, 56.0), 200.0)
        self.text = (float(SPACE[2]), text)
        self.words = (width - SPACE[2] - words, words)
        self.number = (self.words[0] - SPACE[1] - number, number)
        left = SPACE[2] + text + SPACE[1]
        self.bar = (left, max(20.0, self.number[0] - SPACE[1] - left))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def paint(self, top: float) -> None:
        """Head, rows and sum, beginning at y = ``top``."""
        y = top + TOP
        self._head(top)
        count = 2 + len(self.gradient.rows)
        self._grid(y, y + ROW * count)
        for pull in (self.gradient.true, *self.gradient.rows):
            self._row(QRectF(0, y, self.width, ROW), pull)
            y += ROW
        self._others(QRectF(0, y, self.width, ROW))
        self._sum(QRectF(0, y + ROW + SPACE[0], self.width, LINE))

    def x_of(self, value: float) -> float:
        """Where a value of -1..1 is drawn."""
        left, wide = self.bar
        return left + wide * (1 + min(max(value, -1.0), 1.0)) / 2

    def _head(self, top: float) -> None:
        p, theme = self.painter, self.theme
        p.setFont(interface_font(SMALL))
        p.setPen(theme.color("muted"))
        left, wide = self.bar
        line = QRectF(left, top + SPACE[1], wide, LINE)
        shown = QFontMetricsF(interface_font(SMALL))
        for words, align, side in (("↑ pulls up", _LEFT, "left"), ("pushes down ↓", _RIGHT, "right")):
            half = QRectF(line.left() if side == "left" else line.center().x(), line.top(), wide / 2, LINE)
            p.drawText(half, align, shown.elidedText(words, Qt.TextElideMode.ElideRight, half.width()))
        p.drawText(QRectF(self.text[0], top + SPACE[1], self.text[1], LINE), _LEFT, "token")
        p.drawText(QRectF(self.number[0] - 60, top + SPACE[1], self.number[1] + 60, LINE), _RIGHT, "gradient")
        ticks = (-1.0, -0.5, 0.0, 0.5, 1.0) if wide >= 180 else (-1.0, 0.0, 1.0)
        for value in ticks:
            text = f"{value:+g}".replace("-", "−") if value else "0"
            size = shown.horizontalAdvance(text) + 2
            x = min(max(self.x_of(value) - size / 2, left), left + wide - size)
            p.drawText(QRectF(x, top + SPACE[1] + LINE, size, LINE), _CENTER, text)

    def _grid(self, top: float, bottom: float) -> None:
        for value in (-1.0, -0.5, 0.5, 1.0):
            self.painter.fillRect(
                QRectF(round(self.x_of(value)), top, 1, bottom - top), self.theme.color("border", 0.6)
            )
        self.painter.fillRect(QRectF(round(self.x_of(0)), top, 1, bottom - top), self.theme.color("outline"))

    def _row(self, area: QRectF, pull: Pull) -> None:
        if pull.true:
            self.painter.setPen(Qt.PenStyle.NoPen)
            self.painter.setBrush(self.theme.color("accent"))
            self.painter.drawRoundedRect(QRectF(area.left() + 1, area.top() + 2, 4, area.height() - 4), 2, 2)
        self._token(area, pull)
        self._bar(area, pull.value, pull.true)
        self._figures(area, pull.value, pull.true)

    def _token(self, area: QRectF, pull: Pull) -> None:
        left, wide = self.text
        font = fixed_font(BODY)
        text = QFontMetricsF(font).elidedText(pull.text, Qt.TextElideMode.ElideRight, wide)
        self.painter.setFont(font)
        self.painter.setPen(self.theme.color("muted" if pull.special else "text"))
        self.painter.drawText(QRectF(left, area.top(), wide, area.height()), _LEFT, text)

    def _bar(self, area: QRectF, value: float, true: bool, dashed: bool = False) -> None:
        """Solid and to the left where it pulls up; hollow with stripes and to the right where it pushes down."""
        zero, end = self.x_of(0), self.x_of(value)
        box = QRectF(min(zero, end), area.center().y() - 6, max(1.5, abs(end - zero)), 12)
        ink = self.theme.color("accent" if true else "outline")
        self.painter.setPen(QPen(ink, 1.2, Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine))
        self.painter.setBrush(self.theme.color("accent") if true else self.theme.color("fill", 0.45))
        radius = min(4.0, box.width() / 2)
        self.painter.drawRoundedRect(box, radius, radius)
        if not true and box.width() > 4:
            self.painter.setPen(Qt.PenStyle.NoPen)
            self.painter.setBrush(QBrush(self.theme.color("outline", 0.45), Qt.BrushStyle.FDiagPattern))
            self.painter.drawRoundedRect(box, radius, radius)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)

    def _figures(self, area: QRectF, value: float, true: bool) -> None:
        p = self.painter
        p.setFont(number_font(SMALL, bold=true))
        p.setPen(self.theme.color("text"))
        p.drawText(QRectF(self.number[0], area.top(), self.number[1], area.height()), _RIGHT, signed(value))
        words = UP if value < 0 else DOWN if value > 0 else ""
        if self.width < 420:
            words = words[:1]
        p.setFont(interface_font(SMALL))
        p.setPen(QColor(self.theme.color("accent" if true else "muted")))
        p.drawText(QRectF(self.words[0], area.top(), self.words[1], area.height()), _LEFT, words)

    def _others(self, area: QRectF) -> None:
        gradient, p = self.gradient, self.painter
        if not gradient.others:
            return
        p.setFont(interface_font(SMALL))
        p.setPen(self.theme.color("muted"))
        words = f"{gradient.others:,} others"
        p.drawText(QRectF(self.text[0], area.top(), self.text[1], area.height()), _LEFT, words)
        self._bar(area, gradient.others_value, False, dashed=True)
        self._figures(area, gradient.others_value, False)

    def _sum(self, area: QRectF) -> None:
        p = self.painter
        p.setPen(QPen(self.theme.color("border"), 1))
        p.drawLine(QPointF(SPACE[1], area.top()), QPointF(self.width - SPACE[1], area.top()))
        p.setFont(interface_font(SMALL))
        p.setPen(self.theme.color("text"))
        p.drawText(
            QRectF(self.text[0], area.top(), self.number[0] - self.text[0], LINE),
            _LEFT,
            f"sum of all {self.gradient.size:,}",
        )
        p.setFont(number_font(SMALL, bold=True))
        p.drawText(QRectF(self.number[0] - 40, area.top(), self.number[1] + 40, LINE), _RIGHT, sum_words(self.gradient))


def sum_words(gradient: Gradient) -> str:
    """The sum as it is: 0, or the rounding error that is left of it."""
    return "0" if abs(gradient.total) < 1e-12 else signed(gradient.total)


def height_of(rows: int) -> float:
    """Pixels that a chart with ``rows`` beside the true token's takes."""
    return TOP + (rows + 2) * ROW + BELOW


class GradientChart(QWidget):
    """Shows one Gradient, or says why there is none. ``resized``: another number of rows fits now."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.gradient: Gradient | None = None
        self.message = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("Gradient of the loss by the logits")

    @property
    def rows(self) -> int:
        return rows_in(self.height())

    def show_gradient(self, gradient: Gradient) -> None:
        self.gradient, self.message = gradient, ""
        pulls = [gradient.true, *gradient.rows]
        self.setAccessibleDescription("; ".join(f"{pull.text} {signed(pull.value)}" for pull in pulls))
        self.update()

    def show_message(self, message: str) -> None:
        self.gradient, self.message = None, message
        self.setAccessibleDescription(message)
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 80)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if rows_in(event.oldSize().height()) != self.rows:
            self.resized.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        frame = paint_frame(painter, self.theme, self.rect())
        if self.gradient is not None:
            GradientPainter(painter, self.theme, self.gradient, self.width()).paint(0)
        else:
            paint_message(painter, self.theme, frame, self.message)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words_at(event.pos().y()), self)
            return True
        return super().event(event)

    def words_at(self, y: float) -> str:
        """What hovering says, as rich text."""
        meaning = (
            f"<p>{MEANING}: the gradient of the loss by the logits at this place. A training step goes against it, "
            "so it pushes every other logit down by its p, and pulls the true one up by 1 − p.</p>"
        )
        if self.gradient is None or y < TOP:
            return meaning
        row = int((y - TOP) // ROW)
        pulls = (self.gradient.true, *self.gradient.rows)
        if row < len(pulls):
            pull = pulls[row]
            what = "p − 1" if pull.true else "p"
            does = "pulled up: it is what really follows" if pull.true else "pushed down: it does not follow here"
            return f"<b>{html.escape(pull.text)}</b><br>gradient {what} = {pull.value:.10g}<br>{does}"
        return f"<b>{self.gradient.others:,} others</b> together {signed(self.gradient.others_value)}{meaning}"
