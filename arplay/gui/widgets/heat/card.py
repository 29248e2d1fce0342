"""The hover card of a token: what the model said about it, and what it would rather have written."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from arplay.core.chain import Ledger
from arplay.core.format import in_unit, number, percent_cell, probability
from arplay.core.modalities.base import TokenSet
from arplay.gui.settings import Unit
from arplay.gui.theme import BODY, LIGHT, RADIUS, SMALL, SPACE, TEXT, Theme, fixed_font, interface_font
from arplay.gui.widgets.labels import UNSCORED, is_bare, label, remark, token_text
from arplay.gui.widgets.swatch import ink_of, paint_named

WIDTH, LINE, BAR_LINE, TITLE_LINE = 296, 19, 22, 26


@dataclass(frozen=True)
class Alternative:
    text: str
    logprob: float
    actual: bool
    ink: float | None = None


@dataclass(frozen=True)
class CardContent:
    """What the card says about token ``index``: names and values, and the best alternatives (none if unscored)."""

    title: str
    where: str
    lines: tuple[tuple[str, str], ...]
    alternatives: tuple[Alternative, ...]
    note: str = ""
    ink: float | None = None


def content(ledger: Ledger, index: int, vocabulary: TokenSet | None, unit: Unit) -> CardContent:
    title, where = token_text(ledger, index, vocabulary), f"token {index + 1:,} of {ledger.how_many}"
    cut = remark(ledger, index)
    own = (("bytes of the text", "none are its own"),) if is_bare(ledger, index) else (("bytes", cut),) if cut else ()
    ink = ink_of(vocabulary, int(ledger.ids[index]))
    if index >= ledger.done:
        return CardContent(title, where, own, (), "not scored yet", ink)
    logprob = float(ledger.logprob[index])
    if math.isnan(logprob):
        return CardContent(title, where, own, (), UNSCORED, ink)
    size = f" of {len(vocabulary):,}" if vocabulary is not None and not vocabulary.open else ""
    rank, entropy = int(ledger.rank[index]), float(ledger.entropy[index])
    lines = (
        *own,
        ("p", probability(logprob)),
        ("log p", f"{number(in_unit(logprob, unit))} {unit}"),
        *((("rank", f"{rank:,}{size}"),) if rank else ()),
        *_beside_entropy(logprob, entropy, unit),
        ("context read", f"{int(ledger.context_of(np.array(index))):,} tokens"),
    )
    best = tuple(
        Alternative(_text(vocabulary, id), value, id == int(ledger.ids[index]), ink_of(vocabulary, id))
        for id, value in ledger.best.at(index)
    )
    return CardContent(title, where, lines, best, "", ink)


def _beside_entropy(logprob: float, entropy: float, unit: Unit) -> tuple[tuple[str, str], ...]:
    if math.isnan(entropy):
        return ()
    values = (("entropy", entropy), ("−log p − entropy", -logprob - entropy))
    return tuple((name, f"{number(in_unit(value, unit))} {unit}") for name, value in values)


def _text(vocabulary: TokenSet | None, id: int) -> str:
    return label(vocabulary.label(id)) if vocabulary is not None else f"#{id}"


class HeatCard(QWidget):
    """A small window that never takes focus or clicks."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.theme: Theme = LIGHT
        self.content = CardContent("", "", (), ())

    def sizeHint(self) -> QSize:
        height = SPACE[2] * 2 + TITLE_LINE + LINE * len(self.content.lines)
        height += LINE if self.content.note else 0
        height += SPACE[1] + LINE + BAR_LINE * len(self.content.alternatives) if self.content.alternatives else 0
        return QSize(WIDTH, height)

    def show_at(self, content: CardContent, cell: QRect) -> None:
        """Show below the cell (global coordinates), above it where there is no room."""
        if content != self.content:
            self.content = content
            self.update()
        size = self.sizeHint()
        screen = QGuiApplication.screenAt(cell.center()) or self.screen()
        room = screen.availableGeometry()
        x = min(max(room.left() + 4, cell.left()), room.right() - size.width() - 4)
        below = cell.bottom() + 6
        y = below if below + size.height() <= room.bottom() else max(room.top(), cell.top() - 6 - size.height())
        self.setGeometry(QRect(QPoint(x, y), size))
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t, c = self.theme, self.content
        painter.fillRect(self.rect(), t.color("raised"))
        painter.setPen(t.color("border"))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        left, right, y = SPACE[2], self.width() - SPACE[2], SPACE[2] - 2
        both = Qt.AlignmentFlag.AlignVCenter
        small = QFontMetricsF(interface_font(SMALL))
        room = right - left - small.horizontalAdvance(c.where) - SPACE[2]
        painter.setFont(fixed_font(TEXT))
        paint_named(painter, t, QRectF(left, y, room, TITLE_LINE), c.title, c.ink, t.color("accent"))
        painter.setFont(interface_font(SMALL))
        painter.setPen(t.color("muted"))
        painter.drawText(QRectF(left, y, right - left, TITLE_LINE), both | Qt.AlignmentFlag.AlignRight, c.where)
        y += TITLE_LINE
        if c.note:
            painter.setFont(interface_font(BODY))
            painter.setPen(t.color("text"))
            painter.drawText(QRectF(left, y, right - left, LINE), both | Qt.AlignmentFlag.AlignLeft, c.note)
            y += LINE
        for name, value in c.lines:
            painter.setFont(interface_font(SMALL))
            painter.setPen(t.color("muted"))
            painter.drawText(QRectF(left, y, right - left, LINE), both | Qt.AlignmentFlag.AlignLeft, name)
            painter.setFont(interface_font(BODY))
            painter.setPen(t.color("text"))
            painter.drawText(QRectF(left, y, right - left, LINE), both | Qt.AlignmentFlag.AlignRight, value)
            y += LINE
        if c.alternatives:
            y += SPACE[1]
            painter.setFont(interface_font(SMALL))
            painter.setPen(t.color("muted"))
            painter.drawText(
                QRectF(left, y, right - left, LINE),
                both | Qt.AlignmentFlag.AlignLeft,
                f"the model’s {len(c.alternatives)} best here",
            )
            y += LINE
            for alternative in c.alternatives:
                self._paint_bar(painter, alternative, QRectF(left, y, right - left, BAR_LINE))
                y += BAR_LINE
        painter.end()

    def _paint_bar(self, painter: QPainter, alternative: Alternative, row: QRectF) -> None:
        t = self.theme
        color = "accent" if alternative.actual else "text"
        text_width, number_width = 96.0, 58.0
        font = fixed_font(BODY)
        font.setBold(alternative.actual)
        painter.setFont(font)
        named = QRectF(row.x(), row.y(), text_width - 4, row.height())
        paint_named(painter, t, named, alternative.text, alternative.ink, t.color(color))
        middle = Qt.AlignmentFlag.AlignVCenter
        track = QRectF(row.x() + text_width, row.center().y() - 5, row.width() - text_width - number_width, 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(t.color("border", 0.55))
        painter.drawRoundedRect(track, RADIUS - 1, RADIUS - 1)
        share = max(2.0, track.width() * math.exp(alternative.logprob))
        painter.setBrush(t.color("accent" if alternative.actual else "fill"))
        painter.drawRoundedRect(
            QRectF(track.x(), track.y(), share, track.height()), min(5, share / 2), min(5, share / 2)
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setFont(interface_font(SMALL))
        painter.setPen(t.color(color))
        painter.drawText(row, middle | Qt.AlignmentFlag.AlignRight, percent_cell(math.exp(alternative.logprob)))
