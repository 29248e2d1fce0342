"""Rollouts as rows: the text of each on one line, its log p and perplexity, and why it ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from arplay.core.format import number
from arplay.core.signs import safe
from arplay.engine.rollouts import Rolled, Rollout, Stopped
from arplay.gui.theme import BODY, fixed_font, number_font
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import ChoiceTable, Column, TableRows

ENDED: dict[Stopped, str] = {
    "": "…",
    "eos": "end of text",
    "length": "length",
    "context": "context full",
    "complete": "complete",
    "matched": "pattern matched",
    "stop": "stop string",
}
ROW = 24
LEAST, MOST = 300, 4000
"""Pixels of the texts in a picture."""


class RolloutTable(TableRows):
    columns = (
        Column(
            "Continuation",
            "What it writes behind the caret; ↵ is a new line. A click looks at it, a double-click or Enter writes it.",
            kind="token",
        ),
        Column("tokens", "How many tokens were drawn.", 60, 520),
        Column("log p", "The sum of log p of its tokens by the model itself, in nats.", 90, 260),
        Column(
            "perplexity",
            "exp(−log p / tokens): how many equally probable tokens it was like to choose from, each time.",
            90,
            420,
        ),
        Column("ended by", "Why it ended.", 100, 600, "words"),
    )
    rows: tuple[Rollout, ...]
    dim = False
    thumbnail: Callable[[Sequence[int]], QImage] | None = None
    """Draws what some ids make of the document; None where they are told in words."""

    def show_rolled(self, rolled: Rolled | None, dim: bool) -> None:
        rows = rolled.rollouts if rolled is not None else ()
        same = len(rows) == len(self.rows)
        if not same:
            self.beginResetModel()
        self.rows, self.dim = rows, dim
        if not same:
            self.endResetModel()
        else:
            self.changed()

    def text(self, row: int, column: int) -> str:
        return _cells(self.rows[row])[column]

    def ink(self, row: int, column: int) -> str:
        return "muted" if self.dim or column == 4 else "text"

    def spoken(self, row: int, column: int) -> str:
        each = self.rows[row]
        return told_of(each) if self.thumbnail is not None else f"{safe(each.text)}; {told_of(each)}"

    def tip(self, row: int, column: int) -> str:
        each = self.rows[row]
        shown = each.text if len(each.text) <= 600 else each.text[:600] + "…"
        return told_of(each) if self.thumbnail is not None else f"{shown}\n{told_of(each)}"


class RolloutRows(ChoiceTable):
    """``looked_at``: another row is the current one; ``chosen``: also a double-click on it."""

    looked_at = Signal()

    def __init__(self) -> None:
        super().__init__("Rollouts", ROW)
        self.table = RolloutTable(self)
        self.show_model(self.table)
        self.doubleClicked.connect(self.chosen)
        self.selectionModel().currentRowChanged.connect(self.looked_at)

    @property
    def current(self) -> Rollout | None:
        row = self.currentIndex().row()
        return self.table.rows[row] if 0 <= row < len(self.table.rows) else None

    # ---- as a picture

    def extent(self) -> QSize:
        """Pixels of all rows, in which no text of a usual length is cut."""
        metrics = QFontMetrics(fixed_font(BODY))
        texts = [metrics.horizontalAdvance(_cells(each)[0]) for each in self.table.rows]
        wide = min(max([LEAST, *texts]), MOST) + sum(column.width for column in self.table.columns) + 2 * ROW
        return QSize(wide, ROW * (len(self.table.rows) + 1))

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """All rows."""
        theme, columns = self.table.theme, self.table.columns
        rest = int(area.width()) - sum(column.width for column in columns)
        heads = tuple(column.title for column in columns)
        for row, cells in enumerate([heads, *map(_cells, self.table.rows)]):
            x, y = area.left(), area.top() + row * ROW
            for column, cell in enumerate(cells):
                width = columns[column].width or rest
                painter.setFont(fixed_font(BODY) if row and not column else number_font(BODY))
                painter.setPen(theme.color("text" if row and column < 4 else "muted"))
                shown = painter.fontMetrics().elidedText(cell, Qt.TextElideMode.ElideRight, width - 16)
                painter.drawText(QRectF(x + 8, y, width - 16, ROW), columns[column].side, shown)
                x += width


def told_of(each: Rollout) -> str:
    """All its figures."""
    _, tokens, logprob, perplexity, ended = _cells(each)
    return f"{tokens} tokens, log p {logprob} nats, perplexity {perplexity}, ended by: {ended}; seed {each.seed}"


def _cells(each: Rollout) -> tuple[str, ...]:
    text = label(safe(each.text)) if each.text else "…"
    perplexity = "—" if math.isnan(each.perplexity) else number(each.perplexity, 3)
    return text, f"{len(each.steps):,}", number(each.logprob, 4), perplexity, ENDED[each.stopped]
