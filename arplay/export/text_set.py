"""Several scored texts as one table: what each costs, and all of them together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from arplay.core.chain import Totals
from arplay.core.conventions import per
from arplay.export.tables import Record


def together(totals: Sequence[Totals]) -> Record:
    """The sums of several texts by one model, and what follows from them; None where nothing is scored.

    The perplexity is exp(Σ NLL / Σ tokens), so that each token counts the same and not each text.
    """
    nll, counted = math.fsum(each.nll_nats for each in totals), sum(each.scored for each in totals)
    unit, units = totals[0].unit, sum(each.units for each in totals)
    return {
        "tokens": sum(each.tokens for each in totals),
        "scored": counted,
        unit.many: units,
        "nll_nats": nll,
        "perplexity": per(nll, counted).perplexity,
        unit.key: per(nll, units).bits,
    }


def columns(totals: Sequence[Totals]) -> tuple[str, ...]:
    """Those of :func:`rows`."""
    return ("text", *together(totals))


def rows(texts: Sequence[tuple[str, Totals]]) -> list[Record]:
    """A record a text."""
    return [{"text": name, **together([totals])} for name, totals in texts]
