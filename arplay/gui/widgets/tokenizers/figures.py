"""What each tokenizer makes of the text, in figures: how many tokens, and how much of it each holds."""

from __future__ import annotations

from collections.abc import Sequence

from arplay.core.format import number
from arplay.export.tables import Record
from arplay.gui.widgets.row_table import Column, RowTable, TableRows

ROW = 22
_KEYS = (
    "name", "kind", "vocabulary", "tokens", "tokens_per_word", "bytes_per_token", "characters_per_token",
    "perplexity_of_same_nll",
)  # fmt: skip


_SAME = (
    "exp(NLL / tokens) for one and the same NLL of this text, that of the model in the window: one probability of the "
    "text has another perplexity in other tokens."
)


class FigureTable(TableRows):
    columns = (
        Column("tokenizer", "The model whose tokenizer it is.", kind="words"),
        Column("kind", "How it comes to its tokens.", 130, 800, "words"),
        Column("vocabulary", "How many tokens it has, V.", 84, 520),
        Column("tokens", "Of this text, as if all of it had been typed.", 72),
        Column("per word", "Tokens over words: what stands between white space is a word.", 72, 330),
        Column("bytes each", "Bytes of the text over its tokens: how much of it one token holds.", 80, 420),
        Column("chars each", "Characters of the text over its tokens.", 80, 620),
        Column("ppl, same NLL", _SAME, 100, 460),
    )  # fmt: skip
    rows: Sequence[Record]
    dim = False

    def text(self, row: int, column: int) -> str:
        record = self.rows[row]
        return cell(record, column)

    def tip(self, row: int, column: int) -> str:
        record = self.rows[row]
        return record["problem"] or f"{record['name']}: {record['kind']}"

    def ink(self, row: int, column: int) -> str:
        return "warning" if self.rows[row]["problem"] else "muted" if self.dim or column == 1 else "text"


def cell(record: Record, column: int) -> str:
    """What stands in a row; a problem in place of its name."""
    if not column:
        return record["name"] + (f": {record['problem']}" if record["problem"] else "")
    value = record.get(_KEYS[column])
    if value is None:
        return "" if column == 1 else "—"
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else number(value, 2)


class FigureRows(RowTable):
    """As high as its rows."""

    def __init__(self) -> None:
        super().__init__("Figures of each tokenizer", ROW)
        self.table = FigureTable(self)
        self.show_model(self.table)

    def show_records(self, records: Sequence[Record], dim: bool) -> None:
        self.table.dim = dim
        self.table.reset(records)
        self.fit()

    @property
    def wanted(self) -> int:
        """Pixels that show every row."""
        return self.horizontalHeader().sizeHint().height() + ROW * max(1, len(self.table.rows)) + 10
