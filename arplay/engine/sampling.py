"""A prefix that is continued token by token for somebody who waits for nothing else: the command line and Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Literal

import numpy as np

from arplay.core.decoding.grammar import Matched
from arplay.core.decoding.pipeline import Chain, Pipeline
from arplay.core.modalities.base import TokenSet
from arplay.core.picking import Untold, uniform
from arplay.core.position import Answer
from arplay.core.stepping import drawn_at, sampled
from arplay.core.tree import Step
from arplay.core.windows import windows_of
from arplay.engine.knowing import known_at
from arplay.engine.state import State, in_chunks
from arplay.models.base import next_of

AtLimit = Literal["stop", "slide"]
"""What is done where the context is full."""


class Sampling:
    """Goes on from ``answer``, the last that :func:`arplay.engine.explore.explore` gave on ``state``; the tokens that
    are fixed ``ahead``, by their indices, are read and not drawn.

    ``start``: the token of the chain where the context of the last step began. ``stopped`` says why the last run of
    :meth:`steps` ended: "length", "eos", "context" (it is full), "complete" (the document is), "matched"
    (a constraint lets nothing follow), or "untold": u fell
    among tokens of which the server tells nothing, as ``untold`` says; "": it has not.
    """

    def __init__(
        self,
        state: State,
        answer: Answer,
        ahead: Mapping[int, int],
        pipeline: Pipeline,
        at_limit: AtLimit,
        window_lead: bool,
    ) -> None:
        self._state, self._chain, self._slides = state, Chain(pipeline), at_limit == "slide"
        self._lead = len(answer.lead)
        self._leading = self._lead * window_lead
        self._index, self._ahead = answer.prefix.index, ahead
        self._session = state.prefixes.latest()
        self.prefix: list[int] = [*answer.lead, *answer.prefix.ids.tolist()]
        self.start = answer.position.start
        self.stopped = self.untold = ""

    @property
    def tokens(self) -> TokenSet:
        """Those that are known by now."""
        return self._state.tokens

    def steps(self, length: int, seed: int, us: Sequence[float] | None) -> Iterator[Step]:
        """Up to ``length`` tokens; u is pure in (seed, index), or what ``us`` has.

        A chain longer than the context ends it, as in the window; or it slides on, and the model reads again what is
        then its context (:meth:`arplay.core.windows.Windows.half`, as the window and the scores have it).
        """
        model, session = self._state.current(), self._session
        length_of_all, eos = self.tokens.length, model.alphabet.eos
        windows = windows_of(model.info.context, len(self.prefix) + length, self._leading)
        chain = list(self.prefix)
        recalled: list[float] = []
        drawn = 0
        for index in count(self._index):
            if drawn == length:
                break
            if index == length_of_all:
                self.stopped = "complete"
                return
            start = windows.start(len(chain))
            if start and not self._slides:
                self.stopped = "context"
                return
            if start != self.start:
                session.rewind(0)
                context = windows.read(np.array(chain), start, len(chain))
                deque(in_chunks(session, session.read, context, self._state.pace), maxlen=0)
                self.start = start
            elif index > self._index:
                session.read(chain[-1:])
            if (fixed := self._ahead.get(index)) is not None:
                chain.append(fixed)
                self._chain.accept(fixed)
                continue
            distribution = next_of(session)
            u = uniform(seed, index) if us is None else us[drawn]
            known = known_at(self._state, chain, self._lead, self._chain.pipeline, seed, recalled, u)
            try:
                decoded = self._chain.apply(distribution, known)
                made, _ = sampled(distribution, decoded, index, u, seed if us is None else None)
            except Matched:
                self.stopped = "matched"
                return
            except Untold as untold:
                self.stopped, self.untold = "untold", str(untold)
                return
            chain.append(made.id)
            self._chain.accept(made.id)
            recalled.append(drawn_at(made))
            drawn += 1
            yield made
            if made.id == eos:
                self.stopped = "eos"
                return
        self.stopped = "length"
