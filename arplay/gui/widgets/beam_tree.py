"""A beam search as a tree from left to right: beams, pruned candidates in pale, and finished chains with their rank."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent

from arplay.core.beam_tree import Leaf, tree_of
from arplay.core.format import nats_or_bits, number, percent
from arplay.core.tree import Step
from arplay.engine.search import Searched
from arplay.gui.theme import BODY, SMALL, SPACE, fixed_font, number_font
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.movable import LEAST, Movable

COLUMN, ROW, EDGE = 88, 20, 8
VERDICT = 210
"""Pixels for the figures of a finished chain."""
WHY = {
    "goes on": "is searched further",
    "finished": "ended, and was kept among the best",
    "pruned": "pruned: {width} better ones went on",
    "too late": "would have ended, but only the best {width} candidates of a step may, or better ones had ended",
}


class BeamTree(Movable):
    """``looked_at``: the chain of the current candidate; ``chosen``: Enter or a double-click on it."""

    looked_at = Signal()
    chosen = Signal()

    def __init__(self) -> None:
        super().__init__("Tree of the beam search")
        self.leaves: list[Leaf] = []
        self.current: int | None = None
        self.dim = False
        self._found: Searched | None = None
        self._best: tuple[int, ...] = ()
        self._looked: Leaf | None = None
        """What was brought in sight last."""
        self._ranks: dict[tuple[tuple[int, ...], float], int] = {}

    def show_search(self, found: Searched | None, dim: bool) -> None:
        self.dim = dim
        if found is not self._found:
            at_end = self._at_end()
            chain = self.chain
            self._found = found
            self.leaves = tree_of(found.expansions, found.rules.groups) if found is not None else []
            self._looked = None
            finished = enumerate(found.finished, 1) if found is not None else ()
            self._ranks = {(each.ids, each.paid): rank for rank, each in finished}
            self._best = found.whole.best.ids if found is not None and found.whole is not None else ()
            self.current = next((at for at, leaf in enumerate(self.leaves) if leaf.ids == chain), None)
            self._settle(at_end)
            if found is not None and self.current is None and (found.done or at_end):
                last = max((leaf.column for leaf in self.leaves), default=0)
                go_on = (leaf for leaf in self.leaves if leaf.column == last and leaf.fate == "goes on")
                ended = (leaf for leaf in self.leaves if self._rank(leaf) == 1)
                best = next(ended if found.done else go_on, None)
                if best is not None:
                    self._into_middle(best)
            self._told()
        self.update()

    @property
    def chain(self) -> tuple[int, ...]:
        """The ids of the current candidate, from the place on."""
        return self.leaves[self.current].ids if self.current is not None else ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The records of the tokens of :attr:`chain`."""
        if self._found is None:
            return ()
        every = [step for expansion in self._found.steps for step in expansion]
        return tuple(every[at] for at in sorted(self._way()))

    def extent(self) -> QSize:
        """Pixels of the whole tree."""
        columns = 1 + max((leaf.column for leaf in self.leaves), default=0)
        rows = 1 + max((leaf.row for leaf in self.leaves), default=0)
        return QSize(2 * EDGE + columns * COLUMN + VERDICT, int(2 * EDGE + rows * ROW))

    def sizeHint(self) -> QSize:
        return QSize(300, 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 30)

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.translate(self.origin)
        painter.scale(self.scale, self.scale)
        seen = QRectF(event.rect())
        self.paint(painter, QRectF((seen.topLeft() - self.origin) / self.scale, seen.size() / self.scale))
        painter.end()

    def paint(self, painter: QPainter, seen: QRectF) -> None:
        """What of the tree lies in ``seen``."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on_way = self._way()
        near = seen.adjusted(-COLUMN, -ROW, COLUMN, ROW)
        for at, leaf in enumerate(self.leaves):
            here = self._place(leaf)
            before = self._place(self.leaves[leaf.parent]) if leaf.parent >= 0 else QPointF(EDGE, here.y())
            box = QRectF(before, here).normalized().adjusted(0, -1, COLUMN, 1)
            if near.intersects(box):
                self._branch(painter, leaf, before, here, at in on_way)
        for at, leaf in enumerate(self.leaves):
            if near.contains(self._place(leaf)):
                self._token(painter, at, leaf, at in on_way)

    def _branch(self, painter: QPainter, leaf: Leaf, before: QPointF, here: QPointF, lit: bool) -> None:
        start = before + QPointF(COLUMN - 22, 0) if leaf.parent >= 0 else before
        path = QPainterPath(start)
        end = here - QPointF(4, 0)
        middle = (start.x() + end.x()) / 2
        path.cubicTo(QPointF(middle, start.y()), QPointF(middle, end.y()), end)
        colour = self.theme.color("accent" if lit else "outline" if leaf.fate in ("goes on", "finished") else "border")
        colour.setAlphaF(0.4 if self.dim else 1.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, max(1.0, 4 * math.exp(leaf.logprob))))
        painter.drawPath(path)

    def _token(self, painter: QPainter, at: int, leaf: Leaf, lit: bool) -> None:
        theme, area = self.theme, self._area(leaf)
        kept = leaf.fate in ("goes on", "finished")
        painter.setOpacity(0.45 if self.dim else 1.0)
        painter.setPen(QPen(theme.color("accent" if lit else "border"), 2 if at == self.current else 1))
        painter.setBrush(theme.color("accent_soft" if leaf.fate == "finished" or lit else "surface"))
        if kept or lit:
            painter.drawRoundedRect(area, 4, 4)
        painter.setFont(fixed_font(BODY))
        ink = theme.color("text" if kept else "muted")
        ink.setAlphaF(1.0 if kept else 0.75)
        painter.setPen(ink)
        if self._is_best(leaf):
            line = area.adjusted(4, 0, -4, 2)
            painter.fillRect(QRectF(line.left(), line.bottom() - 2, line.width(), 2), theme.color("warning"))
        text = painter.fontMetrics().elidedText(self._label(leaf), Qt.TextElideMode.ElideRight, int(area.width()) - 8)
        painter.drawText(area.adjusted(5, 0, -3, 0), Qt.AlignmentFlag.AlignVCenter, text)
        if leaf.fate == "finished":
            painter.setFont(number_font(SMALL))
            painter.setPen(theme.color("text" if self._rank(leaf) else "muted"))
            words = QRectF(area.right() + 6, area.top(), VERDICT, area.height())
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self._verdict(leaf))
        painter.setOpacity(1.0)

    def _is_best(self, leaf: Leaf) -> bool:
        """Whether the best chain of all begins with it."""
        return bool(self._best) and leaf.ids == self._best[: len(leaf.ids)]

    def _rank(self, leaf: Leaf) -> int | None:
        """By its score among the finished chains, from 1; groups may have found the same one."""
        return self._ranks.get((leaf.ids, leaf.paid))

    def _verdict(self, leaf: Leaf) -> str:
        rank = self._rank(leaf)
        assert self._found is not None
        score = (leaf.total - leaf.paid) / len(leaf.ids) ** self._found.rules.length_penalty
        place = f"#{rank}" if rank else "given up"
        return f"{place}  log p {number(leaf.total, 3)}, score {number(score, 3)}"

    def _label(self, leaf: Leaf) -> str:
        assert self._found is not None
        return label(self._found.tokens.label(leaf.ids[-1]))

    # ---- places

    def _place(self, leaf: Leaf) -> QPointF:
        return QPointF(EDGE + 16 + leaf.column * COLUMN, EDGE + (leaf.row + 0.5) * ROW)

    def _area(self, leaf: Leaf) -> QRectF:
        place = self._place(leaf)
        return QRectF(place.x() - 4, place.y() - ROW / 2 + 2, COLUMN - 18, ROW - 4)

    @property
    def bounds(self) -> QRectF:
        return QRectF(QPointF(0, 0), self.extent().toSizeF())

    def part_at(self, at: QPointF) -> int | None:
        place = (at - self.origin) / self.scale
        return next((at for at, leaf in enumerate(self.leaves) if self._area(leaf).contains(place)), None)

    def _way(self) -> set[int]:
        found, at = set[int](), self.current
        while at is not None and at >= 0:
            found.add(at)
            at = self.leaves[at].parent
        return found

    def fit(self) -> None:
        size = self.extent()
        self.scale = min(max(min(self.width() / size.width(), self.height() / size.height()), LEAST), 1.0)
        self.origin = QPointF(0, 0)

    def _at_end(self) -> bool:
        return self.on_screen(self.bounds).right() <= self.width() + 1

    def _settle(self, at_end: bool) -> None:
        """No room is left empty beside or below a tree that has more; ``at_end``: its newest step is in sight."""
        area = self.on_screen(self.bounds)
        x = self.width() - area.width() if at_end else max(self.origin.x(), self.width() - area.width())
        y = max(self.origin.y(), self.height() - area.height())
        self.origin = QPointF(min(0.0, x), min(0.0, y))

    # ---- mouse and keys

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What was brought in sight stays there, unless one moved on."""
        looked = self._looked
        seen = looked is not None and QRectF(QPointF(0, 0), event.oldSize().toSizeF()).intersects(
            self.on_screen(self._area(looked))
        )
        super().resizeEvent(event)
        self._settle(False)
        if looked is not None and seen:
            self._into_middle(looked)

    def clicked(self, part: int, event: QMouseEvent) -> None:
        self._go(part)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.part_at(event.position()) is not None:
            self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves: dict[Qt.Key, Callable[[], int | None]] = {
            Qt.Key.Key_Left: self._parent, Qt.Key.Key_Right: self._child,
            Qt.Key.Key_Up: lambda: self._beside(-1), Qt.Key.Key_Down: lambda: self._beside(1),
        }  # fmt: skip
        move = moves.get(Qt.Key(event.key()))
        if move is not None and self.leaves and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            target = 0 if self.current is None else move()
            if target is not None:
                self._go(target)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current is not None:
            self.chosen.emit()
        else:
            super().keyPressEvent(event)

    def _parent(self) -> int | None:
        assert self.current is not None
        parent = self.leaves[self.current].parent
        return parent if parent >= 0 else None

    def _child(self) -> int | None:
        return next((at for at, leaf in enumerate(self.leaves) if leaf.parent == self.current), None)

    def _beside(self, step: int) -> int | None:
        assert self.current is not None
        here = self.leaves[self.current]
        beside = [(leaf.row, at) for at, leaf in enumerate(self.leaves) if leaf.column == here.column]
        ordered = [at for _, at in sorted(beside)]
        target = ordered.index(self.current) + step
        return ordered[target] if 0 <= target < len(ordered) else None

    def focusInEvent(self, event: QFocusEvent) -> None:
        by_mouse = event.reason() == Qt.FocusReason.MouseFocusReason  # a click chooses one itself, a drag none
        if self.current is None and self.leaves and not by_mouse:
            self._go(next((at for at, leaf in enumerate(self.leaves) if self._rank(leaf) == 1), 0))
        super().focusInEvent(event)

    def _go(self, at: int) -> None:
        self.current = at
        self._into_sight(self.leaves[at])
        self._told()
        self.update()
        self.looked_at.emit()

    def _into_middle(self, leaf: Leaf) -> None:
        """In sight, half way down as far as the ends of the tree allow."""
        self._into_sight(leaf)
        down = self.rect().center().y() - self.on_screen(self._area(leaf)).center().y()
        self.origin += QPointF(0, down)
        self._settle(False)

    def _into_sight(self, leaf: Leaf) -> None:
        self._looked = leaf
        self.bring_in(self._area(leaf).adjusted(0, 0, VERDICT if leaf.fate == "finished" else 0, 0), SPACE[1])

    def _told(self) -> None:
        self.setAccessibleDescription(self.told(self.current) if self.current is not None else "")

    def told(self, part: int) -> str:
        """What is known of a candidate, in words."""
        leaf, found = self.leaves[part], self._found
        assert found is not None
        text = label(found.tokens.label(leaf.ids[-1]))
        fate = WHY[leaf.fate].format(width=found.rules.width // found.rules.groups)
        lines = [
            f"{text}: p = {percent(math.exp(leaf.logprob))}, log p = {nats_or_bits(leaf.logprob, 'nats')}",
            f"the {len(leaf.ids):,} tokens so far: log p = {nats_or_bits(leaf.total, 'nats')}",
            f"number {leaf.rank:,} of its step; {fate}",
        ]
        if leaf.paid:
            lines.insert(2, f"compared as {number(leaf.paid, 3)} less: tokens that a group before took")
        if leaf.fate == "finished":
            lines.append(self._verdict(leaf))
        if self._is_best(leaf):
            lines.append("the best chain of all begins so")
        return "\n".join(lines)
