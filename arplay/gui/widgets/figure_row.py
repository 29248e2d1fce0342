"""A row of figures with their names: the value large enough to read, its name quietly below."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from arplay.gui.theme import BODY, LIGHT, SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.caption import plain

ROW = 36


@dataclass(frozen=True, slots=True)
class Figure:
    value: str
    name: str
    explanation: str


class FigureRow(QWidget):
    """Wraps into at most ``max_rows`` rows; what does not fit is told in the tooltip of the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.figures: tuple[Figure, ...] = ()
        self.max_rows = 1
        self.wanted_width: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_figures(self, figures: tuple[Figure, ...]) -> None:
        if figures != self.figures:
            self.figures = figures
            self.setAccessibleName(", ".join(f"{f.name}: {f.value}" for f in figures))
            self.updateGeometry()
            self.update()

    def set_max_rows(self, rows: int) -> None:
        if rows != self.max_rows:
            self.max_rows = rows
            self.updateGeometry()

    def set_wanted_width(self, width: int | None) -> None:
        """Take this width beside something else, or with None whatever there is."""
        if width != self.wanted_width:
            self.wanted_width = width
            across = QSizePolicy.Policy.Ignored if width is None else QSizePolicy.Policy.Maximum
            self.setSizePolicy(across, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        rows = max((row for _, row, _ in self.layout_in(self.width())), default=0) + 1
        return QSize(self.wanted_width or 240, rows * ROW)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def resizeEvent(self, event: object) -> None:
        self.updateGeometry()

    def width_within(self, most: int) -> int:
        """Pixels that the figures take in one row which fit in ``most``, with the gap behind them."""
        placed = layout(self.figures, most - SPACE[4], 1)
        return min(most, int(max((rect.right() for _, _, rect in placed), default=0.0)) + SPACE[4] + 1)

    def layout_in(self, width: float) -> list[tuple[Figure, int, QRectF]]:
        """The figures that fit, with their rows and places."""
        return layout(self.figures, width, self.max_rows)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_figures(painter, self.theme, self.layout_in(self.width()))
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain(self.text_at(QPointF(event.pos()))), self)
            return True
        return super().event(event)

    def text_at(self, position: QPointF) -> str:
        placed = self.layout_in(self.width())
        for figure, _, rect in placed:
            if rect.contains(position):
                return f"{figure.name}: {figure.value}\n{figure.explanation}"
        return "\n".join(f"{f.name}: {f.value}" for f in self.figures)


def layout(figures: tuple[Figure, ...], width: float, max_rows: int) -> list[tuple[Figure, int, QRectF]]:
    large, small = QFontMetricsF(interface_font(BODY, bold=True)), QFontMetricsF(interface_font(SMALL))
    placed: list[tuple[Figure, int, QRectF]] = []
    x, row = 0.0, 0
    for figure in figures:
        wide = max(large.horizontalAdvance(figure.value), small.horizontalAdvance(figure.name)) + 2
        if x and x + wide > width:
            x, row = 0.0, row + 1
        if row >= max_rows:
            break
        placed.append((figure, row, QRectF(x, row * ROW, wide, ROW)))
        x += wide + SPACE[4]
    return placed


def paint_figures(painter: QPainter, theme: Theme, placed: list[tuple[Figure, int, QRectF]]) -> None:
    for figure, _, rect in placed:
        upper = QRectF(rect.x(), rect.y(), rect.width() + SPACE[1], ROW * 0.55)
        lower = QRectF(rect.x(), rect.y() + ROW * 0.52, rect.width() + SPACE[1], ROW * 0.42)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(interface_font(BODY, bold=True))
        painter.setPen(theme.color("text"))
        painter.drawText(upper, left, figure.value)
        painter.setFont(interface_font(SMALL))
        painter.setPen(theme.color("muted"))
        painter.drawText(lower, left, figure.name)
