"""The views that every panel must be able to draw: nothing yet, a real small one, huge, half done, broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.distribution import Distribution
from arplay.core.masks import Figures, Pair, Point
from arplay.core.modalities.encoded_text import Encoded, bytes_of
from arplay.core.modalities.text import Prefix, Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.picking import choose, uniform
from arplay.core.position import Answer, Position
from arplay.core.timings import MOST, Timing
from arplay.core.tree import Step, Tree
from arplay.engine.causality import Change, change
from arplay.engine.free_running import FreeRun, free_run
from arplay.engine.job import Steps
from arplay.engine.load import Loaded
from arplay.engine.masks import broke
from arplay.engine.reconcile import Reconciled
from arplay.engine.state import State
from arplay.gui.settings import Settings
from arplay.gui.view import View
from arplay.models.base import Capabilities, Info
from arplay.models.families.table.model import Table
from tests.ledgers import ABC, abc_ledger, prose, random_ledger

HUGE = 256_000


def empty() -> View:
    return View()


def loading() -> View:
    return View(document=Text.of(b"Once upon a time"), caret=16, busy="Loading english")


def problem() -> View:
    return replace(loading(), busy=None, problem=("the weights of this model are missing", "download it again"))


@cache
def textbook() -> View:
    """B and two sampled tokens of the table abc; every field filled with what the program itself would put there."""
    table = Table.load(ABC)
    vocabulary = table.alphabet.vocabulary
    tree = Tree(Text.of(b"B"))
    settings = Settings(decoding=Pipeline.of(temperature=0.8))
    for index in (1, 2):
        ids = tree.document.encoded(table.alphabet).ids
        distribution = Distribution(len(vocabulary), table.logprobs(ids.tolist()))
        decoded = decode(distribution, settings.decoding)
        choice = choose(decoded.candidates, uniform(settings.seed, index))
        logprob, after = float(distribution.logprobs[choice.id]), float(np.exp(decoded.logprobs[choice.id]))
        rank = distribution.rank(choice.id) or 0
        step = Step(choice.id, index, logprob, float(np.exp(logprob)), after, rank, choice.u, settings.seed)
        edit = tree.document.put(index, vocabulary.token(choice.id), vocabulary.name)
        tree.record(edit, "sampled", index + 1, step)
    ledger, loaded = abc_ledger(tree.document.data)
    encoded = tree.document.encoded(table.alphabet)
    following = Distribution(len(vocabulary), table.logprobs(encoded.ids.tolist()))
    return View(
        settings=settings,
        loaded=loaded,
        document=tree.document,
        caret=3,
        answer=Answer((), "model", Prefix(encoded.ids, None), encoded, Position(0, 3), following, 1, 0.004, 0),
        decoded=decode(following, settings.decoding),
        step=choice,
        step_decoded=decoded,
        ledger=ledger,
        reconciled=Reconciled(1, tree.document, ledger.totals.nll_nats, 0.0),
        tree=tree,
        node=tree.node,
        selected=2,
    )


@cache
def prose_of_a_huge_vocabulary() -> View:
    """400 tokens of a vocabulary of 256 thousand, random logits, every token scored."""
    tokens = prose(400)
    ledger, small = random_ledger(tokens)
    words = (*small.vocabulary.data, *(f" word{i}".encode() for i in range(HUGE - len(small.vocabulary))))
    vocabulary = Vocabulary("huge", words, small.vocabulary.special)
    info = Info("huge", "test", "test", "0", "bfloat16", "cuda", HUGE, 512, 10**11)
    logits = np.random.default_rng(3).normal(scale=3, size=HUGE).astype(np.float32)
    loaded = Loaded(0, info, vocabulary, (0,), 0, 0, Capabilities(False, "cropped", True))
    return _scored(View(), ledger, loaded, Distribution.from_logits(logits))


@cache
def growing() -> View:
    ledger, loaded = random_ledger(prose(300), done=120)
    return _scored(View(busy="Scoring"), ledger, loaded, _random(loaded))


@cache
def long_text() -> View:
    """A text of 2,000 tokens that the editor holds only the beginning of."""
    ledger, loaded = random_ledger(prose(2000))
    view = _scored(View(), ledger, loaded, _random(loaded))
    return replace(view, document=Text.of(bytes_of(ledger.encoded)[:2000]), caret=0, excerpt_of="a long text.txt")


@cache
def not_numbers() -> View:
    """NaN wherever a log-prob may stand, as a broken model would tell it."""
    ledger, loaded = random_ledger(prose(60))
    nan = np.full(60, np.nan)
    ledger = replace(ledger, logprob=nan, entropy=nan, rank=np.zeros(60, np.int64))
    size = loaded.info.vocabulary
    return _scored(View(), ledger, loaded, Distribution(size, np.full(size, np.nan)))


@cache
def partial() -> View:
    """A server that tells its best five only."""
    ledger, loaded = random_ledger(prose(30))
    told = Distribution(loaded.info.vocabulary, np.log([0.4, 0.2, 0.1, 0.05, 0.01]), np.arange(5))
    return _scored(View(), ledger, loaded, told)


@cache
def no_first_token() -> View:
    """The empty text on a model that has no p(x_1)."""
    _, loaded = random_ledger([b"a"])
    nothing = np.zeros(0, np.int64)
    encoded = Encoded(b"", nothing, nothing, np.zeros(0, bool))
    answer = Answer((), "unscored", Prefix(nothing, None), encoded, Position(0, 0), None, 0, 0.0, 0)
    tree = Tree(Text())
    return View(loaded=loaded, answer=answer, tree=tree, node=tree.node)


@cache
def one_step() -> View:
    return replace(growing(), timings=(Timing("cached", 21, 1, 0.0074, 21 * 24576),))


@cache
def many_steps() -> View:
    """As long as the history gets, with a few passes without the cache and one that is under way."""
    noise = np.random.default_rng(2).gamma(9, 1 / 9, MOST)
    steps = [Timing("cached", 20 + i // 2, 1, (0.007 + 1e-6 * i) * noise[i], i * 24576) for i in range(MOST - 9)]
    uncached = [Timing("uncached", 250 * k, 250 * k, 0.06 * k + 0.004 * k * k, 0, 3e-5 / k) for k in range(1, 9)]
    prefill = Timing("prefill", 20, 20, 0.03, 20 * 24576)
    return replace(growing(), timings=(prefill, *steps, *uncached), recomputing=True)


@cache
def broken_timings() -> View:
    nan = float("nan")
    points = (Timing("cached", 20, 1, nan), Timing("uncached", 20, 20, nan, 0, nan), Timing("cached", 0, 1, 0.0, 0, 0))
    return replace(not_numbers(), timings=points)


@cache
def measured() -> View:
    """The causality lab with everything that it can show, of the table abc."""
    view, state = textbook(), State(lambda *_: Table.load(ABC))
    state.use(Table.load(ABC))
    document = view.document
    asked = {"triangle": ((0, 3), (0, 3)), "reached": ((2, 3), (0, 3)), "poisoned": ((0, 3), (0, 1))}
    labs = {lab: _ended(change(state, Change(1, document, rows, columns))) for lab, (rows, columns) in asked.items()}
    labs["free"] = _ended(free_run(state, FreeRun(1, document, document.at(1), (0, 1, 2), 8)))
    labs["mask"] = broke(1, pair())
    return replace(view, measured=labs)


def pair() -> Pair:
    """Two networks that were trained for two steps, as far as their figures go."""
    rng, n = np.random.default_rng(0), 64
    every = rng.integers(0, 29, (8, n))
    square = rng.random((32, 32))
    figures = []
    for at, loss in enumerate((2.5, 0.1)):
        moved = np.tri(32, 32, at - 1) > 0
        bits = loss, 2.5 + at, 1.0 + 9 * at, 0.1
        figures.append(Figures(*bits, every, every[0], every[1, :32], square, square, moved))
    curves = tuple(tuple(Point(step, loss, loss) for step, loss in ((1, 4.8), (2, end))) for end in (2.5, 0.1))
    both = {"parameters": (9, 9), "curves": (curves[0], curves[1]), "figures": (figures[0], figures[1])}
    return Pair("lstm", "it reads both ways", "some chains", 0, 2, 29, **both)  # type: ignore[arg-type]


def _ended(steps: Steps) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value


VIEWS: tuple[Callable[[], View], ...] = (
    empty,
    loading,
    problem,
    textbook,
    prose_of_a_huge_vocabulary,
    growing,
    long_text,
    not_numbers,
    partial,
    no_first_token,
    one_step,
    many_steps,
    broken_timings,
    measured,
)


def _random(loaded: Loaded) -> Distribution:
    return Distribution.from_logits(np.random.default_rng(1).normal(size=loaded.info.vocabulary))


def _scored(view: View, ledger: Ledger, loaded: Loaded, distribution: Distribution) -> View:
    """``view`` with this ledger, the caret before its token 20."""
    tree = Tree(Text.of(bytes_of(ledger.encoded)))
    place = min(20, len(ledger) - 1)
    caret = int(ledger.starts[place])
    answer = Answer(
        lead=loaded.lead,
        first_token="tokenizer",
        prefix=Prefix(ledger.ids[:place], int(ledger.ids[place])),
        encoded=ledger.encoded,
        position=Position(0, place + 1),
        distribution=distribution,
        evaluated=1,
        seconds=0.004,
        cache_bytes=4096,
    )
    numbers = distribution.full and not np.isnan(distribution.logprobs).any()
    return replace(
        view,
        loaded=loaded,
        document=tree.document,
        caret=caret,
        answer=answer,
        decoded=decode(distribution, view.settings.decoding) if numbers else None,
        ledger=ledger,
        tree=tree,
        node=tree.node,
        selected=place,
    )
