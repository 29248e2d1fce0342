"""Scores of one document side by side: put together by the worker, since a long one has a million tokens."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.aligned import Aligned, Share, aligned, shares
from arplay.core.chain import Ledger
from arplay.engine.job import Steps
from arplay.engine.messages import Request, Result
from arplay.engine.state import State


@dataclass(frozen=True, slots=True)
class Part(Request):
    """Put ``ledgers``, whole ones of the same document, beside the first of them."""

    ledgers: tuple[Ledger, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Parted(Result):
    """``pairs``: the first ledger with each of the others. ``shares``: of each ledger, over what all of them score."""

    ledgers: tuple[Ledger, ...]
    pairs: tuple[Aligned, ...]
    shares: tuple[Share, ...]


def part(state: State, request: Part) -> Steps:
    """Raises Problem for scores of different documents."""
    one, *others = request.ledgers
    pairs = []
    for other in others:
        pair = aligned(one, other)
        pair.add_up()
        pairs.append(pair)
        yield None
    return Parted(request.number, request.ledgers, tuple(pairs), shares(request.ledgers))
