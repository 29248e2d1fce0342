"""What each of the models that are compared pays for the same text, a row a model."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.aligned import Share
from arplay.core.edited import Edited
from arplay.core.format import in_unit, number, part_percent
from arplay.gui.settings import Unit
from arplay.gui.widgets.row_table import Column, TableRows

NOW = "B  the text now"
LEAST_SHARE = 5e-4
"""A difference below this is none in the digits that are shown."""
NAME, BITS, MORE, NLL, PERPLEXITY, TOKENS, EACH = range(7)


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """``name`` with its letter; ``share`` is None while the model has not scored the text; ``said`` then says why."""

    name: str
    share: Share | None
    said: str = ""


def base_rows(found: Edited | None) -> list[Row]:
    """What either text pays for the tokens that stand in both."""
    if found is None:
        return []
    tokens = int(found.known.sum())
    names = ("A  base text, what stands in both", f"{NOW}, the same")
    return [Row(name, Share(nats, tokens, found.units)) for name, nats in zip(names, found.totals, strict=True)]


class TotalsTable(TableRows):
    """The first row is the window's own model, which the others are measured by."""

    columns = (
        Column("model", "The model, and its number type or quantisation.", kind="words"),
        Column("", "NLL / (n ln 2) over the n units that all of them score: comparable, whatever the tokens are.", 132),
        Column("against the first", "How many percent more or fewer bits than the first model.", 108, 470),
        Column("NLL", "−Σ log p over what all of them score.", 112, 350),
        Column(
            "perplexity",
            "exp(NLL in nats / tokens), per token of this model: comparable only between models with the same tokens.",
            92,
            560,
        ),
        Column("tokens", "How many tokens of its own each of them cuts the same text into.", 76, 640),
        Column("", "Units a token on the average.", 132, 740),
    )

    def __init__(self) -> None:
        super().__init__()
        self.unit: Unit = "nats"
        self.per, self.many = "bits per byte", "bytes"

    def show_rows(self, rows: list[Row], unit: Unit, per: str, many: str) -> None:
        self.unit, self.per, self.many = unit, per, many
        self.reset(rows)

    def title(self, column: int) -> str:
        named = {BITS: self.per, NLL: f"NLL, {self.unit}", EACH: f"{self.many} a token"}
        return named.get(column) or super().title(column)

    def text(self, row: int, column: int) -> str:
        found: Row = self.rows[row]
        share = found.share
        if column == NAME:
            return found.name
        if share is None:
            return found.said if column == BITS else ""
        if column == BITS:
            return "—" if share.bits_per_unit is None else number(share.bits_per_unit)
        if column == MORE:
            first = self.rows[0].share
            if row == 0 or first is None or not first.nats:
                return "" if row == 0 else "—"
            more = share.nats / first.nats - 1
            more = 0.0 if abs(more) < LEAST_SHARE else more  # not −0.0%
            return ("+" if more >= 0 else "") + part_percent(more, 1)
        if column == NLL:
            return number(in_unit(share.nats, self.unit), 2)
        if column == PERPLEXITY:
            return "—" if share.perplexity is None else number(share.perplexity, 2)
        if column == TOKENS:
            return f"{share.tokens:,}"
        return number(share.units / share.tokens, 2) if share.tokens else "—"

    def ink(self, row: int, column: int) -> str:
        found: Row = self.rows[row]
        if found.share is None or found.share.bits_per_unit is None or column == PERPLEXITY:
            return "muted"
        least = min(each.share.nats for each in self.rows if each.share is not None)
        return "accent" if column == BITS and found.share.nats == least else "text"

    def tip(self, row: int, column: int) -> str:
        found: Row = self.rows[row]
        return f"{found.name}\n{found.said}" if column == NAME and found.said else self.columns[column].tip
