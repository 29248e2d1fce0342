"""Which tokens of two models are the same: looked up once for two that are compared."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.matching import Match, matching
from arplay.core.modalities.base import TokenSet
from arplay.engine.job import Steps
from arplay.engine.messages import Result, Slotted
from arplay.engine.state import State


@dataclass(frozen=True, slots=True)
class MatchTokens(Slotted):
    """Which tokens of ``other``, that of the model in the slot, are the same as those of ``one``?"""

    one: TokenSet
    other: TokenSet


@dataclass(frozen=True, eq=False, slots=True)
class Matched(Result):
    match: Match


def match_tokens(state: State, request: MatchTokens) -> Steps:
    found = yield from matching(request.one, request.other)
    return Matched(request.number, found)
