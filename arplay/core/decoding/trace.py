"""What one decoding stage did: tokens and mass removed, entropy before and after, how far from the raw distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from arplay.core.decoding.candidates import Candidates, Floats
from arplay.core.decoding.stage import Stage, Values
from arplay.core.distribution import Distribution


@dataclass(frozen=True, eq=False)
class Trace:
    """A stage with its numbers, the candidates that it was given and those that it left; ``own``: the model's p.

    What costs a pass over the vocabulary is computed when it is asked for.
    """

    stage: Stage
    values: Values
    before: Candidates
    after: Candidates
    own: Distribution

    @property
    def label(self) -> str:
        return self.stage.label(self.values)

    @property
    def kept(self) -> int:
        """How many tokens it left, those that nobody knows included where it is known how many they are."""
        return len(self.after) + (self.after.unknown[0] or 0)

    @property
    def gone(self) -> int:
        """How many tokens it removed."""
        return len(self.before) + (self.before.unknown[0] or 0) - self.kept

    @cached_property
    def removed(self) -> float:
        """The probability of what it removed, of what it was given.

        It is summed itself: one minus the rest would lose what is below 1e-16.
        """
        before, after = self.before, self.after
        lost = before.unknown[1] if before.is_partial and not after.is_partial else 0.0
        if len(after) < len(before):
            gone = before.weights.copy()
            gone[after.ids if len(before) == before.size else np.searchsorted(before.ids, after.ids)] = 0.0
            lost += float(np.sum(gone))
        return lost and lost / before.total  # a total costs an exp for every token

    @cached_property
    def entropies(self) -> tuple[float, float] | None:
        """Before and after, in nats; None where not every token's probability is known."""
        if self.before.is_partial:
            return None
        return self.before.entropy, self.after.entropy

    @cached_property
    def divergence(self) -> float | None:
        """KL(what it left || the model's own p) = sum q log(q / p), in nats (Kullback and Leibler 1951).

        None where not every token's probability is known.
        """
        if self.after.is_partial:
            return None
        own = self.own.logprobs
        if self.own.ids is not None:
            place = {id: at for at, id in enumerate(self.own.ids.tolist())}
            own = own[[place[id] for id in self.after.ids.tolist()]]
        else:
            own = own[self.after.ids]
        weights = self.after.weights / self.after.total
        return max(0.0, float(np.sum(weights * (self.after.logprobs - own))))

    def falling(self, most: int) -> tuple[Floats, Floats]:
        """p of the ``most`` most probable tokens that it was given, falling, and of the same tokens in what it left."""
        best, after = self.before.first(most), self.after
        order = np.argsort(-best.scores, kind="stable")
        ids, left = best.ids[order], np.zeros(len(order))
        stayed = np.isin(ids, after.ids)
        places = np.searchsorted(after.ids, ids[stayed])
        left[stayed] = np.exp(after.scores[places]) / after.total
        return np.exp(best.scores[order]) / self.before.total, left

    def lost(self, id: int) -> Lost | None:
        """What became of a token here; None where it stayed, or was not there any more."""
        place = _place(self.before, id)
        if place is None or _place(self.after, id) is not None:
            return None
        scores, before = self.before.scores, self.before
        mine = scores[place]
        rank = 1 + int(np.count_nonzero((scores > mine) | ((scores == mine) & (before.ids < id))))
        kept = before.logprobs[before.places(self.after.ids)]
        least = float(np.exp(np.min(kept))) if len(kept) else 0.0
        return Lost(self.label, float(np.exp(before.logprobs[place])), rank, least, len(kept))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: probabilities, and entropies in nats."""
        before, after = self.entropies or (None, None)
        return {
            "stage": self.stage.name,
            **{field.name: value for field, value in zip(self.stage.fields, self.values, strict=True)},
            "kept": self.kept,
            "gone": self.gone,
            "removed": self.removed,
            "entropy_before": before,
            "entropy_after": after,
            "divergence": self.divergence,
        }


@dataclass(frozen=True, slots=True)
class Lost:
    """A token at the stage that removed it: its ``prob`` and ``rank`` among what the stage was given.

    ``least``: the smallest probability, of what the stage was given, that one of the ``kept`` tokens had.
    """

    label: str
    prob: float
    rank: int
    least: float
    kept: int


def _place(candidates: Candidates, id: int) -> int | None:
    places = candidates.places(np.array([id], np.int64))
    return int(places[0]) if len(places) else None


def apart(one: Candidates, other: Candidates) -> float:
    """Half the sum of |p - q| over all tokens: the mass that two decodings place differently (total variation).

    >>> apart(Candidates(2, np.log([0.5, 0.5])), Candidates(2, np.log([0.75, 0.25])))
    0.25
    """
    p, q = (np.zeros(max(one.size, other.size)) for _ in range(2))
    for probs, candidates in ((p, one), (q, other)):
        probs[candidates.ids] = candidates.weights / candidates.total
    return float(np.sum(np.abs(p - q))) / 2
