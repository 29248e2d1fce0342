"""Beam search, one expansion at a time, as transformers' ``generate`` does it; and exhaustive search beside it.

A beam is a chain of tokens behind one prefix. Each expansion looks at every token behind every beam, keeps the best
ones and tells what became of the others. The search runs no model: it is given log-probs and says what to read next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem

Floats = NDArray[np.float64]
Stop: TypeAlias = Literal["soon", "full", "never"]
Fate: TypeAlias = Literal["goes on", "finished", "pruned", "too late"]
MOST_BEAMS = 256
MOST_TRIED = 16
"""Beams that are tried for how many find the best chain of all."""


@dataclass(frozen=True, slots=True)
class Rules:
    """``width``: beams that go on; ``most``: new tokens at most; ``eos``: tokens that finish a chain.

    ``length_penalty``: a finished chain of n tokens scores (sum of log p) / n^penalty: above 0 favours long ones.
    ``stop``: "soon": when the best running beam, at its present length, is worse than the worst of ``width`` finished
    ones (False in transformers); "full": when there are ``width`` finished ones (True there); "never": when no running
    one could still become better, however long. ``groups`` search one after the other, and each token that a former
    group took at this step costs ``diversity`` nats (Vijayakumar et al. 2018). Raises Problem.
    """

    width: int
    most: int
    eos: tuple[int, ...] = ()
    length_penalty: float = 1.0
    stop: Stop = "soon"
    groups: int = 1
    diversity: float = 0.0

    def __post_init__(self) -> None:
        if not (1 <= self.width <= MOST_BEAMS and self.most >= 1):
            raise Problem(
                f"{self.width} beams of {self.most} tokens", f"give 1 to {MOST_BEAMS} beams, and a token or more"
            )
        if not (1 <= self.groups <= self.width and self.width % self.groups == 0):
            raise Problem(
                f"{self.width} beams are no {self.groups} equal groups", "give a number that divides the beams"
            )
        if not (np.isfinite(self.length_penalty) and 0 <= self.diversity < np.inf):
            raise Problem("the length penalty or the diversity is no number that can be used", "give finite ones")


@dataclass(frozen=True, slots=True)
class Beam:
    """A chain that goes on: the ids of its new tokens, the sum of their log-probs, and the nats that it ``paid`` to
    diversity, by which it is compared as less than that."""

    ids: tuple[int, ...]
    logprob: float
    group: int = 0
    paid: float = 0.0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A finished chain; ``score``: its log-prob, less what it ``paid`` to diversity, divided by its length to the
    power of the penalty."""

    ids: tuple[int, ...]
    logprob: float
    score: float
    group: int = 0
    paid: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One token behind one beam, of the best that an expansion looked at.

    ``parent``: the beam's place among those that were expanded; ``rank``: from 1, by ``total``, the sum of log-probs
    with this token, less the ``paid`` nats that diversity took from the chain. ``fate``: "goes on"; "finished";
    "pruned": others were better; "too late": it would finish a chain, but only the best ``width`` candidates may, or
    nothing more is taken.
    """

    parent: int
    id: int
    total: float
    rank: int
    fate: Fate
    paid: float = 0.0


@dataclass(frozen=True, slots=True)
class Expansion:
    """What one step did: the candidates it looked at, and the beams after it.

    ``parents`` and ``ids``: for a batch of the beams: beam i goes on from what was beam ``parents[i]`` with ``ids[i]``.
    """

    step: int
    candidates: tuple[Candidate, ...]
    beams: tuple[Beam, ...]
    parents: tuple[int, ...]
    ids: tuple[int, ...]


class BeamSearch:
    """The running beams, at first one without a token, and the finished ones, best first.

    With the two-token model p(A) = 0.6, p(EOS) = 0.4 everywhere, the chain "EOS" has log 0.4, and "A EOS" log 0.24:

    >>> search = BeamSearch(Rules(2, 2, (1,), 0.0))
    >>> while not search.done:
    ...     done = search.expand(np.log([[0.6, 0.4]] * len(search.beams)))
    >>> [(each.ids, round(float(np.exp(each.logprob)), 2)) for each in search.finished]
    [((1,), 0.4), ((0, 0), 0.36)]
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._groups = [_Group(rules, number) for number in range(rules.groups)]
        self.steps = 0

    @property
    def beams(self) -> tuple[Beam, ...]:
        """Those that go on, group by group."""
        return tuple(beam for group in self._groups for beam in group.beams)

    @property
    def finished(self) -> tuple[Hypothesis, ...]:
        """At most ``width``, the best score first."""
        found = [each for group in self._groups for each in group.finished]
        return tuple(sorted(found, key=lambda each: -each.score))

    @property
    def done(self) -> bool:
        return all(group.done for group in self._groups)

    def expand(self, logprobs: Floats) -> Expansion:
        """One step; ``logprobs`` of the next token behind each of :attr:`beams`, in nats, shape (B, V)."""
        if len(logprobs) != len(self.beams):
            raise ValueError(f"{len(logprobs)} rows for {len(self.beams)} beams")
        self.steps += 1
        taken = np.zeros(logprobs.shape[1])
        candidates: list[Candidate] = []
        parents: list[int] = []
        first = 0
        for group in self._groups:
            count = len(group.beams)
            rows, price = logprobs[first : first + count], self.rules.diversity * taken
            looked, going = group.expand(rows, price, first) if count else ((), ())
            for beam in group.beams:
                taken[beam.ids[-1]] += 1
            candidates += looked
            parents += going
            first += count
        beams = self.beams
        return Expansion(self.steps, tuple(candidates), beams, tuple(parents), tuple(beam.ids[-1] for beam in beams))


