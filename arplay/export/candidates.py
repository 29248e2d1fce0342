"""Compared continuations as records, for JSON, CSV and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arplay.core.candidates import margin, shares
from arplay.core.format import number, percent_cell
from arplay.core.signs import safe
from arplay.engine.candidates import Rated
from arplay.export.tables import Record


def columns(rated: Rated) -> tuple[str, ...]:
    """Those of :func:`rows`."""
    per = (rated.tokens.unit.key, "joins")
    return ("rank", "index", "text", "tokens", "logprob", "logprob_per_token", "share", *per)


def rows(rated: Rated) -> list[Record]:
    """The most probable first: log p in nats, as a whole and a token; ``share``: p normalised over the set.

    ``joins``: typed as one, the tokenizer would cut the text and this candidate otherwise.
    """
    found, totals = rated.candidates, [each.logprob for each in rated.candidates]
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


def lines(rated: Rated) -> list[str]:
    """The same for a terminal."""
    unit = rated.tokens.unit
    found = [f"{'rank':>4}  {'log p':>10}  {'per token':>10}  {'share':>9}  {unit.per:>18}  candidate"]
    for row in rows(rated):
        mean, bits = ("—" if row[name] is None else number(row[name]) for name in ("logprob_per_token", unit.key))
        share = "—" if row["share"] is None else percent_cell(row["share"])
        text = safe(row["text"]) + (" (cut otherwise than if typed as one)" if row["joins"] else "")
        found.append(f"{row['rank']:>4}  {number(row['logprob']):>10}  {mean:>10}  {share:>9}  {bits:>18}  {text}")
    ahead = margin([each.logprob for each in rated.candidates])
    return found if ahead is None else [*found, f"the best is {number(ahead)} nats ahead of the second"]
