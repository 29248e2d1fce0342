"""The plots of a scored document: what each counts, its key figure in words, and its table. Who draws them draws these.

The window, the report and the command line have the same ones, in this order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from arplay.core import measures, profiles
from arplay.core.chain import BEST, Ledger
from arplay.core.distribution import LN2
from arplay.core.format import number, percent
from arplay.core.modalities.base import TokenSet
from arplay.core.profiles import Tally, tallied
from arplay.export.tables import Record

Unit = Literal["nats", "bits"]
EXTREMES = 100
"""Tokens in a list of the most surprising, or most confident ones."""
AFTER = 8
"""Tokens behind one that are shown with it."""


@dataclass(frozen=True, slots=True)
class How:
    """``unit``: "nats" or "bits"; ``width``: tokens of the rolling mean; ``bin``: of the histogram, in the unit."""

    unit: Unit = "nats"
    width: int = 100
    bin: float = 0.5


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which plot, by its name, and how."""

    plot: str = "along"
    how: How = How()


FIRST = Chosen()
MEANS, BINS = (1, 100_000), (0.05, 10.0)
"""The least and the greatest rolling mean in tokens, and bin in the unit."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``name``: on the command line. ``says``: what it is, in a sentence or two. ``lacks``: why there may be none.

    ``begins`` makes what counts it, ``counted`` tells of how many tokens that is, ``tells`` its key figure.
    """

    name: str
    title: str
    says: str
    begins: Callable[[Ledger, How], Tally]
    counted: Callable[[Any], int]
    tells: Callable[[Any, How], str]
    rows: Callable[[Any, Ledger, TokenSet, How], list[Record]]
    columns: tuple[str, ...]
    lacks: str = "no token here has a probability"

    def of(self, ledger: Ledger, how: How) -> Any:
        """All of it at once."""
        return tallied(self.begins(ledger, how), ledger)

    def told(self, tally: Any, how: How) -> str:
        """The key figure, or why there is none."""
        return self.tells(tally, how) if self.counted(tally) else f"Nothing to see: {self.lacks}."


def _left_out(beyond: int) -> str:
    return f"; {beyond:,} tokens of p = 0 are left out" if beyond else ""


# ---- surprisal along the text


def _along_told(found: profiles.Along, how: How) -> str:
    peak = ""
    if found.peak is not None:
        most = f"{number(float(found.smooth[found.peak]), 3)} {how.unit}"
        peak = f"; the mean of {how.width:,} is highest at token {found.peak + 1:,}: {most}"
    return f"mean {number(found.mean, 3)} {how.unit} over {found.known:,} tokens{peak}{_left_out(found.beyond)}"


def _along_rows(found: profiles.Along, ledger: Ledger, _: TokenSet, how: How) -> list[Record]:
    pairs = zip(found.each[: ledger.done].tolist(), found.smooth[: ledger.done].tolist(), strict=True)
    return [{"index": i, "surprisal": _known(one), "rolling_mean": _known(mean)} for i, (one, mean) in enumerate(pairs)]


# ---- histograms


def _histogram_told(found: profiles.Surprisals, how: How) -> str:
    counts, edges = found.histogram.counts, found.histogram.edges
    half = edges[int(np.searchsorted(np.cumsum(counts), found.histogram.total / 2)) + 1 :][:1]
    middle = f"; at least half of the tokens lie below {half[0]:g} {how.unit}" if len(half) else ""
    return (
        f"mean {number(found.mean, 3)} {how.unit} of {found.histogram.total:,} tokens{middle}{_left_out(found.beyond)}"
    )


def _histogram_rows(found: Any, *_: object) -> list[Record]:
    edges, counts = found.histogram.edges.tolist(), found.histogram.counts.tolist()
    return [{"from": a, "to": b, "tokens": n} for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]


def _ranks_told(found: profiles.Ranks, _: How) -> str:
    counts, total = found.histogram.counts, found.histogram.total
    some = [(f"up to {2**place:,}", int(counts[: place + 1].sum())) for place in (3, 6) if place < len(counts)]
    shares = [f"{words}: {percent(n / total)}" for words, n in (("rank 1", int(counts[0])), *some)]
    return f"{', '.join(shares)} of {total:,} tokens"


def _ranks_rows(found: profiles.Ranks, *_: object) -> list[Record]:
    return [{**row, "from": int(row["from"]), "to": int(row["to"]) - 1} for row in _histogram_rows(found)]


# ---- entropy against surprisal


