"""The parts of a scored document (words, lines, rows) as records, one a part."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.core.parts import Floats, Parts
from arplay.core.word_edges import corrected
from arplay.engine.word_edges import Edged
from arplay.export import tables
from arplay.export.charts import NOT_YET, Shown, Table
from arplay.export.tables import Record

CORRECTED = ("boundary_logprob", "corrected_logprob")


def columns(ledger: Ledger, corrects: bool = False) -> tuple[str, ...]:
    """Those of :func:`rows`; ``corrects``: with edges."""
    unit = ledger.unit
    where = (f"{unit.one}_start", f"{unit.one}_end")
    known = ("index", "text", *where, "first_token", "tokens", "scored", "logprob", unit.key, "entropy", "crossing")
    return (*known, *(CORRECTED if corrects else ()))


def rows(parts: Parts, edges: Floats | None = None) -> list[Record]:
    """What each part costs: log p and the entropies of its tokens in nats, bits per unit; None where nothing is scored.

    ``crossing``: its last token goes on into the next part. With ``edges`` (:mod:`arplay.core.word_edges`) of words
    also log P(a word begins) before each, and its log p corrected by them.
    """
    ledger = parts.ledger
    made = (
        parts.starts,
        parts.ends,
        parts.first,
        parts.tokens,
        parts.scored,
        parts.logprob,
        parts.bits_per_unit,
        parts.entropy,
        parts.crossing,
        *(() if edges is None else (edges[:-1], corrected(parts, edges))),
    )
    values: tuple[list[Any], ...] = tuple(column.tolist() for column in made)
    names, found = columns(ledger, edges is not None), []
    for index, row in enumerate(zip(*values, strict=True)):
        known = (None if isinstance(value, float) and math.isnan(value) else value for value in row[2:])
        record = (index, ledger.encoded.extract(row[0], row[1]), row[0], row[1], *known)
        found.append(dict(zip(names, record, strict=True)))
    return found


class Divided(NamedTuple):
    """What is in sight of the parts of a document: of which kind, and what corrects words."""

    kind: str
    edged: Edged | None = None


def words(shown: Shown) -> Table:
    """Those of the kind in sight, or of the smallest kind. Raises Problem where nothing is scored, or has no parts."""
    if (ledger := shown.ledger) is None:
        raise Problem("the text is not scored yet", NOT_YET)
    divisions = ledger.encoded.divisions
    found: Divided = shown.found or Divided(next(iter(divisions), "part"))
    edges = found.edged.edges if found.edged is not None else None
    records, sums, origin = rows(Parts.of(ledger, found.kind), edges), tables.totals(ledger), shown.origin()
    content = {"provenance": origin.as_dict(), "kind": found.kind, "parts": records, "totals": sums}
    return Table(content, records, columns(ledger, edges is not None), [*origin.lines(), *tables.comments(sums)])
