"""A document that a model continues, as Python and ``arplay sample`` have it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import count
from operator import index
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arplay.core.decoding.grammar import Matched
from arplay.core.decoding.pipeline import Chain, Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids, TokenSet
from arplay.core.picking import MAX_SEED, Untold, uniform
from arplay.core.reading import Reading
from arplay.core.stepping import drawn_at, sampled
from arplay.core.stopping import Stops
from arplay.core.tree import Step
from arplay.core.windows import windows_of
from arplay.engine.knowing import known_at
from arplay.engine.state import State, in_chunks
from arplay.export import tables
from arplay.export.provenance import Provenance
from arplay.models.base import next_of
from arplay.results import Floats, Next, model_record

AtLimit = Literal["stop", "slide"]
"""What is done where the context is full."""


class Sample:
    """A document that a model continues, from :meth:`arplay.Model.sample` or :meth:`arplay.Model.stream`.

    Iterating yields the text that each token adds ("" within a character of several tokens, and for the end-of-text
    token), and draws what is not drawn yet. The figures are of the tokens that are drawn, n of them.
    """

    def __init__(
        self,
        state: State,
        after: Next,
        reading: Reading,
        n: int,
        seed: int,
        at_limit: AtLimit,
        us: Sequence[float] | Floats | None,
        stops: Sequence[str] = (),
    ) -> None:
        n, seed = index(n), index(seed)  # of numpy, say; a float is a TypeError
        check(n, seed)
        if at_limit not in ("stop", "slide"):
            raise Problem(f"at_limit {at_limit!r} means nothing", 'give "stop" or "slide"')
        given = None if us is None else _numbers(us)
        answer = after.answer
        self.steps: list[Step] = []
        self.seed, self.at_limit = seed, at_limit
        self.stopped = ""
        """Why it ended: "length", "eos", "context" (it is full), "complete" (the document is), "matched" (a constraint
        lets nothing follow), "untold" (the next draw fell among tokens of which a server tells nothing:
        :attr:`untold`), or "stop" (a stop string came); "": it has not."""
        self.untold = ""
        """A sentence where ``stopped`` is "untold", else ""."""
        self.start = answer.position.start
        """The token of the chain from which on the last one's context was read: above 0 where it slid."""
        self._state, self._session, self._stops = state, state.prefixes.latest(), Stops(stops)
        self._after, self._texts, self._starts = after, list[str](), list[int]()
        self._reading, self._leading = reading, len(answer.lead)
        self._prefix: list[int] = [*answer.lead, *answer.prefix.ids.tolist()]
        self._drawing = self._written(n if given is None else min(n, len(given)), given)

    def __iter__(self) -> Iterator[str]:
        at = 0
        while at < len(self._texts) or next(self._drawing, None) is not None:
            yield self._texts[at]
            at += 1

    @property
    def text(self) -> str:
        """What is written, exact; a byte that is part of no whole character is a sign. A picture is told as a whole."""
        return "".join(self._texts)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<arplay.Sample of {len(self.steps):,} tokens: {self.text!r}>"

    @property
    def tokens(self) -> TokenSet:
        """Those that are known by now."""
        return self._state.tokens

    @property
    def pipeline(self) -> Pipeline:
        """What it is drawn behind."""
        return self._after.pipeline

    @property
    def ids(self) -> Ids:
        """Shape (n,)."""
        return np.array([step.id for step in self.steps], np.int64)

    @property
    def logprob(self) -> Floats:
        """log p of each token by the model itself, before the pipeline, nats, shape (n,)."""
        return np.array([step.logprob for step in self.steps], np.float64)

    @property
    def rank(self) -> NDArray[np.int64]:
        """Rank of each token by the model itself, from 1, shape (n,)."""
        return np.array([step.rank for step in self.steps], np.int64)

    @property
    def u(self) -> Floats:
        """The numbers at which they were drawn, shape (n,): the ``us`` that draw them again.

        >>> from arplay import load
        >>> model = load("abc")
        >>> model.sample("B", 6, us=model.sample("B", 6, seed=4).u).text == model.sample("B", 6, seed=4).text
        True
        """
        return np.array([step.u for step in self.steps], np.float64)

    def origin(self, name: str) -> Provenance:
        """Where it is from; ``name``: where the text before it is."""
        after = self._after
        return Provenance(after.loaded.info, after.answer.first_token, name, after.pipeline, self.seed)

    def as_dict(self) -> tables.Record:
        """What ``arplay sample --json`` writes.

        >>> from arplay import load
        >>> sorted(load("abc").sample("B", 1).as_dict())
        ['at_limit', 'decoding', 'model', 'prefix', 'seed', 'steps', 'stopped', 'text']
        """
        after, tokens = self._after, self._state.tokens
        before = after.document.before(after.document.end)
        steps = zip(self.steps, self._starts, strict=True)
        return {
            "model": model_record(after.loaded),
            "decoding": after.pipeline.as_json,
            "seed": self.seed,
            "at_limit": self.at_limit,
            "prefix": {**before, "ids": self._prefix},
            "steps": [tables.step(step, start, tokens) for step, start in steps],
            "text": self.text,
            "stopped": self.stopped,
        }

    def _written(self, n: int, us: Sequence[float] | None) -> Iterator[str]:
        eos, writer = self._after.loaded.eos, self._after.document.writer()
        for step in self._drawn(n, us):
            self.steps.append(step)
            self._starts.append(self.start)
            written = "" if step.id == eos else writer.write(step.id, self._state.tokens)
            self._texts.append(self._stops.write(written))
            yield self._texts[-1]
            if self._stops.found:
                self.stopped = "stop"
                return
        if left := self._stops.write(writer.end()) + self._stops.end():
            if self._stops.found:
                self.stopped = "stop"
            self._texts.append(left)
            yield left

    def _drawn(self, n: int, us: Sequence[float] | None) -> Iterator[Step]:
        """Up to ``n`` tokens; u is pure in (seed, index), or what ``us`` has. What is fixed ahead is read, not drawn.

        A chain longer than the context ends it, as in the window; or it slides on, and the model reads again what is
        then its context (:meth:`arplay.core.windows.Windows.half`, as the window and the scores have it).
        """
        state, after, decoding = self._state, self._after, Chain(self._after.pipeline)
        model, session, chain = state.current(), self._session, list(self._prefix)
        ahead, first = after.document.ahead(state.tokens), after.answer.prefix.index
        windows = windows_of(model.info.context, len(chain) + n, self._reading, self._leading)
        recalled: list[float] = []
        for at in count(first):
            if len(recalled) == n:
                break
            if at == state.tokens.length:
                self.stopped = "complete"
                return
            start = windows.start(len(chain))
            if start and self.at_limit == "stop":
                self.stopped = "context"
                return
            if start != self.start:
                session.rewind(0)
                context = windows.read(np.array(chain), start, len(chain))
                deque(in_chunks(session, session.read, context, state.pace), maxlen=0)
                self.start = start
            elif at > first:
                session.read(chain[-1:])
            if (fixed := ahead.get(at)) is not None:
                chain.append(fixed)
                decoding.accept(fixed)
                continue
            distribution = next_of(session)
            u = uniform(self.seed, at) if us is None else us[len(recalled)]
            known = known_at(state, chain, len(after.answer.lead), after.pipeline, self.seed, recalled)
            try:
                decoded = decoding.apply(distribution, known)
                made, _ = sampled(distribution, decoded, at, u, self.seed if us is None else None)
            except Matched:
                self.stopped = "matched"
                return
            except Untold as untold:
                self.stopped, self.untold = "untold", str(untold)
                return
            chain.append(made.id)
            decoding.accept(made.id)
            recalled.append(drawn_at(made))
            yield made
            if made.id == model.alphabet.eos:
                self.stopped = "eos"
                return
        self.stopped = "length"


def check(n: int, seed: int) -> None:
    """Raises Problem for what no sample can be drawn with."""
    if n < 0:
        raise Problem(f"{n:,} tokens cannot be drawn", "give 0 or more")
    if not 0 <= seed <= MAX_SEED:
        raise Problem(f"{seed} is no seed", "give a whole number from 0 to 2^64 - 1")


def _numbers(us: Sequence[float] | Floats) -> list[float]:
    """Where to draw. Raises Problem for what is no number in [0, 1)."""
    try:
        given = np.asarray(us, np.float64)
    except (TypeError, ValueError) as error:
        raise Problem("us has what is no number", "give numbers from 0 to below 1") from error
    if given.ndim != 1 or not np.all((given >= 0) & (given < 1)):
        raise Problem("us has what cannot be drawn at", "give numbers from 0 to below 1")
    found: list[float] = given.tolist()
    return found
