"""A map of continuations: areas are joint probabilities; a click goes into one, Backspace comes back out."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from arplay.core.format import nats_or_bits, percent
from arplay.core.joint_map import REST, Area, chain_of, laid_out
from arplay.core.treemap import Box
from arplay.engine.mapping import Mapped
from arplay.gui.theme import BODY, LIGHT, SMALL, Theme, fixed_font, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.labels import label


class JointMap(QWidget):
    """``looked_at``: another area is the current one; ``chosen``: Enter on it."""

    looked_at = Signal()
    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.root = -1
        """The area that fills it; -1: the place itself."""
        self.current: int | None = None
        self.parts: list[tuple[int, Box]] = []
        self._turns: dict[int, int] = {}
        self._found: Mapped | None = None
        self._dim = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Map of continuations")

    def show_map(self, found: Mapped | None, dim: bool) -> None:
        before = self._found
        if found is not before:
            self._found = found
            if before is None or found is None or not _grows(before, found):
                self.root, self.current = -1, None
            self._lay()
        self._dim = dim
        self.update()

    @property
    def areas(self) -> tuple[Area, ...]:
        return self._found.areas if self._found is not None else ()

    @property
    def chain(self) -> tuple[int, ...]:
        """The ids of the current area, from the place on; without one, of that which fills the map."""
        return chain_of(self.areas, self.root if self.current is None else self.current)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 30)

    def sizeHint(self) -> QSize:
        return QSize(300, 120)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay()

    def _lay(self) -> None:
        self.parts = self._laid(max(1, self.width() - 1), max(1, self.height() - 1))
        self._tell()

    def _laid(self, width: float, height: float) -> list[tuple[int, Box]]:
        rest = self._found.rest if self._found is not None else 0.0
        tops = [at for at, area in enumerate(self.areas) if area.parent == self.root]
        self._turns = {at: turn for turn, at in enumerate(tops)}
        return laid_out(self.areas, rest, self.root, Box(0, 0, width, height)) if self.areas else []

    def extent(self) -> QSize:
        """Pixels of a picture."""
        return QSize(1200, 750)

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setOpacity(0.45 if self._dim else 1.0)
        self._paint(painter, self.parts)
        for at, box in self.parts:
            if at == self.current:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(self.theme.color("text"), 2))
                painter.drawRect(QRectF(*box).adjusted(1, 1, -1, -1))
        painter.end()

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """What fills it now, as large as ``area``."""
        self._paint(painter, self._laid(area.width() - 1, area.height() - 1))

    def _paint(self, painter: QPainter, parts: list[tuple[int, Box]]) -> None:
        theme, whole = self.theme, sum(box.area for _, box in parts)
        for at, box in parts:
            area = QRectF(*box)
            painter.setPen(QPen(theme.color("surface"), 1))
            painter.setBrush(theme.color("raised"))
            if at == REST:
                painter.drawRect(area)
                painter.fillRect(area.adjusted(0, 18, 0, 0), QBrush(theme.color("border"), Qt.BrushStyle.BDiagPattern))
                self._word(painter, area, f"rest {percent(box.area / whole)}", "muted", interface_font(SMALL))
                continue
            fill = theme.color("fill" if self._turn(at) % 2 else "accent")
            fill.setAlphaF(0.55 if self._turn(at) % 2 else 0.35)
            painter.setBrush(fill)
            painter.drawRect(area)
            self._word(painter, area, self._text(at), "text", fixed_font(BODY))

    def _word(self, painter: QPainter, area: QRectF, text: str, colour: str, font: object) -> None:
        if area.width() < 24 or area.height() < 14:
            return
        painter.setFont(font)  # type: ignore[arg-type]
        painter.setPen(self.theme.color(colour))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideLeft, int(area.width()) - 6)
        painter.drawText(
            area.adjusted(4, 1, -2, -1), int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft), shown
        )

    def _turn(self, at: int) -> int:
        """Which of its brothers at the top of what is shown it belongs to: neighbours there differ in colour."""
        above = at
        while self.areas[above].parent != self.root:
            above = self.areas[above].parent
            if above < 0:
                return 0
        return self._turns[above]

    def _text(self, at: int) -> str:
        assert self._found is not None
        ids = chain_of(self.areas, at)[len(chain_of(self.areas, self.root)) :]
        return label("".join(self._found.tokens.label(id) for id in ids))

    # ---- mouse and keys

    def _at(self, point: QPointF) -> int | None:
        for at, box in self.parts:
            if QRectF(*box).contains(point):
                return at
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self._at(event.position())
        if at is None or at == REST:
            return
        if at == self.current:
            self._into(at)
        else:
            self._go(at)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def _into(self, at: int) -> None:
        """One step nearer to ``at``: the area below what fills the map now."""
        while self.areas[at].parent != self.root:
            at = self.areas[at].parent
        if self.areas[at].opened:
            self.root, self.current = at, None
            self._lay()
            self.update()
            self.looked_at.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shown = [at for at, _ in self.parts if at != REST]
        key = event.key()
        if key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up) and shown:
            step = 1 if key in (Qt.Key.Key_Right, Qt.Key.Key_Down) else -1
            place = shown.index(self.current) + step if self.current in shown else 0
            self._go(shown[min(max(place, 0), len(shown) - 1)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.chain:
            self.chosen.emit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Space) and self.current is not None:
            self._into(self.current)
        elif key == Qt.Key.Key_Backspace and self.root >= 0:
            self.root, self.current = self.areas[self.root].parent, None
            self._lay()
            self.update()
            self.looked_at.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        shown = [at for at, _ in self.parts if at != REST]
        if self.current is None and shown:
            self._go(shown[0])
        super().focusInEvent(event)

    def _go(self, at: int) -> None:
        self.current = at
        self._tell()
        self.update()
        self.looked_at.emit()

    def _tell(self) -> None:
        at = self.root if self.current is None else self.current
        self.setAccessibleDescription(self.told(at) if 0 <= at < len(self.areas) else "")

    def told(self, at: int) -> str:
        """What is known of an area, in words."""
        if at == REST:
            whole = sum(box.area for _, box in self.parts)
            share = sum(box.area for part, box in self.parts if part == REST) / whole if whole else 0.0
            return f"all the rest: {percent(share)} of what is shown; chains that were not looked at"
        assert self._found is not None
        area, ids = self.areas[at], chain_of(self.areas, at)
        text = label("".join(self._found.tokens.label(id) for id in ids))
        state = (
            "it ends here" if area.ended else "what follows was looked at" if area.opened else "not looked at further"
        )
        joint = f"p = {percent(math.exp(area.total))}, log p = {nats_or_bits(area.total, 'nats')}"
        return f"{text}\n{len(ids):,} tokens: {joint}\n{state}"

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent):
            at = self._at(QPointF(event.pos()))
            if at is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), plain(self.told(at)), self)
            return True
        return super().event(event)  # type: ignore[arg-type]


def _grows(before: Mapped, found: Mapped) -> bool:
    """Whether it is the same map with more in it."""
    return found.document is before.document and found.place == before.place and found.expansions > before.expansions
