"""What perplexity means, as a table: a record a convention, arplay's own first."""

from __future__ import annotations

from typing import NamedTuple

from arplay.core.conventions import per
from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.core.modalities.base import Unit
from arplay.engine.conventions import Compared, own
from arplay.engine.curves import Swept
from arplay.export import conventions, tables
from arplay.export.charts import NOT_YET, Shown, Table
from arplay.export.tables import Record


class Perplexities(NamedTuple):
    """What was found out of a text besides its ledger."""

    compared: Compared | None = None
    curves: tuple[Swept, ...] = ()


def curve(swept: Swept, unit: Unit, units: int) -> Record:
    """A curve as JSON has it: ``points``, the smallest stride or context first.

    ``units``: those of the scored tokens.
    """
    return {
        "axis": swept.axis,
        "first_token": swept.first_token,
        "left_out": swept.left_out,
        "points": [
            {
                "context": point.context,
                "stride": point.stride,
                "read": point.read,
                "nll_nats": None if point.found is None else point.found.nll,
                "counted": None if point.found is None else point.found.counted,
                "perplexity": None if point.found is None else point.found.perplexity,
                unit.key: None if point.found is None or point.found.nll is None else per(point.found.nll, units).bits,
            }
            for point in swept.points
        ],
    }


def lines(swept: Swept, record: Record, unit: Unit) -> list[str]:
    """The same for a terminal: a line a point."""
    found = [f"{'context':>9}  {'stride':>9}  {'read':>12}  {'perplexity':>12}  {unit.per:>18}"]
    for row in record["points"]:
        perplexity, bits = (number(row[name]) for name in ("perplexity", unit.key))
        found.append(f"{row['context']:>9,}  {row['stride']:>9,}  {row['read']:>12,}  {perplexity:>12}  {bits:>18}")
    if swept.left_out:
        found.append(left_out(swept))
    return found


def left_out(swept: Swept) -> str:
    """That some points cost too much."""
    which = "smaller strides" if swept.axis == "stride" else "larger contexts"
    return f"{swept.left_out:,} {which} are left out: they would take too many forwards"


def perplexity(shown: Shown) -> Table:
    """Raises Problem where nothing is scored yet."""
    if (ledger := shown.ledger) is None:
        raise Problem("the text is not scored yet", NOT_YET)
    found: Perplexities = shown.found or Perplexities()
    figures = [own(ledger)] if found.compared is None else found.compared.figures
    unit = ledger.unit
    rows = [{"convention": each.name, **conventions.of(each, unit)} for each in figures]
    origin, sums = shown.origin(), tables.totals(ledger)
    curves = {swept.axis: curve(swept, unit, ledger.totals.units) for swept in found.curves}
    points = [{"convention": f"by_{axis}", **row} for axis, each in curves.items() for row in each["points"]]
    content = {"provenance": origin.as_dict(), "totals": sums, "conventions": {row["convention"]: row for row in rows}}
    columns = tuple(dict.fromkeys(name for row in (*rows, *points) for name in row))
    every = [dict.fromkeys(columns) | row for row in (*rows, *points)]
    comments = [*origin.lines(), *tables.comments(sums)]
    return Table(content | ({"curves": curves} if curves else {}), every, columns, comments)
