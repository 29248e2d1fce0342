"""Rollouts as rows: the text of each on one line, its log p and perplexity, and why it ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from arplay.core.format import number
from arplay.core.signs import safe
from arplay.engine.rollouts import Rolled, Rollout, Stopped
from arplay.gui.theme import BODY, LIGHT, Theme, fixed_font, number_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import ChoiceTable

Index = QModelIndex | QPersistentModelIndex
ENDED: dict[Stopped, str] = {
    "": "…",
    "eos": "end of text",
    "length": "length",
    "context": "context full",
    "complete": "complete",
    "matched": "pattern matched",
    "stop": "stop string",
}
_HEADERS = ("Continuation", "tokens", "log p", "perplexity", "ended by")
_WIDE = (60, 90, 90, 100)
ROW = 24
LEAST, MOST = 300, 4000
"""Pixels of the texts in a picture."""
_TIPS = (
    "What it writes behind the caret; ↵ is a new line. A click looks at it, a double-click or Enter writes it.",
    "How many tokens were drawn.",
    "The sum of log p of its tokens by the model itself, in nats.",
    "exp(−log p / tokens): how many equally probable tokens it was like to choose from, each time.",
    "Why it ended.",
)


class RolloutTable(QAbstractTableModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rolled: Rolled | None = None
        self.dim = False
        self.thumbnail: Callable[[Sequence[int]], QImage] | None = None
        """Draws what some ids make of the document; None where they are told in words."""
        self.theme: Theme = LIGHT

    def show_rolled(self, rolled: Rolled | None, dim: bool) -> None:
        former = len(self.rows)
        same = rolled is not None and len(rolled.rollouts) == former
        if not same:
            self.beginResetModel()
        self.rolled, self.dim = rolled, dim
        if not same:
            self.endResetModel()
        elif self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(former - 1, len(_HEADERS) - 1))

    @property
    def rows(self) -> tuple[Rollout, ...]:
        return self.rolled.rollouts if self.rolled is not None else ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(_HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return plain(_TIPS[section])
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self.rows):
            return None
        each = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cells(each)[index.column()]
        if role == Qt.ItemDataRole.FontRole:
            return number_font(BODY) if index.column() else fixed_font(BODY)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(index.column())
        if role == Qt.ItemDataRole.ForegroundRole and (self.dim or index.column() == 4):
            return self.theme.color("muted")
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            told = told_of(each)
            if self.thumbnail is not None:
                return plain(told) if role == Qt.ItemDataRole.ToolTipRole else told
            shown = each.text if len(each.text) <= 600 else each.text[:600] + "…"
            return plain(f"{shown}\n{told}") if role == Qt.ItemDataRole.ToolTipRole else f"{safe(each.text)}; {told}"
        return None


class RolloutRows(ChoiceTable):
    """``looked_at``: another row is the current one; ``chosen``: also a double-click on it."""

    looked_at = Signal()

    def __init__(self) -> None:
        super().__init__("Rollouts", ROW)
        self.table = RolloutTable(self)
        self.setModel(self.table)
        self.set_widths(0, dict(enumerate(_WIDE, 1)))
        self.doubleClicked.connect(self.chosen)
        self.selectionModel().currentRowChanged.connect(self.looked_at)

    @property
    def current(self) -> Rollout | None:
        row = self.currentIndex().row()
        return self.table.rows[row] if 0 <= row < len(self.table.rows) else None

    def fit(self, width: int) -> None:
        """In a narrow panel the text has the room."""
        for column, least in enumerate((520, 260, 420, 600), 1):
            self.setColumnHidden(column, width < least)

    # ---- as a picture

    def extent(self) -> QSize:
        """Pixels of all rows, in which no text of a usual length is cut."""
        metrics = QFontMetrics(fixed_font(BODY))
        texts = [metrics.horizontalAdvance(_cells(each)[0]) for each in self.table.rows]
        wide = min(max([LEAST, *texts]), MOST) + sum(_WIDE) + 2 * ROW
        return QSize(wide, ROW * (len(self.table.rows) + 1))

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """All rows."""
        theme, wide = self.table.theme, (int(area.width()) - sum(_WIDE), *_WIDE)
        for row, cells in enumerate([_HEADERS, *map(_cells, self.table.rows)]):
            x, y = area.left(), area.top() + row * ROW
            for column, (cell, width) in enumerate(zip(cells, wide, strict=True)):
                painter.setFont(fixed_font(BODY) if row and not column else number_font(BODY))
                painter.setPen(theme.color("text" if row and column < 4 else "muted"))
                shown = painter.fontMetrics().elidedText(cell, Qt.TextElideMode.ElideRight, width - 16)
                painter.drawText(QRectF(x + 8, y, width - 16, ROW), _side(column), shown)
                x += width


def told_of(each: Rollout) -> str:
    """All its figures."""
    _, tokens, logprob, perplexity, ended = _cells(each)
    return f"{tokens} tokens, log p {logprob} nats, perplexity {perplexity}, ended by: {ended}; seed {each.seed}"


def _cells(each: Rollout) -> tuple[str, ...]:
    text = label(safe(each.text)) if each.text else "…"
    perplexity = "—" if math.isnan(each.perplexity) else number(each.perplexity, 3)
    return text, f"{len(each.steps):,}", number(each.logprob, 4), perplexity, ENDED[each.stopped]


def _side(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if 0 < column < 4 else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
