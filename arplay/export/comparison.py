"""Two scorings of one document as records: their totals over the same units, and where they part most."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from arplay.core.aligned import Aligned
from arplay.core.format import number
from arplay.core.signs import safe
from arplay.export.tables import Record

MOST = 20
"""So many spans are listed where both part most."""


def columns(found: Aligned) -> tuple[str, ...]:
    """Those of :func:`rows`."""
    unit = found.ledgers[0].unit.one
    both = ("tokens", "other_tokens", "nll_nats", "other_nll_nats", "difference_nats", "running_difference_nats")
    return ("index", "text", f"{unit}_start", f"{unit}_end", *both)


def rows(found: Aligned, spans: Iterable[int] | None = None) -> list[Record]:
    """Spans of the document (all, or these) with -log p by either, in nats; None where one is not scored.

    A span is whole tokens of both. Its difference is above 0 where the other model found it the harder one.
    """
    encoded = found.ledgers[found.own].encoded
    made = []
    for index in range(len(found)) if spans is None else spans:
        start, end = (int(edge) for edge in found.edges[index : index + 2])
        tokens = (int(first[index + 1] - first[index]) for first in found.first)
        values: tuple[Any, ...] = (*(nats[index] for nats in found.nats), found.difference[index], found.running[index])
        known = (None if math.isnan(value) else float(value) for value in values)
        record = (index, encoded.extract(start, end), start, end, *tokens, *known)
        made.append(dict(zip(columns(found), record, strict=True)))
    return made


def record(found: Aligned, model: Record) -> Record:
    """Totals over what both scored, the other's first token and tokens, and the spans where they part most."""
    one, other = found.ledgers
    nats, bits = found.totals, found.bits_per_unit
    return {
        "model": model,
        f"{one.unit.many}_compared": found.units,
        "nll_nats": nats[0],
        "other_nll_nats": nats[1],
        one.unit.key: bits[0],
        f"other_{one.unit.key}": bits[1],
        "tokens": len(one),
        "other_tokens": len(other),
        "other_first_token": other.first_token,
        "spans": len(found),
        "most": rows(found, found.most(MOST).tolist()),
    }


def lines(found: Aligned, name: str, other: str) -> list[str]:
    """The same for a terminal."""
    unit, bits = found.ledgers[0].unit, found.bits_per_unit
    told = [f"{found.units:,} {unit.many} that both score:"]
    for model, spent, ledger in zip((name, other), bits, found.ledgers, strict=True):
        told.append(f"{number(spent):>12} {unit.per}  {len(ledger):>9,} tokens  {safe(model)}")
    told += [
        "",
        "where they part most, in nats:",
        f"{'difference':>10}  {safe(name)[:12]:>12}  {safe(other)[:12]:>12}  span",
    ]
    for row in rows(found, found.most(10).tolist()):
        values = (number(row[key]) for key in ("difference_nats", "nll_nats", "other_nll_nats"))
        difference, mine, its = values
        told.append(f"{difference:>10}  {mine:>12}  {its:>12}  {safe(row['text'])}")
    return told
