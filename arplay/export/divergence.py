"""How far two models of the same tokens are apart, as records: totals, and a record a token."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from arplay.core.format import number, part_percent, significant
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import safe
from arplay.engine.divergence import Diverged
from arplay.export import provenance
from arplay.export.tables import Record

COLUMNS = (
    "index", "id", "text", "kl_nats", "total_variation", "logprob", "other_logprob", "change_nats", "rank",
    "other_rank", "best_id", "other_best_id", "best", "other_best",
)  # fmt: skip


def rows(found: Diverged, tokens: TokenSet, places: Iterable[int] | None = None) -> list[Record]:
    """A record a token (all, or those at these places); None where the models gave no distribution."""
    at, made = found.rows, []
    for index in range(len(at)) if places is None else places:
        best = [int(id) for id in at.best[:, index]]
        known = bool(at.known[index])
        values: tuple[Any, ...] = (
            index, int(found.encoded.ids[index]), found.encoded.said(index, tokens),
            *(_finite(float(column[index])) for column in (at.kl, at.tv, at.logprob[0], at.logprob[1], at.change)),
            *(int(rank) if known else None for rank in at.rank[:, index]),
            *(id if known else None for id in best), *(tokens.label(id) if known else None for id in best),
        )  # fmt: skip
        made.append(dict(zip(COLUMNS, values, strict=True)))
    return made


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value


def record(found: Diverged, tokens: TokenSet) -> Record:
    """The other model, totals over the places that both read, and every place."""
    return {"model": provenance.model(found.other), **found.rows.totals(), "tokens": rows(found, tokens)}


def summary(found: Diverged) -> str:
    """The totals in a sentence."""
    totals = found.rows.totals()
    places = totals["places"]
    if not places:
        return "No place is known to both models."
    mean, most, tv = (totals[key] for key in ("kl_mean_nats", "kl_most_nats", "tv_mean"))
    assert mean is not None and most is not None and tv is not None
    ranks, best, more = totals["other_rank"], totals["other_best"], totals["nll_change_nats"]
    assert ranks is not None and best is not None
    part, sign = part_percent(best / places, 1), "" if more is None or more < 0 else "+"
    return (
        f"KL {significant(mean, 3)} nats a token on the average, {significant(most, 3)} at most; total variation "
        f"{significant(tv, 3)}; another best token at {best:,} of {places:,} places ({part}), "
        f"another rank of the actual one at {ranks:,}; NLL {sign}{number(more, 3)} nats"
    )


def lines(found: Diverged, tokens: TokenSet) -> list[str]:
    """The same for a terminal, with the places where both are farthest apart."""
    told = [
        f"{safe(found.other.name)} {found.other.dtype} against {safe(found.info.name)} {found.info.dtype}:",
        summary(found), "", f"{'KL, nats':>10}  {'Δ log p':>9}  {'rank':>13}  token",
    ]  # fmt: skip
    for row in rows(found, tokens, found.rows.most("kl", 10).tolist()):
        ranks = f"{row['rank']:,} → {row['other_rank']:,}"
        changed = number(row["change_nats"], 4)
        told.append(f"{significant(row['kl_nats'], 3):>10}  {changed:>9}  {ranks:>13}  {safe(row['text'])}")
    return told
