"""A panel from outside the package in one file: how often the token was the model's first choice, its second, …"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.export.charts import NOT_YET, Chart, Shown, Table
from arplay.gui.contract import Panel
from arplay.gui.panels.entry import PanelEntry
from arplay.gui.theme import SMALL, SPACE, interface_font
from arplay.gui.view import View

WIDTH, ROW, LABEL = 480, 22, 80


def histogram(ranks: NDArray[np.int32]) -> list[tuple[str, int]]:
    """How many ranks are 1, 2, 3 or 4, 5 to 8, and so on; 0, which is not scored, is not counted.

    >>> histogram(np.array([0, 1, 1, 2, 4, 7], np.int32))
    [('1', 2), ('2', 1), ('3–4', 1), ('5–8', 1)]
    """
    bins = np.bincount(np.ceil(np.log2(ranks[ranks > 0])).astype(int))
    return [(f"{2**i // 2 + 1}–{2**i}" if i > 1 else str(i + 1), int(n)) for i, n in enumerate(bins)]


def table(shown: Shown) -> Table:
    """The data behind it, for CSV and JSON."""
    if shown.ledger is None:
        raise Problem("the text is not scored yet", NOT_YET)
    rows = [{"ranks": ranks, "tokens": tokens} for ranks, tokens in histogram(_ranks(shown.ledger))]
    origin = shown.origin()
    return Table({"provenance": origin.as_dict(), "ranks": rows}, rows, ("ranks", "tokens"), origin.lines())


def _ranks(ledger: Ledger) -> NDArray[np.int32]:
    return ledger.rank[: ledger.done]


class RankHistogram(Panel):
    explanation = """<p>The <b>rank</b> of a token is its place among all tokens by probability: 1 is what the model
    held most probable. Each row counts the tokens of the text whose rank is 1, 2, 3 to 4, 5 to 8, …</p>"""
    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self.ledger: Ledger | None = None
        self.rows: list[tuple[str, int]] = []
        self.setAccessibleName("Histogram of ranks")

    def show_view(self, view: View) -> None:
        if view.ledger is not self.ledger:
            self.ledger = view.ledger
            self.rows = histogram(_ranks(view.ledger)) if view.ledger is not None else []
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.rows:
            self.paint_chart(painter, QRectF(self.rect()))
        else:
            painter.setPen(self.theme.color("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "The text is not scored yet.")

    def chart_size(self) -> tuple[int, int] | None:
        return (WIDTH, ROW * len(self.rows) + 2 * SPACE[1]) if self.rows else None

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        area = area.adjusted(SPACE[1], SPACE[1], -SPACE[1], -SPACE[1])
        height, most = min(ROW, area.height() / len(self.rows)), max(tokens for _, tokens in self.rows)
        painter.setFont(interface_font(SMALL))
        for i, (ranks, tokens) in enumerate(self.rows):
            row = QRectF(area.left(), area.top() + i * height, area.width(), height)
            bar = row.adjusted(LABEL, 1, -LABEL, -1)
            bar.setWidth(bar.width() * tokens / most)
            painter.fillRect(bar, self.theme.color("fill"))
            painter.setPen(self.theme.color("text"))
            painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, ranks)
            painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tokens:,}")


RANKS = PanelEntry(
    "tests.examples.rank_histogram:RankHistogram",
    "Ranks",
    "bottom",
    behind=True,
    chart=Chart("ranks", "scores", "tests.examples.rank_histogram:table"),
)
