"""The block view: each block is as high as its way is probable, inside the block that it goes on from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen

from arplay.core.format import percent
from arplay.core.tidy import shares
from arplay.export.colours import STEPS
from arplay.gui.theme import SMALL, fixed_font, interface_font
from arplay.gui.widgets.tree.board import Board
from arplay.gui.widgets.tree.shown import Shown

COLUMN = 74.0
"""Pixels of a token at its own width."""
SIZE = 13
LOWEST = 1.0
"""Pixels of height below which a block, and all in it, is not drawn."""
SEEN = 4.0
"""Pixels of height from which one can see a block that keys go to."""
OF_WHERE_ONE_IS = 0.25
"""The part of the height from which one can read what follows where one is."""
TEXT_HEIGHT = 17.0


@dataclass(frozen=True, slots=True)
class Block:
    twig: int
    area: QRectF
    rest: float
    """How much of it is of what was not tried, 0 where nothing was."""


class Blocks(Board):
    """``root`` fills the height at scale 1; ``top`` and ``scale`` say which part of it does now."""

    def __init__(self) -> None:
        super().__init__("Blocks of everything tried, by probability")
        self.root, self.top = 0, 0.0
        self.left, self.wide = 0.0, 1.0
        self._shares: dict[int, list[float]] = {}
        self._metrics = QFontMetricsF(fixed_font(SIZE))

    # ---- layout

    def lay(self, former: Shown | None) -> None:
        assert self.shown is not None
        if former is not None and former.outline is self.shown.outline:
            return
        self._shares.clear()
        root = former.outline.nodes[self.root] if former is not None else []
        self.root = self.shown.outline.of.get(root[0].serial, 0) if root else 0

    def shares(self, twig: int) -> list[float]:
        """Of each child of a twig, in what is its block."""
        assert self.shown is not None
        if (known := self._shares.get(twig)) is None:
            below = self.shown.outline.below[twig]
            known = self._shares[twig] = shares([self.shown.probs[child] for child in below])
        return known

    def blocks(self, area: QRectF) -> Iterator[Block]:
        """Those in sight, the outer ones first; nothing else is looked at."""
        if self.shown is None:
            return
        below, column = self.shown.outline.below, COLUMN * self.wide
        height = area.height() * self.scale
        waiting = [(self.root, area.top() - self.top * height, height, area.left() + self.left)]
        while waiting:
            twig, top, high, x = waiting.pop()
            share = self.shares(twig)
            if x + column > area.left():
                rest = max(0.0, 1.0 - sum(share)) if below[twig] else 0.0
                yield Block(twig, QRectF(x, top, column, high), rest)
            if x + column > area.right():
                continue
            for child, part in zip(below[twig], share, strict=True):
                part *= high
                if part >= LOWEST and top < area.bottom() and top + part > area.top():
                    waiting.append((child, top, part, x + column))
                top += part

    # ---- in sight

    def fit(self) -> None:
        self.root, self.top, self.scale, self.left, self.wide = 0, 0.0, 1.0, 0.0, 1.0

    def zoom(self, factor: float, at: QPointF) -> None:
        place = at.y() / max(1, self.height())
        y = self.top + place / self.scale
        self.scale *= factor
        self.top = y - place / self.scale
        self._root_anew()

    def _root_anew(self) -> None:
        """The outermost block that is in sight fills the height at scale 1, so that numbers stay small."""
        assert self.shown is not None
        outline = self.shown.outline
        while self.scale < 1 and self.root:
            parent = outline.parent[self.root]
            share, k = self.shares(parent), outline.below[parent].index(self.root)
            before, part = sum(share[:k]), share[k]
            if not part:
                break
            self.top, self.scale = before + self.top * part, self.scale / part
            self.root, self.left = parent, self.left - COLUMN * self.wide
        if self.scale < 1:
            self.top, self.scale = 0.0, 1.0
        while True:
            before = 0.0
            for child, part in zip(outline.below[self.root], self.shares(self.root), strict=True):
                if part and before <= self.top and self.top + 1 / self.scale <= before + part and self.scale > 1:
                    self.top, self.scale = (self.top - before) / part, self.scale * part
                    self.root, self.left = child, self.left + COLUMN * self.wide
                    break
                before += part
            else:
                break
        self._keep()

    def move_by(self, dx: float, dy: float) -> None:
        self.left += dx
        self.top -= dy / (max(1, self.height()) * self.scale)
        self._keep()

    def _keep(self) -> None:
        self.top = min(max(self.top, 0.0), max(0.0, 1 - 1 / self.scale)) if self.root == 0 else self.top
        if self.root and not 0 <= self.top <= 1 - 1 / self.scale + 1e-9:  # moved out of it: what holds it
            outline = self.shown.outline if self.shown is not None else None
            while outline is not None and self.root and not 0 <= self.top <= 1 - 1 / self.scale + 1e-9:
                parent = outline.parent[self.root]
                share, k = self.shares(parent), outline.below[parent].index(self.root)
                part = share[k] or 1.0
                self.top, self.scale = sum(share[:k]) + self.top * part, self.scale / part
                self.root, self.left = parent, self.left - COLUMN * self.wide
            self.top = min(max(self.top, 0.0), max(0.0, 1 - 1 / self.scale))
        self.left = min(self.left, self.width() * 0.5)

    def zoom_to(self, twig: int) -> None:
        """This block fills the height; the one that it lies in stays in sight, on its left."""
        assert self.shown is not None
        parent = self.shown.outline.parent[twig]
        self.wide = 1.0
        if parent < 0:
            self.fit()
            return
        share, k = self.shares(parent), self.shown.outline.below[parent].index(twig)
        if share[k] <= 0:
            return
        self.root, self.top, self.scale, self.left = parent, sum(share[:k]), 1 / share[k], 0.0

    def outer(self) -> None:
        """Out to the block that holds what fills the height now."""
        assert self.shown is not None
        outline, filled = self.shown.outline, self.root
        if self.scale > 1:
            self.root_shown(filled)
        elif filled:
            self.root_shown(outline.parent[filled])

    def root_shown(self, twig: int) -> None:
        """The whole of a block, with nothing around it."""
        self.root, self.top, self.scale, self.left = twig, 0.0, 1.0, 0.0

    def part_at(self, at: QPointF) -> int | None:
        found = [block.twig for block in self.blocks(self._area) if block.area.contains(at)]
        return found[-1] if found else None

    def show_twig(self, twig: int) -> None:
        """Where it is too small to be seen, the block around it in which it can be read, up to three levels further.

        Where one is fills the height, if it is so small that nobody could read what follows.
        """
        area = self._area
        if self.shown is None:
            return
        at = twig == self.shown.here
        seen = (block.area.intersected(area).height() for block in self.blocks(area) if block.twig == twig)
        if any(high >= (area.height() * OF_WHERE_ONE_IS if at else SEEN) for high in seen):
            return
        if at and self.shown.probs[twig] > 0:
            self.zoom_to(twig)
            return
        outline, root, part = self.shown.outline, twig, area.height()
        for parent in outline.way(twig)[-2::-1][:3]:
            part *= self.shares(parent)[outline.below[parent].index(root)]
            if part < TEXT_HEIGHT:
                break
            root = parent
        self.root_shown(root)

    def paint_focus(self, painter: QPainter) -> None:
        area = self._area
        for block in self.blocks(area):
            if block.twig == self.current:
                painter.drawRect(block.area.intersected(area).adjusted(3, 3, -3, -3))

    @property
    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(1, 1, -1, -1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.shown is not None:
            self.zoom_to(self.current)
        elif event.key() == Qt.Key.Key_Backspace and self.shown is not None:
            self.outer()
        else:
            super().keyPressEvent(event)
            return
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        twig = self.part_at(event.position())
        if twig is not None and event.button() == Qt.MouseButton.LeftButton:
            self.zoom_to(twig)
            self.update()

    # ---- painting

    def draw(self, painter: QPainter, area: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self.paint_part(painter, self._area)

    def paint_part(self, painter: QPainter, area: QRectF) -> None:
        shown, theme = self.shown, self.theme
        if shown is None:
            return
        text, words, small = fixed_font(SIZE), interface_font(SIZE), interface_font(SMALL - 1)
        border, column = QPen(theme.color("surface"), 1), COLUMN * self.wide
        here = None
        for block in self.blocks(area):
            twig, place = (
                block.twig,
                block.area.intersected(QRectF(block.area.left(), area.top(), column, area.height())),
            )
            shade = shown.shade[twig]
            fill = theme.color("raised") if shade < 0 else theme.heat_color(shade / (STEPS - 1))
            laid = not shown.outline.nodes[twig]
            painter.setOpacity(0.45 if laid and twig not in shown.gold else 1.0)
            painter.fillRect(place, fill)
            if block.area.height() > 2.5:
                painter.setPen(QPen(theme.color("border"), 1) if shade >= 0 and shade < 24 else border)
                painter.drawRect(place)
            if twig in shown.on_way:
                painter.fillRect(QRectF(place.left(), place.top(), 3, place.height()), theme.color("accent"))
            if twig in shown.gold:
                painter.fillRect(QRectF(place.left() + 4, place.top(), 2, place.height()), theme.color("warning"))
            if twig in shown.lit:
                painter.fillRect(QRectF(place.right() - 3, place.top(), 3, place.height()), theme.color("accent"))
            if twig == shown.here or twig in shown.compared:
                here = here if twig != shown.here else place
                painter.setPen(QPen(theme.color("accent"), 1))
                painter.drawRect(place.adjusted(1, 1, -1, -1))
            if place.height() >= TEXT_HEIGHT:
                said, is_text = shown.text(twig)
                painter.setFont(text if is_text else words)
                painter.setPen(theme.ink_on(fill))
                inner = place.adjusted(8, 0, -2, 0)
                fits = self._metrics.elidedText(said, Qt.TextElideMode.ElideRight, inner.width())
                at = QRectF(inner.left(), inner.top(), inner.width(), min(inner.height(), 200.0))
                if place.height() >= 2.2 * TEXT_HEIGHT:
                    middle = inner.center().y()
                    at = QRectF(inner.left(), middle - 15, inner.width(), 15)
                    painter.drawText(at, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, fits)
                    painter.setFont(small)
                    known = shown.probs[twig]
                    said = "" if math.isnan(known) else percent(known)
                    under = [shown.name(twig) or said]
                    under += [shown.tried(twig)] if place.height() >= 3.4 * TEXT_HEIGHT else []
                    for line, words_under in enumerate(under, 1):
                        fits = painter.fontMetrics().elidedText(
                            words_under, Qt.TextElideMode.ElideRight, int(inner.width())
                        )
                        painter.drawText(
                            at.translated(0, 14 * line),
                            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                            fits,
                        )
                else:
                    painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, fits)
            painter.setOpacity(1.0)
            self._rest(painter, block, area)
        if here is not None:
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawRect(here.adjusted(1, 1, -1, -1))

    def _rest(self, painter: QPainter, block: Block, area: QRectF) -> None:
        """What was not tried behind a block, as one: the height that no child has."""
        high = block.rest * block.area.height()
        if high < 2:
            return
        rest = QRectF(block.area.right(), block.area.bottom() - high, block.area.width(), high).intersected(area)
        if rest.height() >= TEXT_HEIGHT:
            painter.setFont(interface_font(SMALL - 1))
            painter.setPen(self.theme.color("muted"))
            inner = rest.adjusted(8, 0, -2, 0)
            painter.drawText(
                inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"rest {percent(block.rest)}"
            )
