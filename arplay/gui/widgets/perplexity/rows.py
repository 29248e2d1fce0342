"""One text by the usual conventions as rows: what each calls its perplexity, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import Qt

from arplay.core.chain import Ledger
from arplay.core.conventions import CONVENTIONS, Convention
from arplay.core.format import in_unit, number
from arplay.core.reading import FIRST_TOKEN
from arplay.engine.conventions import OWN, Compared, Figures, own
from arplay.export.conventions import per_unit
from arplay.gui.settings import Unit
from arplay.gui.widgets.row_table import Column, RowTable, TableRows

ROW = 24
NAME, PERPLEXITY, COUNTED, PER_UNIT, NLL, CONTEXT, STRIDE, WINDOWS, WORD, FIRST = range(10)
SHORT = {
    "model": "by p(x₁)",
    "tokenizer": "after the tokenizer’s own",
    "bos": "after BOS",
    "eos": "after EOS",
    "unscored": "not scored",
}
"""What became of the first token, in a column."""
NOT_YET = "Not scored by it yet: press Compare."
BY_ARPLAY = "the ledger, the heatmap and arplay score"
_NAMED = {each.name: each for each in CONVENTIONS}


@dataclass(frozen=True, eq=False)
class Shown:
    """Rows of a document. ``known``: whether those beside arplay's own were looked at."""

    figures: tuple[Figures, ...]
    ledger: Ledger
    known: bool

    @classmethod
    def of(cls, ledger: Ledger, compared: Compared | None) -> Shown:
        if compared is not None:
            return cls(compared.figures, ledger, True)
        mine = own(ledger)
        others = (
            replace(mine, name=each.name, title=each.title, explanation=each.explanation, found=None)
            for each in CONVENTIONS
        )
        return cls((mine, *others), ledger, False)

    @property
    def has_words(self) -> bool:
        return "words" in dict(self.ledger.totals.counts)


class ConventionTable(TableRows):
    columns = (
        Column("convention", "How the text is cut into windows, and what is counted. Point at one.", kind="words"),
        Column("perplexity", "exp(NLL / N), or what the convention calls so.", 96),
        Column("N", "How many tokens are counted, or windows, where their means are.", 76, 440),
        Column("per unit", "", 130, 570),
        Column("NLL", "−Σ log p of the tokens that are counted.", 108, 670),
        Column("context", "The most tokens that are read before one.", 72, 750),
        Column("stride", "How many tokens a window moves on, where the convention has that.", 64, 820),
        Column("windows", "How many forwards it takes.", 76, 900),
        Column("word perplexity", "exp(NLL / words): the same NLL over the words of the whole text.", 126, 1030),
        Column("first token", "What becomes of the first token, which has none before it.", 190, 1230, "words"),
    )
    shown: Shown | None = None
    unit: Unit = "nats"

    def show(self, shown: Shown | None, unit: Unit) -> None:
        self.shown, self.unit = shown, unit
        self.reset(() if shown is None else shown.figures)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, FIRST)

    def title(self, column: int) -> str:
        if column == NLL:
            return f"NLL, {self.unit}"
        if column == PER_UNIT and self.shown is not None:
            return self.shown.ledger.unit.per
        return super().title(column)

    def text(self, row: int, column: int) -> str:
        assert self.shown is not None
        return cell(self.shown, row, column, self.unit)

    def ink(self, row: int, column: int) -> str:
        assert self.shown is not None
        each = self.shown.figures[row]
        if each.found is None:
            return "muted"
        made = _NAMED.get(each.name)
        return "warning" if column == NAME and made is not None and made.caveat else "text"

    def tip(self, row: int, column: int) -> str:
        assert self.shown is not None
        each = self.shown.figures[row]
        if column == FIRST and each.first_token:
            return f"The first token is {FIRST_TOKEN[each.first_token]}."
        if column == PER_UNIT:
            many, own = self.shown.ledger.unit.many, each.name == OWN
            which = "scored so far" if own and not self.shown.ledger.complete else "that the sum is about"
            return f"The NLL in bits over the {each.units:,} {many} {which}."
        if column != NAME:
            return self.columns[column].tip
        made = _NAMED.get(each.name)
        lines = [each.explanation, f"Reported by {made.reported if made is not None else BY_ARPLAY}."]
        if each.why:
            lines.insert(0, f"It cannot be followed here: {each.why}.")
        elif each.found is None:
            lines.append(NOT_YET)
        return "\n".join(lines)


def named(each: Figures) -> str:
    """The convention with what is wrong with it, or why it cannot be followed here."""
    made: Convention | None = _NAMED.get(each.name)
    remark = each.why or (made.caveat if made is not None else "")
    return f"{each.title}: {remark}" if remark else each.title


def cell(shown: Shown, row: int, column: int, unit: Unit) -> str:
    """What a cell says."""
    each, known = shown.figures[row], shown.known or shown.figures[row].name == OWN
    if column == NAME:
        return named(each)
    if not known or each.why:
        return "—"
    if column == FIRST:
        return SHORT.get(each.first_token, "—")
    if column in (CONTEXT, STRIDE, WINDOWS):
        count = {CONTEXT: each.context, STRIDE: each.stride, WINDOWS: each.windows}[column]
        return "—" if count is None else f"{count:,}"
    found = each.found
    if found is None:
        return "—"
    if column == COUNTED:
        return f"{found.counted:,}"
    if column == PERPLEXITY:
        return number(found.perplexity)
    if column == NLL:
        return "—" if found.nll is None else number(in_unit(found.nll, unit))
    if not each.whole and not (column == PER_UNIT and each.name == OWN):  # of what is scored so far
        return "—"
    key = shown.ledger.unit.key if column == PER_UNIT else "word_perplexity"
    return number(dict(per_unit(each, shown.ledger.unit)).get(key))


class ConventionRows(RowTable):
    def __init__(self) -> None:
        super().__init__("Perplexity by convention", ROW)
        self.table = ConventionTable(self)
        self.setMinimumSize(0, 0)
        self.show_model(self.table)

    def show_rows(self, shown: Shown | None, unit: Unit) -> None:
        kept = self.currentIndex().row()
        self.table.show(shown, unit)
        self.fit()
        if shown is not None:
            self.selectRow(max(0, kept))

    def fit(self) -> None:
        super().fit()
        if self.table.shown is not None and not self.table.shown.has_words:
            self.setColumnHidden(WORD, True)
