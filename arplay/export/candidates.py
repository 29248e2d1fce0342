"""Compared continuations as records, for JSON, CSV and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np

from arplay.core.candidates import By, margin, ranks, shares
from arplay.core.errors import Problem
from arplay.core.format import number, percent_cell
from arplay.core.signs import safe
from arplay.engine.candidates import Rated
from arplay.export.charts import Shown, Table
from arplay.export.tables import Record


def columns(rated: Rated) -> tuple[str, ...]:
    """Those of :func:`rows`."""
    unit = rated.tokens.unit
    per = (unit.key, "joins", "rank_per_token", f"rank_per_{unit.one}")
    return ("rank", "index", "text", "tokens", "logprob", "logprob_per_token", "share", *per)


def rows(rated: Rated) -> list[Record]:
    """The most probable first: log p in nats, as a whole and a token; ``share``: p normalised over the set.

    ``joins``: typed as one, the tokenizer would cut the text and this candidate otherwise. ``rank`` is by log p as a
    whole; the last two are what it would be by log p a token, and a byte (pixel, sample).
    """
    found, totals = rated.candidates, [each.logprob for each in rated.candidates]
    by_token, by_unit = (ranks([each.by(what) for each in found]) for what in ("token", "unit"))
    share = shares(totals)
    order: Sequence[int] = np.argsort(-np.array(totals), kind="stable").tolist()
    return [
        dict(
            zip(
                columns(rated),
                (
                    rank,
                    index,
                    found[index].text,
                    len(found[index].ids),
                    totals[index],
                    found[index].per_token,
                    None if np.isnan(share[index]) else float(share[index]),
                    found[index].bits_per_unit,
                    found[index].joins,
                    by_token[index],
                    by_unit[index],
                ),
                strict=True,
            )
        )
        for rank, index in enumerate(order, start=1)
    ]


def record(rated: Rated) -> Record:
    """The rows, each with its tokens; ``margin_nats``: how far the best is before the second."""
    found = rows(rated)
    for row in found:
        candidate = rated.candidates[row["index"]]
        pairs = zip(candidate.ids.tolist(), candidate.logprobs.tolist(), strict=True)
        row["each"] = [{"id": id, **rated.tokens.record(id), "logprob": logprob} for id, logprob in pairs]
    return {
        "candidates": found,
        "margin_nats": margin([each.logprob for each in rated.candidates]),
        "first_token": rated.first_token,
        "context": rated.context,
    }


def ahead(rated: Rated, by: By) -> str:
    """How far the best is before the second, in words; "" where there are not two that can come."""
    far = margin([each.by(by) for each in rated.candidates])
    if far is None:
        return ""
    a = {"sum": "", "token": " a token", "unit": f" a {rated.tokens.unit.one}"}[by]
    return f"the best is {number(far)} nats{a} ahead of the second"


def candidates(shown: Shown) -> Table:
    """Raises Problem where none were compared at this place."""
    rated: Rated | None = shown.found
    if rated is None:
        raise Problem("no candidates were compared here", "compare them at the caret, or run arplay score --candidates")
    origin = shown.origin()
    far = [ahead(rated, by) for by in get_args(By)]
    told = [words for words in far if words]
    content = {"provenance": origin.as_dict(), "behind": shown.document.before(rated.place)} | record(rated)
    return Table(content, rows(rated), columns(rated), [*origin.lines(), *told])


def lines(rated: Rated) -> list[str]:
    """The same for a terminal."""
    unit = rated.tokens.unit
    found = [f"{'rank':>4}  {'log p':>10}  {'per token':>10}  {'share':>9}  {unit.per:>18}  candidate"]
    for row in rows(rated):
        mean, bits = (number(row[name]) for name in ("logprob_per_token", unit.key))
        share = "—" if row["share"] is None else percent_cell(row["share"])
        text = safe(row["text"]) + (" (cut otherwise than if typed as one)" if row["joins"] else "")
        found.append(f"{row['rank']:>4}  {number(row['logprob']):>10}  {mean:>10}  {share:>9}  {bits:>18}  {text}")
    far = ahead(rated, "sum")
    return [*found, far] if far else found
