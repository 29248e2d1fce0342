"""What another number type or quantisation changed, token by token: the places where both models are farthest apart."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from arplay.core.divergence import By
from arplay.core.format import in_unit, number, part_percent, power_cell
from arplay.core.modalities.base import Encoded, TokenSet
from arplay.engine.divergence import Diverged
from arplay.export.divergence import summary
from arplay.gui.settings import Unit
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import Asked
from arplay.gui.widgets.caption import Caption, set_role
from arplay.gui.widgets.comparison.divergence_curve import DivergenceCurve
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.push_button import offer, push_button
from arplay.gui.widgets.row_table import ChoiceTable, Column, TableRows
from arplay.models.base import Info

Infos = tuple[Info | None, Info | None]

PLACE, TOKEN, KL, TV, CHANGE, RANK, BEST = range(7)
SORTS: dict[int, By] = dict(zip((KL, TV, CHANGE, RANK), get_args(By), strict=True))
SMALL_KL = 1e-3
ASK = (
    "Compare sets both distributions beside each other at every token, over the whole vocabulary: KL, total variation, "
    "ranks. It takes as long as scoring the text twice."
)


class ChangedTable(TableRows):
    columns = (
        Column("#", "The place of the token in the text, from 1.", 64, 300),
        Column("token", "The actual token of the text.", kind="token"),
        Column(
            "KL(A‖B)", "Σ p (log p − log q) over the vocabulary: what it costs to expect q where p is so.", 112, 200
        ),
        Column("total variation", "½ Σ |p − q|, from 0 to 1.", 108, 430),
        Column("Δ log p", "log q − log p of the actual token: below 0 the second finds it less probable.", 96, 330),
        Column("rank", "Of the actual token, by the first model and by the second.", 112, 540),
        Column("best", "The most probable token, where it is another one by the second model.", 150, 700, kind="token"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: Diverged | None = None
        self.tokens: TokenSet | None = None
        self.unit: Unit = "nats"
        self.by = KL
        self.small = False
        """Every KL is so small that it is written as a power of ten."""

    def show_found(self, found: Diverged | None, tokens: TokenSet | None, unit: Unit) -> None:
        if (found, unit) != (self.found, self.unit):
            self.found, self.tokens, self.unit = found, tokens, unit
            self._arrange()

    def sort_by(self, column: int) -> None:
        """The largest first."""
        if column in SORTS and column != self.by:
            self.by = column
            self._arrange()

    def _arrange(self) -> None:
        rows = None if self.found is None else self.found.rows
        self.small = rows is not None and len(rows.listed["kl"]) > 0 and rows.kl[rows.listed["kl"][0]] < SMALL_KL
        self.reset(() if self.found is None else self.found.rows.listed[SORTS[self.by]].tolist())

    def title(self, column: int) -> str:
        unit = f", {self.unit}" if column in (KL, CHANGE) else ""
        return f"{super().title(column)}{unit}{' ▾' if column == self.by else ''}"

    def text(self, row: int, column: int) -> str:
        assert self.found is not None
        at, rows = self.rows[row], self.found.rows
        match column:
            case 0:
                return f"{at + 1:,}"
            case 1:
                return label(self.found.encoded.said(at, self.tokens))
            case 2:
                kl = in_unit(float(rows.kl[at]), self.unit)
                return power_cell(kl, 3) if self.small else number(kl, 6)
            case 3:
                return number(float(rows.tv[at]), 5)
            case 4:
                return number(in_unit(float(rows.change[at]), self.unit))
            case 5:
                one, other = (int(rank) for rank in rows.rank[:, at])
                return f"{one:,}" if one == other else f"{one:,} → {other:,}"
        if not rows.other_best[at] or self.tokens is None:
            return ""
        return " → ".join(label(self.tokens.label(int(id))) for id in rows.best[:, at])

    def ink(self, row: int, column: int) -> str:
        return "muted" if column == PLACE else "text"

    def tip(self, row: int, column: int) -> str:
        return self.columns[column].tip


class ChangedPage(QWidget):
    """``asked``: the comparison is to be made, or ended; ``picked``: the token to go to;
    ``spanned``: another part of the axis of tokens is shown."""

    asked = Signal()
    picked = Signal(int)
    spanned = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.button = push_button("Compare", ASK, self.asked, role="primary", name="Compare distributions")
        self.said, head = Caption(), QHBoxLayout()
        head.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        head.addWidget(self.said, 1)
        self.table, self.rows = ChangedTable(), ChoiceTable("Where distributions are farthest apart", 24)
        self.table.setParent(self)
        self.rows.show_model(self.table, pulled=True)
        self.rows.setMinimumSize(0, 0)
        header = self.rows.horizontalHeader()
        self.rows.sort_by_headings()
        header.sectionClicked.connect(self.table.sort_by)
        self.rows.clicked.connect(self._go)
        self.rows.chosen.connect(self._go)
        self.rows.message = ASK
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addLayout(head)
        self.curve = DivergenceCurve()
        self.curve.picked.connect(self.picked)
        self.curve.spanned.connect(self.spanned)
        both = QHBoxLayout()
        both.setSpacing(SPACE[1])
        both.addWidget(self.rows, 3)
        both.addWidget(self.curve, 2)
        column.addLayout(both, 1)

    def show_asked(
        self,
        asked: Asked,
        encoded: Encoded | None,
        tokens: TokenSet | None,
        unit: Unit,
        why_not: str,
        of: Infos,
    ) -> None:
        """``encoded``: what is scored in the window; ``why_not``: why these two cannot be compared so; ``of``: what
        both models are."""
        found: Diverged | None = asked.found
        self.table.show_found(found, tokens, unit)
        self.curve.show_found(found, tokens, unit)
        self._fit()
        self.button.setText("Stop" if asked.runs else "Compare")
        set_role(self.button, "" if asked.runs else "primary")
        offer(self.button, "" if asked.runs else why_not)
        self.button.setVisible(self.button.isEnabled() or found is not None)
        said = ""
        if asked.runs:
            said = f"{asked.doing}: {part_percent(asked.share or 0.0)}"
        elif found is not None:
            here = (found.info, found.other) == of and encoded is not None and encoded.is_of(found.document)
            before = f"of before ({found.other.name} {found.other.dtype}), Compare makes it anew: "
            said = ("" if here else before) + summary(found)
        self.rows.message = why_not or ASK
        self.said.show_text(said)
        self.said.setVisible(bool(said))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.curve.setVisible(self.width() >= 760 and not self.curve.plot.empty)

    def _go(self, index: QModelIndex) -> None:
        self.picked.emit(int(self.table.rows[index.row()]))

    def set_theme(self, theme: Theme) -> None:
        self.rows.set_theme(theme)
        self.curve.set_theme(theme)