def _expected_told(found: profiles.Expected, how: How) -> str:
    entropy, came = found.means
    gap = came - entropy
    more = f"{number(abs(gap), 3)} {how.unit} {'more' if gap >= 0 else 'less'} than it expected"
    r = "" if found.correlation is None else f"; correlation {number(found.correlation, 2)}"
    without = f"; {found.without:,} tokens without entropy are left out" if found.without else ""
    means = f"mean surprisal {number(came, 3)}, mean entropy {number(entropy, 3)} {how.unit}"
    return f"{means}: {more}{r}{_left_out(found.beyond)}{without}"


def _expected_rows(found: profiles.Expected, ledger: Ledger, _: TokenSet, how: How) -> list[Record]:
    nats = LN2 if how.unit == "bits" else 1.0
    came, entropy = (of(ledger, 0, ledger.done) / nats for of in (measures.surprisal, measures.entropy))
    rows = np.flatnonzero(~np.isnan(came) & ~np.isnan(entropy))
    triples = zip(rows.tolist(), entropy[rows].tolist(), came[rows].tolist(), strict=True)
    return [{"index": i, "entropy": x, "surprisal": y, "difference": y - x} for i, x, y in triples]


# ---- calibration


def _calibration_told(found: profiles.Claims, _: How) -> str:
    events = int(found.calibration.counts.sum())
    error = found.calibration.error
    over = f"over {events:,} events, the {found.among} most probable tokens at {found.places:,} places"
    return f"expected calibration error {percent(error)} {over}"


def _calibration_rows(found: profiles.Claims, *_: object) -> list[Record]:
    names = ("claimed", "came", "low", "high", "events")
    one = found.calibration
    columns = (each.tolist() for each in (one.claimed, one.came, one.low, one.high, one.counts))
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


# ---- surprisal by context


def _contexts_told(found: profiles.Depths, how: How) -> str:
    one = found.contexts
    ends = [0, len(one.first) - 1] if len(one.first) > 1 else [0]
    said = [f"after {_span(one, at)} {number(float(one.mean[at]), 3)} {how.unit}" for at in ends]
    return f"{', '.join(said)}{_left_out(found.beyond)}"


def span_words(first: int) -> str:
    """A bin of :class:`profiles.Contexts` in words.

    >>> span_words(0), span_words(4)
    ('0', '4 to 7')
    """
    return f"{first:,}" if first < 2 else f"{first:,} to {2 * first - 1:,}"


def _span(one: profiles.Contexts, at: int) -> str:
    words = span_words(int(one.first[at]))
    return f"{words} token{'' if words == '1' else 's'}"


def _contexts_rows(found: profiles.Depths, *_: object) -> list[Record]:
    one = found.contexts
    columns = (each.tolist() for each in (one.first, one.mean, one.low, one.high, one.counts))
    return [
        {"from": first, "to": max(2 * first - 1, first), "mean": mean, "low": _known(low), "high": _known(high),
         "tokens": n}
        for first, mean, low, high, n in zip(*columns, strict=True)
    ]  # fmt: skip


# ---- the most surprising and the most confident ones


def _extremes_told(found: profiles.Extremes, how: How) -> str:
    share = "" if found.share is None else f", which are {percent(found.share)} of the NLL"
    which = "most surprising" if found.surprising else "most confident"
    if len(found.rows) == found.counted:
        return f"all {found.counted:,} tokens, the {which} first"
    return f"the {len(found.rows):,} {which} of {found.counted:,} tokens{share}"


def extreme(ledger: Ledger, tokens: TokenSet, index: int, unit: str) -> Record:
    """What a list tells of one token, with what stands around it and what was expected most there."""
    label = next(iter(tokens.record(0)))
    logprob, best = float(ledger.logprob[index]), ledger.best.at(index)
    stop = min(len(ledger), index + 1 + AFTER)
    scale = 1 / LN2 if unit == "bits" else 1.0
    entropy, rank = float(ledger.entropy[index]), int(ledger.rank[index])
    return {
        "index": index,
        "id": int(ledger.ids[index]),
        label: tokens.record(int(ledger.ids[index]))[label],
        "before_text": ledger.encoded.tail(index, 30),
        "token_text": ledger.encoded.said(index, tokens),
        "after_text": (" " if tokens.ordered else "").join(
            ledger.encoded.said(at, tokens) for at in range(index + 1, stop)
        ),
        "surprisal": (0.0 - logprob) * scale,
        "prob": math.exp(logprob),
        "rank": rank or None,
        "entropy": None if math.isnan(entropy) else entropy * scale,
        "expected_text": tokens.label(best[0][0]) if best else None,
        "expected_prob": math.exp(best[0][1]) if best else None,
    }


