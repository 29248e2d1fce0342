"""What the snapshots of a run said about one text, made ready once, so that a slider only has to look it up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Best, Ledger
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids
from arplay.core.windows import Windows
from arplay.engine.replay import Replayed
from arplay.gui.widgets.bars.bars import Axis, Bars, Names, Rest, Row
from arplay.gui.widgets.labels import label

NAMES = Names("newest snapshot", "this snapshot", "newest", "this")


class Snapshot:
    """One :class:`Replayed`, and what follows from it."""

    def __init__(self, answer: Replayed) -> None:
        self.answer = answer

    @property
    def step(self) -> int:
        return self.answer.step

    @cached_property
    def distribution(self) -> Distribution | None:
        """p(next | prefix) at the place that was asked for; None where the logits define none."""
        try:
            return Distribution.from_logits(self.answer.logits)
        except Problem:
            return None  # the chart says so

    @cached_property
    def _sorted(self) -> NDArray[np.float64]:
        assert self.distribution is not None
        return np.sort(self.distribution.logprobs)

    def rank(self, id: int) -> int | None:
        """As :meth:`Distribution.rank`, without a pass over the vocabulary for every token; there is a distribution."""
        assert self.distribution is not None
        mine = self.distribution.logprobs[id]
        first = int(np.searchsorted(self._sorted, mine, "left"))
        stop = int(np.searchsorted(self._sorted, mine, "right"))
        return 1 + len(self._sorted) - stop if stop - first == 1 else self.distribution.rank(id)  # equals go by id

    @cached_property
    def best(self) -> float:
        """The log-prob of the most probable token; minus infinity where there is no distribution."""
        return float(self.distribution.logprobs.max()) if self.distribution is not None else -math.inf

    @cached_property
    def ledger(self) -> Ledger:
        """The text's tokens with their log-probs; rank, entropy and alternatives are not known."""
        answer, lead = self.answer, self.answer.lead
        logprob, n = answer.logprob[lead:], len(answer.encoded)
        unscored = bool(n) and math.isnan(float(logprob[0]))
        return Ledger(
            encoded=answer.encoded,
            unit=answer.vocabulary.unit,
            logprob=logprob,
            rank=np.zeros(n, np.int32),
            entropy=np.full(n, np.nan, np.float32),
            best=Best.nothing(n),
            before=lead,
            done=n,
            first_token="tokenizer" if lead else "unscored" if unscored else "model",
            windows=Windows.half(max(2, lead + n)),
        )

    @cached_property
    def lead(self) -> tuple[str, ...]:
        return tuple(self.answer.vocabulary.label(int(id)) for id in self.answer.ids[: self.answer.lead])

    @property
    def mean_nats(self) -> float:
        """The loss on this text: its NLL in nats for each scored token; NaN where none is scored."""
        totals = self.ledger.totals
        return totals.nll_nats / totals.scored if totals.scored else math.nan


def order_of(this: Distribution, newest: Distribution, n: int, by_this: bool) -> Ids:
    """The n tokens that get a row: the most probable of the newest snapshot, or of this one."""
    return (this if by_this else newest).top(n)


def bars_of_snapshot(this: Snapshot, newest: Snapshot, ids: Ids) -> Bars | None:
    """Rows of ``ids`` in this order: outline p of the newest snapshot, fill p (and rank) of this one, and the rest.

    None where one of the two has no distribution.
    """
    now, last, target = this.distribution, newest.distribution, this.answer.target
    if now is None or last is None:
        return None

    def row(id: int) -> Row:
        vocabulary = this.answer.vocabulary
        return Row(
            id,
            label(vocabulary.label(id)),
            vocabulary.is_special(id),
            this.rank(id),
            last.logprob(id),
            float(now.probs[id]),
            False,
            id == target,
        )

    rows = tuple(row(int(id)) for id in ids)
    pinned = row(target) if target is not None and target not in ids else None
    shown = ids if pinned is None else np.append(ids, pinned.id)
    count, mass = last.rest(shown)
    return Bars(rows, pinned, Rest(count, mass, now.rest(shown)[1]), NAMES.fill, NAMES, now.size)


def steady_axis(snapshots: Sequence[Snapshot], ids: Ids, log: bool) -> Axis:
    """One axis for all snapshots, so that a bar that grows is one whose probability grows."""
    known = [(snapshot.distribution, snapshot.best) for snapshot in snapshots]
    found: list[NDArray[np.float64]] = [np.append(d.logprobs[ids], best) for d, best in known if d is not None]
    probs = np.exp(np.concatenate(found)) if found else np.zeros(0)
    return Axis.holding(probs[probs > 0].tolist(), log)


def prefix_words(snapshot: Snapshot, width: int = 40) -> str:
    """What the distribution is of, as a formula whose prefix is cut from the left."""
    answer, lead = snapshot.answer, " ".join(map(label, snapshot.lead[: snapshot.answer.index]))
    index = answer.index - answer.lead
    if index > 0:
        return f"p(next | {answer.encoded.tail(index, width)})"
    return f"p(next | {lead})" if lead else "p(first token)"
