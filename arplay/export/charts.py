"""The data behind a chart as the text of a CSV or JSON file; the same for the command line and the window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from arplay.core.chain import Ledger
from arplay.core.decoding.pipeline import Decoded
from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet
from arplay.core.position import Answer
from arplay.core.timings import Timings
from arplay.export import tables
from arplay.export.provenance import Provenance
from arplay.export.writers import to_csv, to_json

Kind = Literal["csv", "json"]


def bars(
    kind: Kind,
    answer: Answer,
    decoded: Decoded,
    vocabulary: TokenSet,
    before: Mapping[str, Any],
    top: int,
    origin: Provenance,
) -> str:
    """The next-token chart; ``before`` is what the document shows before it. Raises Problem where there is none."""
    if answer.distribution is None:
        raise Problem("there is no distribution here", "type something, or choose BOS or EOS")
    record = tables.bars(answer, answer.distribution, decoded, vocabulary, before, top)
    if kind == "json":
        return to_json({"provenance": origin.as_dict()} | record)
    rest = record["rest"]
    comments = [*origin.lines(), f"rest: {rest['count']} other tokens with {rest['prob']} together"]
    return to_csv(record["top"], tables.bar_columns(vocabulary), comments)


def timings(kind: Kind, measured: Timings, origin: Provenance) -> str:
    """What answers took with the cache and without it, a record an answer."""
    rows = tables.timing_rows(measured)
    if kind == "json":
        return to_json({"provenance": origin.as_dict(), "timings": rows})
    return to_csv(rows, tables.TIMING_COLUMNS, origin.lines())


def tokens(
    chart: Literal["heatmap", "ledger"], kind: Kind, ledger: Ledger, vocabulary: TokenSet, origin: Provenance
) -> str:
    """The heatmap or the ledger, a record a token, with the totals."""
    rows = (tables.heat_rows if chart == "heatmap" else tables.ledger_rows)(ledger, vocabulary)
    sums = tables.totals(ledger)
    if kind == "json":
        return to_json({"provenance": origin.as_dict(), "tokens": rows, "totals": sums})
    comments = [*origin.lines(), *tables.comments(sums)]
    if chart == "heatmap":
        columns = tables.heat_columns(ledger, vocabulary)
        return to_csv([tables.flat(row, columns) for row in rows], columns, comments)
    return to_csv(rows, tables.ledger_columns(ledger, vocabulary), comments)