def _extremes_rows(found: profiles.Extremes, ledger: Ledger, tokens: TokenSet, how: How) -> list[Record]:
    rows = [extreme(ledger, tokens, index, how.unit) for index in found.rows.tolist()]
    return [{name: row.get(name) for name in _EXTREME} for row in rows]


_EXTREME = (
    "index", "id", "before_text", "token_text", "after_text", "surprisal", "prob", "rank", "entropy", "expected_text",
    "expected_prob",
)  # fmt: skip


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


PLOTS = (
    Kind(
        "along",
        "Along the text",
        "Surprisal −log p of every token, in faint steps, and the mean over the last tokens: where the model was at a "
        "loss, and where it had got used to the text.",
        lambda ledger, how: profiles.Along(len(ledger), how.width, how.unit),
        lambda found: found.known,
        _along_told,
        _along_rows,
        ("index", "surprisal", "rolling_mean"),
    ),
    Kind(
        "histogram",
        "Surprisal",
        "How many tokens have which surprisal: most cost next to nothing, and a few cost most of the NLL.",
        lambda ledger, how: profiles.Surprisals(how.bin, how.unit),
        lambda found: found.histogram.total,
        _histogram_told,
        _histogram_rows,
        ("from", "to", "tokens"),
    ),
    Kind(
        "ranks",
        "Ranks",
        "The rank of a token is its place among all tokens by probability: 1 was the model's first choice. Each bar "
        "holds twice as many ranks as the one before.",
        lambda ledger, how: profiles.Ranks(),
        lambda found: found.histogram.total,
        _ranks_told,
        _ranks_rows,
        ("from", "to", "tokens"),
        "the model tells no rank of these tokens",
    ),
    Kind(
        "entropy",
        "Entropy and surprisal",
        "Entropy is the surprisal that the model expected before the token came, surprisal is what it then was: on the "
        "diagonal it was as surprised as expected, above it more.",
        lambda ledger, how: profiles.Expected(how.unit),
        lambda found: found.counted,
        _expected_told,
        _expected_rows,
        ("index", "entropy", "surprisal", "difference"),
        "no token here has an entropy, which a model that tells its most probable tokens only cannot give",
    ),
    Kind(
        "calibration",
        "Calibration",
        f"Do tokens that were given p = 0.3 come 30 times of 100? Asked of the {BEST} most probable tokens at every "
        "place. On the diagonal p is right; below it the model claims too much, above it too little. The bars hold the "
        "true share 95 times of 100 (Wilson).",
        lambda ledger, how: profiles.Claims(),
        lambda found: found.places,
        _calibration_told,
        _calibration_rows,
        ("claimed", "came", "low", "high", "events"),
        "the model names no most probable tokens here",
    ),
    Kind(
        "context",
        "By context",
        "Mean surprisal by how many tokens the model had read before: what a longer context is worth to it. The bars "
        "hold the mean 95 times of 100, as if tokens were independent, which they are not quite.",
        lambda ledger, how: profiles.Depths(how.unit),
        lambda found: int(found.contexts.counts.sum()),
        _contexts_told,
        _contexts_rows,
        ("from", "to", "mean", "low", "high", "tokens"),
    ),
    Kind(
        "surprising",
        "Most surprising",
        "The tokens that the model held least probable, with what stands around them and what it expected instead.",
        lambda ledger, how: profiles.Extremes(EXTREMES, True),
        lambda found: found.counted,
        _extremes_told,
        _extremes_rows,
        _EXTREME,
    ),
    Kind(
        "confident",
        "Most confident",
        "The tokens that the model was surest of, and that came.",
        lambda ledger, how: profiles.Extremes(EXTREMES, False),
        lambda found: found.counted,
        _extremes_told,
        _extremes_rows,
        _EXTREME,
    ),
)

BY_NAME = {kind.name: kind for kind in PLOTS}


def record(chosen: Chosen, ledger: Ledger, tokens: TokenSet) -> Record:
    """What JSON tells of a plot; without rows where there is nothing in it."""
    kind, how = BY_NAME[chosen.plot], chosen.how
    tally = kind.of(ledger, how)
    rows = kind.rows(tally, ledger, tokens, how) if kind.counted(tally) else []
    return {"plot": kind.name, "unit": how.unit, "told": kind.told(tally, how), "rows": rows}


def bin_of(value: float) -> str:
    """A bin's edge, as it is written.

    >>> bin_of(0.30000000000000004), bin_of(2.0)
    ('0.3', '2')
    """
    return f"{value:.6g}"
