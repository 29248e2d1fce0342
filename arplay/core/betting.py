"""Be the model: chips on what comes next are a distribution, which is scored by what the true token costs in bits.

−log₂ p is a proper score (Good 1952): nobody expects to pay less than by betting what he believes. So the same figure
compares a person, a model and the frequencies of the tokens so far.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from arplay.core.distribution import Floats
from arplay.core.modalities.base import Ids

Player = Literal["you", "model", "unigram"]
PLAYERS: tuple[Player, ...] = get_args(Player)

CHIPS = 100
MOST = CHIPS - 1
"""One chip at least stays with the tokens that nobody named, so that none has the probability 0."""


@dataclass(frozen=True, slots=True)
class Bets:
    """A distribution over ``size`` tokens: ``placed`` holds id and chips of each guess, in the order they were made.

    A guess has as many hundredths as it has chips; the chips that are left are those of all other tokens alike. Where
    every token is a guess there are no others, and those that are placed are what is shared.
    """

    size: int
    placed: tuple[tuple[int, int], ...] = ()

    @property
    def left(self) -> int:
        """Chips that are not placed, one of which must stay."""
        return CHIPS - sum(chips for _, chips in self.placed)

    @property
    def others(self) -> int:
        """Tokens without a chip."""
        return self.size - len(self.placed)

    @property
    def floor(self) -> float:
        """The probability of each token that is no guess.

        >>> Bets(5, ((3, 80),)).floor
        0.05
        """
        return self.left / CHIPS / self.others if self.others else 0.0

    def chips(self, id: int) -> int:
        return dict(self.placed).get(id, 0)

    def put(self, id: int, chips: int) -> Bets:
        """So many chips on a token instead of those that it had, or as many as are left; 0 takes them back.

        >>> Bets(5).put(3, 80).put(1, 80).placed, Bets(5, ((3, 80),)).put(3, 0).placed
        (((3, 80), (1, 19)), ())
        """
        if not 0 <= id < self.size:
            raise IndexError(f"id {id} is outside a vocabulary of {self.size}")
        chips = min(chips, self.left + self.chips(id) - 1)
        if chips > 0 and self.chips(id):
            return replace(self, placed=tuple((one, chips if one == id else had) for one, had in self.placed))
        kept = tuple(bet for bet in self.placed if bet[0] != id)
        return replace(self, placed=(*kept, (id, chips)) if chips > 0 else kept)

    def prob(self, id: int) -> float:
        """
        >>> Bets(5, ((3, 80),)).prob(3), Bets(5, ((3, 80),)).prob(0), Bets(2, ((0, 30), (1, 60))).prob(1)
        (0.8, 0.05, 0.6666666666666666)
        """
        chips = self.chips(id)
        return self.floor if not chips else chips / (CHIPS if self.others else CHIPS - self.left)

    def bits(self, id: int) -> float:
        """−log₂ p of the true token.

        >>> Bets(5, ((3, 50),)).bits(3), Bets(4).bits(0)
        (1.0, 2.0)
        """
        return -math.log2(self.prob(id))


def unigram_bits(before: Ids, id: int, size: int) -> float:
    """−log₂ of (c + 1) / (n + V): the token's count c among the n tokens ``before`` it, one more for each of V tokens.

    The rule of succession (Laplace 1814), by which a token that was not there yet is possible, too. What is put before
    a text by itself (BOS) counts as none of it.

    >>> unigram_bits(np.array([1, 1, 0]), 1, 3), unigram_bits(np.array([], int), 2, 4)
    (1.0, 2.0)
    """
    return -math.log2((1 + int(np.count_nonzero(before == id))) / (len(before) + size))


@dataclass(frozen=True, slots=True)
class Move:
    """A token that was revealed, and the bits that it cost each.

    ``you`` is None where it was revealed without a bet, so that it counts for nobody; ``model`` where the model does
    not tell (a server tells its best tokens only), with its ``rank``.
    """

    index: int
    id: int
    placed: tuple[tuple[int, int], ...]
    you: float | None
    model: float | None
    unigram: float
    rank: int | None

    def cost(self, player: Player) -> float | None:
        return {"you": self.you, "model": self.model, "unigram": self.unigram}[player]


@dataclass(frozen=True, slots=True)
class Sum:
    """``bits`` of ``count`` tokens together."""

    bits: float
    count: int

    @property
    def mean(self) -> float:
        """Bits a token; NaN where there is none."""
        return self.bits / self.count if self.count else math.nan


@dataclass(frozen=True, slots=True)
class Game:
    """One walk through ``count`` tokens that are hidden at first, behind ``start`` others; V is ``size``.

    ``bets`` are on the next one. ``revealed``: the last of the ``moves`` is looked at. ``over``: nothing is hidden any
    more. ``asked``: it is to be revealed as soon as the model has answered. ``first_token``: the rule by which the
    model reads the first one.
    """

    size: int
    start: int
    count: int
    bets: Bets
    moves: tuple[Move, ...] = ()
    revealed: bool = False
    over: bool = False
    asked: bool = False
    first_token: str = ""

    @property
    def done(self) -> bool:
        """Whether every token was revealed."""
        return len(self.moves) == self.count

    @property
    def counted(self) -> tuple[Move, ...]:
        """The moves that somebody bet on."""
        return tuple(move for move in self.moves if move.you is not None)

    def sum(self, player: Player) -> Sum:
        """Over the same tokens for each, but for those that a model does not tell."""
        bits = [cost for move in self.counted if (cost := move.cost(player)) is not None]
        return Sum(math.fsum(bits), len(bits))

    def running(self, player: Player) -> Floats:
        """The sum behind each counted move, shape (n,); NaN from where it is not known any more."""
        costs = [move.cost(player) for move in self.counted]
        return np.cumsum([math.nan if cost is None else cost for cost in costs], dtype=np.float64)