class _Group:
    """Beams that search by themselves."""

    def __init__(self, rules: Rules, number: int) -> None:
        self.rules, self.number, self.width = rules, number, rules.width // rules.groups
        self.beams: tuple[Beam, ...] = (Beam((), 0.0, number),)
        self.finished: list[Hypothesis] = []
        self.length, self.done, self._open = 0, False, True

    def expand(self, logprobs: Floats, price: Floats, first: int) -> tuple[list[Candidate], list[int]]:
        """The candidates, and the parents of the beams that go on, counted from ``first``; ``price`` of each token."""
        size, rules = logprobs.shape[1], self.rules
        so_far = np.array([beam.logprob - beam.paid for beam in self.beams])
        totals = (so_far[:, None] + logprobs - price).ravel()
        alive = int(np.count_nonzero(totals > -np.inf))
        best = _largest(totals, min(max(2, 1 + len(rules.eos)) * self.width, alive))
        self.length += 1
        looked: list[Candidate] = []
        going: list[Beam] = []
        parents: list[int] = []
        for rank, flat in enumerate(best.tolist(), 1):
            parent, id = divmod(flat, size)
            former, total = self.beams[parent], float(totals[flat])
            logprob, paid = former.logprob + float(logprobs[parent, id]), former.paid + float(price[id])
            chain = Beam((*former.ids, id), logprob, self.number, paid)
            fate: Fate = "pruned"
            if id in rules.eos or self.length == rules.most:
                fate = "finished" if rank <= self.width and self._takes(chain, total) else "too late"
            elif len(going) < self.width:
                fate = "goes on"
                going.append(chain)
                parents.append(first + parent)
            looked.append(Candidate(first + parent, id, total, rank, fate, paid))
        self.beams = tuple(going)
        self._look_at_the_end()
        return looked, parents if self.beams else []

    def _takes(self, chain: Beam, total: float) -> bool:
        """Whether a finished chain is among the best."""
        if not self._open or (self.rules.stop == "full" and len(self.finished) == self.width):
            return False
        score = total / len(chain.ids) ** self.rules.length_penalty
        made = Hypothesis(chain.ids, chain.logprob, score, self.number, chain.paid)
        self.finished = sorted([*self.finished, made], key=lambda each: -each.score)[: self.width]
        return any(each is made for each in self.finished)

    def _look_at_the_end(self) -> None:
        rules, full = self.rules, len(self.finished) == self.width
        if self.beams and full:
            ever = rules.stop == "never" and rules.length_penalty > 0
            length = rules.most if ever else self.length
            best = self.beams[0]
            possible = (best.logprob - best.paid) / length**rules.length_penalty
            self._open &= possible > self.finished[-1].score
        self.done = not self.beams or not self._open or (rules.stop == "full" and full)
        if self.done:
            self.beams = ()


