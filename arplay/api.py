"""arplay in Python: load a model, ask what comes next, score a document, sample.

>>> import arplay, numpy as np
>>> model = arplay.load("abc")  # a table over {A, B, C} that can be checked by hand
>>> [(token.text, round(token.prob, 3)) for token in model.next("BA").top(2)]
[('C', 0.6), ('A', 0.3)]
>>> score = model.score("BAC")
>>> score.tokens, np.exp(score.logprob).round(3).tolist(), score.rank.tolist()
(('B', 'A', 'C'), [0.4, 0.5, 0.6], [1, 1, 1])
>>> model.sample("B", 5, seed=7, pipeline="top-k:2").text
'ACBAC'

The numbers are those of the window and of ``arplay next``, ``score`` and ``sample``: log-probs and entropies in nats,
over the whole vocabulary, in 64-bit arithmetic; rank 1 is the most probable token. What goes wrong is an
:class:`arplay.Problem`, which has a ``cause`` and a ``remedy``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from operator import index
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from arplay.continued import Beams, Hypothesis, Rollouts
from arplay.core.beams import Rules, Stop
from arplay.core.decoding.pipeline import Pipeline, Said
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Encoded, Place, TokenSet
from arplay.core.orders import Orders, listed
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.core.replaying import Replay, replayed
from arplay.core.timings import Timings
from arplay.core.two_orders import TwoOrders
from arplay.engine import scoring
from arplay.engine.alone import OnProgress, answered, ended
from arplay.engine.candidates import Rate, Rated
from arplay.engine.causality import Change, Changed, triangle
from arplay.engine.downloads import Describe, Described, Fetch, Fetched
from arplay.engine.explore import Explore, Explored, healed
from arplay.engine.load import Device, Dtype, Load, Loaded
from arplay.engine.mapping import Map, Mapped
from arplay.engine.measured import measured
from arplay.engine.messages import Progress
from arplay.engine.rollouts import MOST_ROLLOUTS, Roll, Rolled, Rollout, seeds
from arplay.engine.search import Search, Searched
from arplay.engine.segmentations import Segment, Segmented
from arplay.engine.state import Pace, State
from arplay.engine.two_orders import OrdersTrained, TrainOrders
from arplay.export import sessionfile
from arplay.export.provenance import summary
from arplay.labs import break_mask, merges, tokenizers
from arplay.measures import Measures
from arplay.models import base, catalogue, documents, grammar
from arplay.models.base import Info, Report
from arplay.models.documents import Given
from arplay.models.passes import in_windows
from arplay.models.store.cards import Card
from arplay.results import Next, Score, Token
from arplay.samples import AtLimit, Sample, check

__all__ = [
    "Beams",
    "Hypothesis",
    "Model",
    "Next",
    "Pipeline",
    "Problem",
    "Reading",
    "Replay",
    "Rollout",
    "Rollouts",
    "Sample",
    "Score",
    "Token",
    "break_mask",
    "load",
    "merges",
    "tokenizers",
]

ALONE_SECONDS = 2.0
"""The longest chunk: nobody waits for another answer, and Ctrl-C is heard between two. The first one has 256 tokens,
however long these take: no pace is known before it."""

R = TypeVar("R")


def load(
    model: str | os.PathLike[str] = catalogue.DEFAULT,
    *,
    device: Device = "auto",
    dtype: Dtype = "auto",
    progress: Report | None = None,
    reading: Reading | None = None,
) -> Model:
    """Load a model by whatever ``--model`` takes: a name of ``arplay models``, the path of a folder, a GGUF file or a
    JSON file, or ``org/name[@revision]`` of a hub that was fetched (``arplay models get``).

    ``device``: "auto", "cpu", "cuda", "mps" or "xpu". ``dtype``: "auto" (float32 on a CPU, the stored type elsewhere),
    "float32", "bfloat16" or "float16". ``progress`` is called with a fraction from 0 to 1 (None: nobody knows) and what
    is being done, while the model loads and while it reads long texts; it may raise to cancel. ``reading``: see
    :attr:`Model.reading`.

    Raises Problem where there is no such model, it does not fit into memory, it is damaged, or would need code of its
    own to run.

    >>> load("abc")
    <arplay.Model abc (table, 30 parameters, float64 on cpu, any context)>
    >>> load("no-such-model")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    arplay.core.errors.Problem: there is no model no-such-model; use one of abc, ...
    """

    def on_progress(told: Progress) -> None:
        if progress is not None:
            progress(told.fraction, told.what)

    state = State(catalogue.load, pace=Pace(patience=ALONE_SECONDS, alone=True))
    loaded = answered(Loaded, state, Load(0, os.fspath(model), device, dtype), on_progress)
    return Model(state, loaded, reading or Reading(), on_progress)


class Complete(Problem):
    """Nothing comes next: the document is whole."""


class Model(Measures):
    """A loaded model, from :func:`load`. One thread at a time may use it.

    A document is given as ``str``, as UTF-8 ``bytes``, or as the ``pathlib.Path`` of a file. A model of pictures takes
    the path of a PNG (as ``str``, too), rows of signs (``"#.# .#. #.#"``, ``?`` for a pixel that is open), or an array
    of levels of shape (H, W) (0 white, -1 open). What was read is kept, so that going on from a text, or back, reads
    only what is new.
    """

    def __init__(self, state: State, loaded: Loaded, reading: Reading, on_progress: OnProgress) -> None:
        self._state, self._loaded, self._on_progress = state, loaded, on_progress
        self.reading = reading

    @property
    def loaded(self) -> Loaded:
        """The same with the tokens that are known by now."""
        return replace(self._loaded, vocabulary=self._state.tokens)

    @property
    def info(self) -> Info:
        """What the model is: name, family, revision, number type, device, context, parameters.

        >>> load("abc").info.vocabulary
        3
        """
        return self._loaded.info

    @property
    def vocabulary(self) -> TokenSet:
        """All V tokens, by id.

        >>> tokens = load("abc").vocabulary
        >>> len(tokens), tokens.label(2), tokens.find("b")
        (3, 'C', [1])
        """
        return self._state.tokens

    @property
    def backend(self) -> base.Model:
        """The model itself, for what is not here: sessions, and passes without a cache.

        >>> load("abc").backend.teacher_forced([1, 0, 2]).round(3)
        array([-0.916, -0.693, -0.511])
        """
        return self._state.current()

    def next(self, document: Given, pipeline: Said = (), *, heal: bool = False) -> Next:
        """p(next | document), after its whole; ``pipeline`` is what may be drawn of it (see :class:`arplay.Pipeline`).

        ``heal``: where longer tokens begin with what the last token writes, it is taken back, and p is that of those
        tokens (:mod:`arplay.core.healing`); the pipeline then begins with a stage ``begins``.

        A document longer than the context is read from the place on from which its last token would be scored. Raises
        Problem where nothing may follow (a whole picture) or where the model has no p(x_1) and the document is empty.

        >>> [(token.text, round(token.decoded_prob, 3)) for token in load("abc").next("BA", "top-k:2").top(3)]
        [('C', 0.667), ('A', 0.333), ('B', 0.0)]
        """
        given, decoding = self._given(document, pipeline, heal)
        answer = self._asked(Explored, Explore(0, given, given.end, self.reading, decoding.wants)).answer
        if answer.distribution is None and answer.prefix.index == self.vocabulary.length:
            cause = f"the document is complete: nothing comes after {answer.prefix.index:,}"
            raise Complete(cause, "give one in which something is open")
        if answer.distribution is None:
            cause = "the first token is unscored, so there is no distribution before it"
            raise Problem(cause, "give a text, or another first token (--first-token, in Python model.reading)")
        after = Next(self.loaded, given, answer, decoding)
        _ = after.decoded  # what cannot be decoded is told now
        return after

    def score(self, document: Given) -> Score:
        """What the model expected of every token of ``document``.

        A document longer than the context W is scored in windows of W tokens, each W/2 tokens behind the one before:
        every token once, with at least W/2 tokens before it. Raises Problem for a document that cannot be read.

        >>> load("abc").score("BAC")
        <arplay.Score of 3 tokens: NLL 2.1203 nats, perplexity 2.0274, 1.0196 bits per byte>
        >>> round(load("xo").score("#.# .#. #.#").bits_per_dimension, 4)
        0.2019
        """
        given = documents.document(document, self.backend.alphabet)
        ledger = self._asked(scoring.Scored, scoring.Score(0, given, self.reading)).ledger
        return Score(self.loaded, ledger)

    def encode(self, document: Given) -> Encoded:
        """The tokens of ``document`` alone, without what may stand before it: ``ids``, ``starts`` and ``ends``, (n,).

        Raises Problem for a document that cannot be read.

        >>> load("abc").encode("BAC").ids.tolist()
        [1, 0, 2]
        """
        given = documents.document(document, self.backend.alphabet)
        return self._state.encode(given, self.backend.alphabet, self.reading.special)

    def nll(self, document: Given) -> float:
        """Σ -log p of the tokens of ``document`` in nats: what :meth:`score` adds up to, and nothing else of it.

        It is made by passes without a cache, which needs neither ranks nor entropies, so it is quicker for a long
        document and for a model that is counted. Infinite where a token cannot be. Raises Problem as :meth:`score`.

        >>> round(load("abc").nll("BAC"), 4)  # -ln(0.4 · 0.5 · 0.6)
        2.1203
        """
        model, given = self.backend, documents.document(document, self.backend.alphabet)
        before, rule = base.lead(model.alphabet, model.can.starts_empty, self.reading.first_token)
        ids = [*before, *self._state.encode(given, model.alphabet, self.reading.special).ids.tolist()]
        logprob = in_windows(model, ids, len(before), self.reading)[int(rule == "unscored") :]
        return 0.0 - float(logprob.sum())

    def sample(
        self,
        document: Given,
        n: int = 50,
        *,
        seed: int = 0,
        pipeline: Said = (),
        at_limit: AtLimit = "stop",
        us: Sequence[float] | NDArray[np.float64] | None = None,
        heal: bool = False,
        stops: Sequence[str] = (),
    ) -> Sample:
        """Continue ``document`` by up to ``n`` tokens, drawn at u of (seed, number of the token) from what ``pipeline``
        leaves; ``us`` are numbers in [0, 1) to draw at instead, one a token.

        It ends before n at the end-of-text token, at the end of a picture, and where the context is full, unless
        ``at_limit`` is "slide": then the model goes on with the newest half; ``stops``: strings before which the text
        ends; ``heal``: as :meth:`next` has it. Raises Problem for numbers out of range, and as :meth:`next` does.

        >>> sample = load("abc").sample("B", 4, pipeline="greedy")
        >>> sample.text, sample.rank.tolist(), sample.stopped
        ('ACBA', [1, 1, 1, 1], 'length')
        """
        sample = self.stream(
            document, n, seed=seed, pipeline=pipeline, at_limit=at_limit, us=us, heal=heal, stops=stops
        )
        for _ in sample:
            pass
        return sample

    def stream(
        self,
        document: Given,
        n: int = 50,
        *,
        seed: int = 0,
        pipeline: Said = (),
        at_limit: AtLimit = "stop",
        us: Sequence[float] | NDArray[np.float64] | None = None,
        heal: bool = False,
        stops: Sequence[str] = (),
    ) -> Sample:
        """The same, of which nothing is drawn yet: iterating draws, and yields the text that each token adds.

        >>> for text in load("abc").stream("B", 3, pipeline="greedy"):
        ...     print(text, end="|")
        A|C|B|
        """
        after = self.next(document, pipeline, heal=heal)
        return Sample(self._state, after, self.reading, n, seed, at_limit, us, stops)

    def rollouts(
        self,
        document: Given,
        k: int,
        n: int = 50,
        *,
        seed: int = 0,
        pipeline: Said = (),
        heal: bool = False,
        stops: Sequence[str] = (),
    ) -> Rollouts:
        """``k`` continuations of up to ``n`` tokens in one batch: those of :meth:`sample` with the seeds ``seed``,
        ``seed`` + 1, ... In float32 a batch differs in the last digits, so a u within about 1e-6 of an edge may choose
        its neighbour, and of tokens whose p agree to about 1e-4 of themselves, as in the tail of a large vocabulary,
        either may come first. ``stops``: strings before which a text ends; ``heal``: as :meth:`next` has it.

        Raises Problem for what cannot be drawn, where a server tells only some tokens, and as :meth:`next` does.

        >>> model = load("abc")
        >>> found = model.rollouts("B", 3, 5, seed=7, pipeline="top-k:2")
        >>> found[0].text, found[2].text == model.sample("B", 5, seed=9, pipeline="top-k:2").text
        ('ACBAC', True)
        """
        given, decoding = self._given(document, pipeline, heal)
        check(index(n), index(seed))
        if not 1 <= index(k) <= MOST_ROLLOUTS:
            raise Problem(f"{k:,} rollouts cannot be drawn", f"ask for 1 to {MOST_ROLLOUTS:,}")
        chosen, eos = tuple(seeds(index(seed), index(k))), self._loaded.eos
        asked = Roll(0, given, given.end, decoding, chosen, index(n), self.reading, eos, stops=tuple(stops))
        return Rollouts(self.loaded, self._asked(Rolled, asked))

    def beams(
        self,
        document: Given,
        width: int,
        n: int = 50,
        *,
        length_penalty: float = 1.0,
        stop: Stop = "soon",
        groups: int = 1,
        diversity: float = 0.0,
        pipeline: Said = (),
        heal: bool = False,
    ) -> Beams:
        """Beam search for up to ``n`` tokens: at most ``width`` chains, the best score first, as transformers'
        ``generate`` finds them. ``stop``, ``groups`` and ``diversity`` are those of
        :class:`arplay.core.beams.Rules`. What the pipeline leaves is what is searched, from where ``heal`` has it begin
        (:meth:`next`).

        Raises Problem for rules that cannot be, where a server tells only some tokens, and as :meth:`next` does.

        On abc behind B, p(ACB) = 0.5 · 0.6 · 0.7, and p(CAB) is the next best that two beams find:

        >>> found = load("abc").beams("B", 2, 3, length_penalty=0)
        >>> [(each.text, round(each.logprob, 4)) for each in found]
        [('ACB', -1.5606), ('CAB', -1.9379)]
        """
        eos = () if self._loaded.eos is None else (self._loaded.eos,)
        rules = Rules(index(width), index(n), eos, length_penalty, stop, index(groups), diversity)
        given, decoding = self._given(document, pipeline, heal)
        found = self._asked(Searched, Search(0, given, given.end, rules, decoding, self.reading))
        return Beams.of(self.loaded, found)

    def map(self, document: Given, depth: int = 4, budget: int = 100, *, pipeline: Said = ()) -> Mapped:
        """The most probable chains of up to ``depth`` tokens, of a small table all of them, after ``pipeline``.

        ``areas`` have log p of each chain in nats, ``rest`` what is none. Raises Problem as :meth:`next` does.

        >>> found = load("abc").map("B", 2)
        >>> found.whole, round(float(sum(np.exp(area.total) for area in found.areas if area.ended)), 9)
        (True, 1.0)
        """
        given = documents.document(document, self.backend.alphabet)
        asked = Map(0, given, given.end, index(depth), index(budget), Pipeline(pipeline), self.reading)
        return self._asked(Mapped, replace(asked, stop_at=self._loaded.eos))

    def candidates(self, document: Given, candidates: Sequence[Given]) -> Rated:
        """log p of each of ``candidates`` behind ``document``, token by token (nats), as a whole, and what follows.

        The tokens of ``document`` stay as they are, so its last one and a candidate's first one never join;
        ``joins`` says where the tokenizer would have joined them. Raises Problem for none, for one that is empty or
        does not fit into the context, and as :meth:`next` does.

        >>> rated = load("abc").candidates("B", ["AC", "C"])
        >>> [(each.text, round(float(np.exp(each.logprob)), 3)) for each in rated.candidates]  # 0.5 · 0.6, and 0.3
        [('AC', 0.3), ('C', 0.3)]
        """
        coder = self.backend.alphabet
        given, others = documents.document(document, coder), [documents.document(each, coder) for each in candidates]
        return self._asked(Rated, Rate(0, given, tuple(others), self.reading))

    def segmentations(self, document: Given, *, most: int = 4096) -> Segmented:
        """Every way to cut a short text into tokens, with log p of each, and their sum: log p of the text (nats).

        At most ``most`` beginnings are looked at; where these are not all, ``whole`` says so, and the sum is a lower
        bound. Raises Problem for an empty document, where the first token has no probability, and for pictures.

        >>> found = load("english").segmentations("dark").found
        >>> len(found.ways), found.whole, found.marginal > found.canonical.logprob
        (3, True, True)
        """
        given = documents.document(document, self.backend.alphabet)
        return self._asked(Segmented, Segment(0, given, self.reading, index(most)))

    def change(self, document: Given, *, seed: int = 0) -> Changed:
        """Change each of the last 64 tokens to another, drawn by ``seed``, and measure how far each conditional moves.

        Row i, column j of ``variation`` (total variation) is what a change of token j did to p(. | x_<i): it is 0
        unless j < i. ``declared`` is what the architecture connects, and ``agreement`` compares them.

        Raises Problem for less than two tokens, and where a server tells only some tokens.

        >>> found = load("abc").change("BAC")
        >>> found.variation.round(2).tolist(), found.agreement.holds
        ([[0.0, 0.0, 0.0], [0.3, 0.0, 0.0], [0.4, 0.3, 0.0]], True)
        """
        given = documents.document(document, self.backend.alphabet)
        span = triangle(len(self.encode(given)))
        return self._asked(Changed, Change(0, given, span, span, self.reading, seed))

    def orders(self, document: Given) -> Orders:
        """log p of ``document`` by the chain rule in every order of up to five tokens, and in named orders of up to
        nine; of a longer one the first that fit. The totals are equal.

        Raises Problem for a model whose joint distribution is not written by hand (see :mod:`arplay.core.orders`).

        >>> found = load("abc").orders("BA")
        >>> [(each.label, round(each.factors[0].logprob, 4), round(each.total, 4)) for each in found.products]
        [('own order', -0.9163, -1.6094), ('backwards', -0.9676, -1.6094)]
        """
        given, loaded = documents.document(document, self.backend.alphabet), self.loaded
        encoded = self._state.encode(given, self.backend.alphabet, self.reading.special)
        return listed(loaded.info.name, loaded.can.joint, len(loaded.vocabulary), encoded)

    def train_orders(self, document: Given, names: tuple[str, str] | None = None, *, seed: int = 0) -> TwoOrders:
        """Two small networks that learn the joint of ``document``'s tokens from the same 1,000 chains, each in an order
        of its own, in a process of their own: what each costs in bits, and how far they are apart.

        ``names``: parts of the names of two orders, such as ``("columns", "boustrophedon")``. Raises Problem for names
        of no order or of several, for a single token, and as :meth:`orders` does.
        """
        given = documents.document(document, self.backend.alphabet)
        return self._asked(OrdersTrained, TrainOrders(0, given, names, self.reading, seed)).found

    def replay(self, session: str | os.PathLike[str]) -> Replay:
        """Draw every token again that was drawn in a saved session, each behind its own text at its own u.

        It is read as the session was, whatever :attr:`reading` says. Raises Problem for a file that is no session, and
        for one of documents that this model does not read.
        """
        saved = sessionfile.read(session)
        reading = self.reading if saved.reading is None else Reading(*saved.reading)

        def at(document: Document, place: Place, pipeline: Pipeline, written: int) -> Answer:
            return self._asked(Explored, Explore(0, document, place, reading, pipeline.wants, written)).answer

        return replayed(saved, at, self.loaded.vocabulary, self.loaded.eos, grammar.allowed)

    def timings(self, document: Given) -> Timings:
        """Seconds of answers at up to 24 places of ``document``, by a step with the KV cache and without it.

        Raises Problem where the model keeps no cache, and for an empty document.
        """
        given = documents.document(document, self.backend.alphabet)
        return ended(tuple, measured(self._state, given, self.reading), self._on_progress)

    def __repr__(self) -> str:
        return f"<arplay.Model {summary(self.info)}>"

    def _given(self, document: Given, pipeline: Said, heal: bool) -> tuple[Document, Pipeline]:
        """What is gone on from, and through which stages."""
        given, decoding = documents.document(document, self.backend.alphabet), Pipeline(pipeline)
        return healed(self._state, given, decoding, self.reading) if heal else (given, decoding)


def described(name: str, on_progress: OnProgress) -> Card:
    """What the model ``name`` of the catalogue or of a hub is, and what there is to download. Raises Problem."""
    return answered(Described, State(catalogue.load), Describe(0, name), on_progress).listing


def fetched(name: str, on_progress: OnProgress) -> None:
    """Get the model ``name`` of the catalogue or of a hub, told as :class:`Progress`. Raises Problem."""
    answered(Fetched, State(catalogue.load), Fetch(0, name), on_progress)
