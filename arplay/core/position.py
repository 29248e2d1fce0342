"""A place in a chain, and the whole answer to "what comes next here?" that every view shows."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.decoding.stage import Other
from arplay.core.distribution import Distribution
from arplay.core.healing import Heal
from arplay.core.modalities.base import Encoded, Prefix


@dataclass(frozen=True, slots=True)
class Position:
    """The model reads chain[start:end] and says what stands at ``end``; the chain begins with the lead tokens.

    ``before``: how many of the lead tokens it reads once more before a start that is not 0.
    """

    start: int
    end: int
    before: int = 0

    @property
    def context(self) -> int:
        return self.before + self.end - self.start


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """p(next | prefix) at one place, with everything needed to show where it is and how it was got.

    ``lead``: ids put before the document; ``first_token``: the name of that rule. ``prefix``: the tokens before the
    place and the one that follows. ``encoded``: the whole document's tokens. ``distribution`` is None where there is
    no p(x_1). ``evaluated``: tokens that the model had to read for this answer, in ``seconds``; the first ``reused``
    tokens of the context came from a cache. ``cache_bytes``: what all ``branches`` (the sessions that are kept) hold,
    shared memory counted once. ``others``: what second prompts and models say here, by stage and name.
    ``heal``: where the prefix ends in typed blank space, what longer tokens could stand in place of its last one.
    """

    lead: tuple[int, ...]
    first_token: str
    prefix: Prefix
    encoded: Encoded
    position: Position
    distribution: Distribution | None
    evaluated: int
    seconds: float
    cache_bytes: int
    reused: int = 0
    branches: int = 0
    heal: Heal | None = None
    others: tuple[tuple[tuple[str, str], Other], ...] = ()
