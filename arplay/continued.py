"""Several continuations of one document, rollouts or a beam search, as Python and ``arplay sample`` have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arplay.core import beams
from arplay.core.beams import Expansion, Rules
from arplay.core.decoding.pipeline import Pipeline
from arplay.engine.load import Loaded
from arplay.engine.rollouts import Rolled, Rollout
from arplay.engine.search import Searched
from arplay.export import tables, tried
from arplay.export.tried import written
from arplay.results import model_record


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A chain that beam search kept. ``logprob``: of all its tokens, after the pipeline, in nats; ``score``: that, less
    what diversity took, by its length to the power of the length penalty."""

    ids: tuple[int, ...]
    text: str
    logprob: float
    score: float


@dataclass(frozen=True, eq=False, repr=False)
class _Several:
    loaded: Loaded
    found: Rolled | Searched
    """All that is known of them."""

    @property
    def pipeline(self) -> Pipeline:
        return self.found.pipeline

    def _head(self) -> tables.Record:
        found = self.found
        before = found.document.before(found.place)
        return {"model": model_record(self.loaded), "decoding": found.pipeline.as_json, "prefix": dict(before)}


@dataclass(frozen=True, eq=False, repr=False)
class Rollouts(_Several, Sequence[Rollout]):
    """From :meth:`arplay.Model.rollouts`: each has ``seed``, ``ids``, ``text``, ``logprob`` (nats, by the model
    itself), ``perplexity``, ``stopped`` and ``steps``.

    >>> from arplay import load
    >>> found = load("abc").rollouts("B", 3, 4)
    >>> [each.seed for each in found], found[2].text == load("abc").sample("B", 4, seed=2).text
    ([0, 1, 2], True)
    """

    found: Rolled

    @property
    def rollouts(self) -> tuple[Rollout, ...]:
        return self.found.rollouts

    def __len__(self) -> int:
        return len(self.rollouts)

    def __getitem__(self, at: int) -> Rollout:  # type: ignore[override]
        return self.rollouts[at]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(each.text for each in self.rollouts)

    def as_dict(self) -> tables.Record:
        """What ``arplay sample --rollouts --json`` writes."""
        return self._head() | {"rollouts": tried.rollouts(self.found)}

    def __repr__(self) -> str:
        return f"<arplay.Rollouts: {len(self):,} of up to {max(len(each.steps) for each in self):,} tokens>"


@dataclass(frozen=True, eq=False, repr=False)
class Beams(_Several, Sequence[Hypothesis]):
    """From :meth:`arplay.Model.beams`: the chains that were kept, the best score first; and all ``expansions`` on the
    way to them. ``rules.most`` is less than what was asked for where the context or the document ends before.

    ``best``: the best of all chains there are, of a table where they are at most 20,000; else None.

    >>> from arplay import load
    >>> found = load("abc").beams("B", 1, 5)
    >>> found.best.text == found[0].text  # one beam is greedy search, which does not miss it here
    True
    """

    found: Searched
    hypotheses: tuple[Hypothesis, ...]
    best: Hypothesis | None

    @classmethod
    def of(cls, loaded: Loaded, found: Searched) -> Beams:
        def told(each: beams.Hypothesis) -> Hypothesis:
            text = written(found.document, each.ids, found.tokens, found.rules.eos)
            return Hypothesis(each.ids, text, each.logprob, each.score)

        best = None if found.whole is None else told(found.whole.best)
        return cls(loaded, found, tuple(map(told, found.finished)), best)

    @property
    def rules(self) -> Rules:
        return self.found.rules

    @property
    def expansions(self) -> tuple[Expansion, ...]:
        return self.found.expansions

    def __len__(self) -> int:
        return len(self.hypotheses)

    def __getitem__(self, at: int) -> Hypothesis:  # type: ignore[override]
        return self.hypotheses[at]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(each.text for each in self.hypotheses)

    def as_dict(self) -> tables.Record:
        """What ``arplay sample --beams --json`` writes."""
        found = self.found
        return self._head() | {"search": tried.search(found), "hypotheses": tried.hypotheses(found)}

    def __repr__(self) -> str:
        return f"<arplay.Beams: {len(self):,} hypotheses after {len(self.expansions):,} expansions>"
