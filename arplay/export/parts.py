"""The parts of a scored document (words, lines, rows) as records, one a part."""

from __future__ import annotations

import math
from typing import Any

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.core.parts import Parts
from arplay.export import tables
from arplay.export.charts import NOT_YET, Shown, Table
from arplay.export.tables import Record


def columns(ledger: Ledger) -> tuple[str, ...]:
    """Those of :func:`rows`."""
    unit = ledger.unit
    where = (f"{unit.one}_start", f"{unit.one}_end")
    return ("index", "text", *where, "first_token", "tokens", "scored", "logprob", unit.key, "entropy", "crossing")


def rows(parts: Parts) -> list[Record]:
    """What each part costs: log p and the entropies of its tokens in nats, bits per unit; None where nothing is scored.

    ``crossing``: its last token goes on into the next part.
    """
    ledger = parts.ledger
    values: tuple[list[Any], ...] = tuple(
        column.tolist()
        for column in (
            parts.starts,
            parts.ends,
            parts.first,
            parts.stop - parts.first,
            parts.scored,
            parts.logprob,
            parts.bits_per_unit,
            parts.entropy,
            parts.crossing,
        )
    )
    found = []
    for index, row in enumerate(zip(*values, strict=True)):
        known = (None if isinstance(value, float) and math.isnan(value) else value for value in row[2:])
        record = (index, ledger.encoded.extract(row[0], row[1]), row[0], row[1], *known)
        found.append(dict(zip(columns(ledger), record, strict=True)))
    return found


def words(shown: Shown) -> Table:
    """Those of the kind in sight, or of the smallest kind. Raises Problem where nothing is scored, or has no parts."""
    if (ledger := shown.ledger) is None:
        raise Problem("the text is not scored yet", NOT_YET)
    divisions = ledger.encoded.divisions
    kind = shown.found if shown.found in divisions else next(iter(divisions), "part")
    records, sums, origin = rows(Parts.of(ledger, kind)), tables.totals(ledger), shown.origin()
    content = {"provenance": origin.as_dict(), "kind": kind, "parts": records, "totals": sums}
    return Table(content, records, columns(ledger), [*origin.lines(), *tables.comments(sums)])
