"""What perplexity means, as a table: a record a convention, arplay's own first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from arplay.core.errors import Problem
from arplay.engine.conventions import Compared, own
from arplay.export import conventions, tables
from arplay.export.charts import NOT_YET, Shown, Table


class Perplexities(NamedTuple):
    """What was found out of a text besides its ledger."""

    compared: Compared | None = None


def perplexity(shown: Shown) -> Table:
    """Raises Problem where nothing is scored yet."""
    if (ledger := shown.ledger) is None:
        raise Problem("the text is not scored yet", NOT_YET)
    found: Perplexities = shown.found or Perplexities()
    figures = [own(ledger)] if found.compared is None else found.compared.figures
    rows = [{"convention": each.name, **conventions.of(each, ledger.unit, ledger.encoded.units)} for each in figures]
    origin, sums = shown.origin(), tables.totals(ledger)
    content = {"provenance": origin.as_dict(), "totals": sums, "conventions": {row["convention"]: row for row in rows}}
    return Table(content, rows, _columns(rows), [*origin.lines(), *tables.comments(sums)])


def _columns(rows: Sequence[tables.Record]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row))
