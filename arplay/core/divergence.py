"""What changed where two models of the same tokens read the same chain: KL, total variation, ranks, at every place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from arplay.core.aligned import LISTED, farthest
from arplay.core.distribution import Floats, frozen, log_softmax
from arplay.core.modalities.base import Ids

Ranks = NDArray[np.int32]
By = Literal["kl", "tv", "logprob", "rank"]


@dataclass(frozen=True, eq=False)
class Rows:
    """n places. ``kl``: KL(p || q) in nats; ``tv``: total variation ½ Σ |p − q|, from 0 to 1; both (n,).

    ``logprob``, ``rank`` and ``best``, each (2, n): log p of the actual token in nats, its rank (from 1, ties by id)
    and the most probable id, by the first model (p) and by the second (q).
    """

    kl: Floats
    tv: Floats
    logprob: Floats
    rank: Ranks
    best: Ranks

    @classmethod
    def nothing(cls, n: int) -> Rows:
        """None of n places is known: NaN, rank 0, id -1. May be written."""
        nan = np.full((4, n), np.nan)
        return cls(nan[0], nan[1], nan[2:], np.zeros((2, n), np.int32), np.full((2, n), -1, np.int32))

    def put(self, at: int, rows: Rows) -> None:
        """Those of places from ``at`` on."""
        for mine, its in zip(self._columns, rows._columns, strict=True):
            mine[..., at : at + len(rows.kl)] = its

    def frozen(self) -> Rows:
        return Rows(*(frozen(column) for column in self._columns))

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.kl, self.tv, self.logprob, self.rank, self.best

    def __len__(self) -> int:
        return len(self.kl)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which places both have read, (n,)."""
        return frozen(~np.isnan(self.kl))

    @cached_property
    def change(self) -> Floats:
        """log q − log p of the actual token, in nats, (n,): below 0 the second finds it less probable; NaN where
        neither lets it come."""
        with np.errstate(invalid="ignore"):
            return frozen(self.logprob[1] - self.logprob[0])

    @cached_property
    def other_best(self) -> NDArray[np.bool_]:
        """Where the most probable token is another one, (n,)."""
        return frozen(self.known & (self.best[0] != self.best[1]))

    def add_up(self) -> None:
        """Compute all that is computed once, in the thread that has the time."""
        _ = self.change, self.other_best, self.listed

    @cached_property
    def listed(self) -> dict[By, Ids]:
        """The places that a table lists, by what it is sorted by."""
        return {by: frozen(self.most(by, LISTED)) for by in get_args(By)}

    def most(self, by: By, n: int) -> Ids:
        """The n places where that is largest (of ``logprob`` and ``rank``: in either direction), ties by place."""
        if by == "rank":
            values = np.abs(np.log(np.maximum(self.rank[1], 1) / np.maximum(self.rank[0], 1)))
        else:
            values = {"kl": self.kl, "tv": self.tv, "logprob": np.abs(self.change)}[by]
        known = np.where(self.known & ~np.isnan(values), values, -1.0)
        return farthest(known, min(n, int(self.known.sum())))

    def totals(self) -> dict[str, float | int | None]:
        """Over all known places: their number, means and extremes of ``kl`` and ``tv``, how often the best token and
        the actual token's rank are others, and what the second pays more for all of them, in nats (None where both
        pay infinitely much)."""
        known = self.known
        count = int(known.sum())
        if not count:
            return {"places": 0, "kl_mean_nats": None, "kl_most_nats": None, "tv_mean": None, "tv_most": None,
                    "other_best": 0, "other_rank": 0, "nll_change_nats": None}  # fmt: skip
        paid, pays = (0.0 - math.fsum(each[known].tolist()) for each in self.logprob)
        return {
            "places": count,
            "kl_mean_nats": math.fsum(self.kl[known].tolist()) / count,
            "kl_most_nats": float(self.kl[known].max()),
            "tv_mean": math.fsum(self.tv[known].tolist()) / count,
            "tv_most": float(self.tv[known].max()),
            "other_best": int(self.other_best.sum()),
            "other_rank": int(np.count_nonzero(self.rank[0][known] != self.rank[1][known])),
            "nll_change_nats": None if math.isinf(paid) and math.isinf(pays) else pays - paid,
        }


def rows(p: NDArray[np.floating], q: NDArray[np.floating], ids: Sequence[int] | Ids) -> Rows:
    """Of n places: logits of either model, (n, V), and the actual tokens, (n,).

    KL(p || q) = Σ p (log p − log q) (Kullback and Leibler 1951), in float64 over the whole vocabulary; what rounding
    leaves below 0 is 0. With p = (½, ½) and q = (¾, ¼): ½ ln ⅔ + ½ ln 2 = 0.1438, and ½ (¼ + ¼) = 0.25.

    >>> found = rows(np.log([[0.5, 0.5]]), np.log([[0.75, 0.25]]), [1])
    >>> round(float(found.kl[0]), 4), round(float(found.tv[0]), 4), found.rank[:, 0].tolist(), found.best[:, 0].tolist()
    (0.1438, 0.25, [2, 2], [0, 0])
    """
    chosen = np.asarray(ids, np.int64)
    one, other = log_softmax(p), log_softmax(q)
    first, second = np.exp(one), np.exp(other)
    with np.errstate(invalid="ignore"):
        terms = first * (one - other)
    terms[first == 0.0] = 0.0  # 0 log 0 = 0
    kl = np.maximum(terms.sum(axis=1), 0.0)
    tv = 0.5 * np.abs(first - second).sum(axis=1)
    at = np.arange(len(chosen))
    logprob = np.stack([one[at, chosen], other[at, chosen]])
    rank = np.stack([_ranks(p, chosen), _ranks(q, chosen)])
    best = np.stack([p.argmax(axis=1), q.argmax(axis=1)]).astype(np.int32)
    return Rows(kl, tv, logprob, rank, best)


def _ranks(logits: NDArray[np.floating], chosen: Ids) -> Ranks:
    """Places of the chosen ids by their logits, from 1, equal ones by id."""
    mine = np.take_along_axis(logits, chosen[:, None], axis=1)
    before = (logits > mine) | ((logits == mine) & (np.arange(logits.shape[1]) < chosen[:, None]))
    ranks: Ranks = (1 + before.sum(axis=1)).astype(np.int32)
    return ranks
