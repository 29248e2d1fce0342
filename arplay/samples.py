"""A document that a model continues, as Python and ``arplay sample`` have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import index

import numpy as np
from numpy.typing import NDArray

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids, TokenSet
from arplay.core.picking import MAX_SEED
from arplay.core.reading import Reading
from arplay.core.stopping import Stops
from arplay.core.tree import Step
from arplay.engine.sampling import AtLimit, Sampling
from arplay.engine.state import State
from arplay.export import tables
from arplay.results import Floats, Next, model_record


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
        self.steps: list[Step] = []
        self.seed, self.at_limit = seed, at_limit
        self._after, self._told, self._starts, self._stops = after, list[str](), list[int](), Stops(stops)
        ahead = after.document.ahead(state.tokens)
        self._sampling = Sampling(state, after.answer, ahead, after.pipeline, at_limit, reading.window_lead)
        self._drawing = self._drawn(n if given is None else min(n, len(given)), given)

    def __iter__(self) -> Iterator[str]:
        at = 0
        while at < len(self._told) or next(self._drawing, None) is not None:
            yield self._told[at]
            at += 1

    @property
    def text(self) -> str:
        """What is written, exact; a byte that is part of no whole character is a sign. A picture is told as a whole."""
        return "".join(self._told)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<arplay.Sample of {len(self.steps):,} tokens: {self.text!r}>"

    @property
    def tokens(self) -> TokenSet:
        """Those that are known by now."""
        return self._sampling.tokens

    @property
    def pipeline(self) -> Pipeline:
        """What it is drawn behind."""
        return self._after.pipeline

    @property
    def stopped(self) -> str:
        """Why it ended: "length", "eos", "context" (it is full), "complete" (the document is), "matched" (a
        constraint lets nothing follow), "untold" (the next draw fell among tokens of which a server tells nothing:
        :attr:`untold`), or "stop" (a stop string came); "": it has not."""
        return "stop" if self._stops.found else self._sampling.stopped

    @property
    def untold(self) -> str:
        """A sentence where ``stopped`` is "untold", else ""."""
        return self._sampling.untold

    @property
    def start(self) -> int:
        """The token of the chain from which on the last one's context was read: above 0 where it slid."""
        return self._sampling.start

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

    def as_dict(self) -> tables.Record:
        """What ``arplay sample --json`` writes.

        >>> from arplay import load
        >>> sorted(load("abc").sample("B", 1).as_dict())
        ['at_limit', 'decoding', 'model', 'prefix', 'seed', 'steps', 'stopped', 'text']
        """
        after, tokens = self._after, self._sampling.tokens
        before = after.document.before(after.document.end)
        steps = zip(self.steps, self._starts, strict=True)
        return {
            "model": model_record(after.loaded),
            "decoding": after.pipeline.as_json,
            "seed": self.seed,
            "at_limit": self.at_limit,
            "prefix": {**before, "ids": self._sampling.prefix},
            "steps": [tables.step(step, start, tokens) for step, start in steps],
            "text": self.text,
            "stopped": self.stopped,
        }

    def _drawn(self, n: int, us: Sequence[float] | None) -> Iterator[str]:
        loaded = self._after.loaded
        writer = self._after.document.writer()
        for step in self._sampling.steps(n, self.seed, us):
            self.steps.append(step)
            self._starts.append(self._sampling.start)
            written = "" if step.id == loaded.eos else writer.write(step.id, self._sampling.tokens)
            self._told.append(self._stops.write(written))
            yield self._told[-1]
            if self._stops.found:
                return
        if left := self._stops.write(writer.end()) + self._stops.end():
            self._told.append(left)
            yield left


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
