"""Two networks of two orders beside the joint that they learned: what each costs, and how far they are apart."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from arplay.core.format import number, percent
from arplay.core.two_orders import TwoOrders
from arplay.gui.theme import BODY, LIGHT, SMALL, SPACE, Theme, interface_font, number_font
from arplay.gui.widgets.caption import plain

ROW, LINE, BARS = 22, 16, 84
NUMBERS = 74
"""Pixels of a column of numbers."""
HEADS = "bits a chain", "beyond", "this chain"
HIGH = LINE + 3 * ROW + SPACE[1] + LINE + BARS + 2 * LINE
WIDE = 440
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTER = Qt.AlignmentFlag.AlignCenter
MEANS = (
    "bits a chain: the mean of −log₂ q over all chains, each weighed with its probability by the joint\n"
    "beyond: how much that is beyond the joint’s own, which is KL(p, q)\n"
    "this chain: −log₂ q of the tokens in the window\n"
    "the bars: shares of the chains, weighed alike, by how many bits the first network gives more than the second"
)


def paint_two(painter: QPainter, theme: Theme, area: QRectF, found: TwoOrders) -> None:
    """A table of three rows and the shares of all chains as bars, which take what height is left."""
    painter.save()
    x, y, wide = area.left(), area.top(), area.width()

    def words(text: str, left: float, top: float, width: float, high: float, side: Qt.AlignmentFlag) -> None:
        metrics = QFontMetricsF(painter.font())
        painter.drawText(
            QRectF(left, top, width, high), side, metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
        )

    columns = [x + wide - NUMBERS * (len(HEADS) - at) for at in range(len(HEADS))]
    painter.setFont(interface_font(SMALL))
    painter.setPen(theme.color("muted"))
    for left, head in zip(columns, HEADS, strict=True):
        words(head, left, y, NUMBERS, LINE, _RIGHT)
    words("read", x, y, columns[0] - x, LINE, _LEFT)
    y += LINE
    for at, (name, *bits) in enumerate(found.rows):
        painter.fillRect(QRectF(x, y, wide, 1), theme.color("border"))
        painter.setPen(theme.color("text" if at else "accent"))
        painter.setFont(interface_font(BODY))
        words(name, x, y, columns[0] - x - SPACE[0], ROW, _LEFT)
        painter.setFont(number_font(BODY))
        for left, value in zip(columns, bits, strict=True):
            words(number(value), left, y, NUMBERS, ROW, _RIGHT)
        y += ROW
    y += SPACE[1]
    painter.setFont(interface_font(SMALL))
    painter.setPen(theme.color("muted"))
    words("log₂ q₁ − log₂ q₂ over all chains, as shares", x, y, wide, LINE, _LEFT)
    y += LINE
    bars = area.bottom() - y - 2 * LINE
    if bars >= SPACE[2]:
        each, shares = wide / len(found.apart.shares), found.apart.shares
        most = max(shares) or 1.0
        ends = ("less", *(f"{edge:g}".replace("-", "−") for edge in found.apart.edges), "more")
        for at, share in enumerate(shares):
            high = bars * share / most
            box = QRectF(x + at * each, y + LINE + bars - high, each - 2, high)
            painter.fillRect(box, theme.color("accent", 0.75 if share else 0.0))
            said = percent(share) if QFontMetricsF(painter.font()).horizontalAdvance(percent(share)) <= each else ""
            words(said if share else "", box.left(), box.top() - LINE, each - 2, LINE, _CENTER)
        painter.fillRect(QRectF(x, y + LINE + bars, wide, 1), theme.color("muted"))
        for at, edge in enumerate(ends[1:-1], 1):
            words(edge, x + (at - 0.5) * each, y + LINE + bars, each, LINE, _CENTER)
    painter.restore()


class TwoOrdersView(QWidget):
    """It is looked at only: its words are its accessible name and its tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.found: TwoOrders | None = None
        self.message = ""
        self.show_found(None, "")

    def sizeHint(self) -> QSize:
        return QSize(WIDE, HIGH)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)

    def show_found(self, found: TwoOrders | None, message: str) -> None:
        """``message`` stands there where nothing is found."""
        self.found, self.message = found, message
        said = "\n".join(found.lines()) if found is not None else message
        self.setAccessibleName(said)
        self.setToolTip(plain(MEANS if found is not None else ""))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.found is not None:
            paint_two(painter, self.theme, QRectF(self.rect()), self.found)
        else:
            painter.setFont(interface_font(SMALL))
            painter.setPen(self.theme.color("muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(8, 0, -8, 0), int(flags), self.message)
        painter.end()