def _largest(values: Floats, count: int) -> NDArray[np.int64]:
    """Places of the ``count`` largest, falling, equals in their order."""
    if not count:
        return np.zeros(0, np.int64)
    least = np.partition(values, len(values) - count)[len(values) - count]
    near = np.flatnonzero(values >= least)
    return near[np.lexsort((near, -values[near]))][:count]


def exhaustive(
    next_of: Callable[[Sequence[int]], Floats], rules: Rules, most_chains: int = 200_000
) -> Iterator[Hypothesis]:
    """Every finished chain with a probability above 0, in no order: of ``most`` tokens, or ended before.

    ``next_of`` gives log p of the next token behind new tokens, in nats, shape (V,). Raises Problem for more chains
    than ``most_chains``.

    >>> every = exhaustive(lambda ids: np.log([0.6, 0.4]), Rules(1, 2, (1,), 0.0))
    >>> sorted((each.ids, round(float(np.exp(each.logprob)), 2)) for each in every)
    [((0, 0), 0.36), ((0, 1), 0.24), ((1,), 0.4)]
    """
    waiting: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    looked = 0
    while waiting:
        ids, logprob = waiting.pop()
        for id, own in enumerate(next_of(ids).tolist()):
            if own == -np.inf:
                continue
            looked += 1
            if looked > most_chains:
                raise Problem(f"there are more than {most_chains:,} chains", "search fewer tokens, or use beams")
            chain, total = (*ids, id), logprob + own
            if id in rules.eos or len(chain) == rules.most:
                yield Hypothesis(chain, total, total / len(chain) ** rules.length_penalty)
            else:
                waiting.append((chain, total))


@dataclass(frozen=True, slots=True)
class Whole:
    """Every chain there is, ``chains`` of them, of which ``best`` has the best score and ``greedy`` is what taking the
    most probable token each time gives. ``enough``: the least beams that find the best, None where MOST_TRIED do not.
    """

    chains: int
    best: Hypothesis
    greedy: Hypothesis
    enough: int | None

    def is_best(self, score: float) -> bool:
        return score >= self.best.score - 1e-9


def whole(next_of: Callable[[Sequence[int]], Floats], rules: Rules) -> Iterator[Whole | None]:
    """The same in steps, of which the last one is not None. Raises Problem as :func:`exhaustive` does.

    >>> *_, found = whole(lambda ids: np.log([0.6, 0.4]), Rules(1, 2, (1,), 0.0))
    >>> found.chains, found.best.ids, found.greedy.ids, found.enough
    (3, (1,), (0, 0), 2)
    """
    best: Hypothesis | None = None
    count = 0
    for each in exhaustive(next_of, rules):
        count += 1
        if best is None or (-each.score, each.ids) < (-best.score, best.ids):
            best = each
        yield None
    ids: tuple[int, ...] = ()
    logprob = 0.0
    while len(ids) < rules.most and not (ids and ids[-1] in rules.eos):
        row = next_of(ids)
        id = int(np.argmax(row))
        ids, logprob = (*ids, id), logprob + float(row[id])
    assert best is not None, "some token can follow"
    found = Whole(count, best, Hypothesis(ids, logprob, logprob / len(ids) ** rules.length_penalty), None)
    for width in range(1, MOST_TRIED + 1):
        search = BeamSearch(replace(rules, width=width, groups=1, diversity=0.0))
        while not search.done:
            search.expand(np.array([next_of(beam.ids) for beam in search.beams]))
        if search.finished and found.is_best(search.finished[0].score):
            found = replace(found, enough=width)
            break
        yield None
    yield found
