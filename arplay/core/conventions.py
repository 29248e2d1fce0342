"""The usual ways to make one perplexity of one text: they differ in what each token is given, and in how it is counted.

Each is a list of passes over the chain, and a sum. A text that fits into the model's context is read alike by all of
them; what then differs is only what stands before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import Ledger, perplexity
from arplay.core.distribution import LN2
from arplay.core.reading import FirstToken

Floats = NDArray[np.float64]


class Pass(NamedTuple):
    """One forward: the model reads chain[start:stop - 1], and tokens [first, stop) of the chain are scored by it."""

    start: int
    first: int
    stop: int

    @property
    def read(self) -> int:
        """How many tokens the model reads."""
        return self.stop - self.start - 1


def rolling(length: int, context: int, stride: int) -> list[Pass]:
    """lm-evaluation-harness 0.4, ``loglikelihood_rolling``: disjoint windows that begin with one token of context.

    The last one is as long as the others: it is filled with context. ``stride`` means nothing here.

    >>> rolling(8, 3, 1)
    [Pass(start=0, first=1, stop=4), Pass(start=3, first=4, stop=7), Pass(start=4, first=7, stop=8)]
    """
    found = [Pass(at, at + 1, at + context + 1) for at in range(0, length - 1 - context, context)]
    done = found[-1].stop if found else 1
    return [*found, Pass(max(0, length - 1 - context), done, length)] if done < length else found


def strided(length: int, context: int, stride: int) -> list[Pass]:
    """The recipe of transformers' page "Perplexity of fixed-length models": it scores what a window has anew.

    >>> strided(9, 4, 3)
    [Pass(start=0, first=1, stop=4), Pass(start=3, first=4, stop=7), Pass(start=6, first=7, stop=9)]
    """
    found, done = list[Pass](), 0
    for start in range(0, length, stride):
        stop = min(start + context, length)
        found.append(Pass(start, max(done, start + 1), stop))
        done = stop
        if stop == length:
            break
    return [one for one in found if one.first < one.stop]


def disjoint(length: int, context: int, stride: int) -> list[Pass]:
    """Windows side by side, of which the first token has no context and is not scored. ``stride`` means nothing here.

    >>> disjoint(7, 3, 1)  # the seventh token would be a window alone
    [Pass(start=0, first=1, stop=3), Pass(start=3, first=4, stop=6)]
    """
    found = [Pass(start, start + 1, min(start + context, length)) for start in range(0, length, context)]
    return [one for one in found if one.first < one.stop]


def beginning(length: int, context: int, stride: int) -> list[Pass]:
    """One window: what stands behind it is not scored. ``stride`` means nothing here.

    >>> beginning(9, 4, 2), beginning(1, 4, 2)
    ([Pass(start=0, first=1, stop=4)], [])
    """
    return disjoint(min(length, context), context, stride)


class Sum(NamedTuple):
    """What a convention adds up: ``nll`` in nats over ``counted`` tokens; their quotient is what perplexity is made of.

    ``nll`` is None where no sum over the text is made.
    """

    nll: float | None
    counted: float
    mean: float | None

    @property
    def bits(self) -> float | None:
        """The mean in bits."""
        return None if self.mean is None else self.mean / LN2

    @property
    def perplexity(self) -> float | None:
        """exp(mean), infinite on overflow; None where nothing is counted.

        >>> Sum(4 * math.log(8), 4, math.log(8)).perplexity
        7.999999999999998
        """
        return perplexity(self.mean)


def of_ledger(ledger: Ledger) -> Sum:
    """arplay's own: each token that has a score counts once."""
    totals = ledger.totals
    return Sum(totals.nll_nats, totals.scored, totals.nll_nats / totals.scored if totals.scored else None)


def every(passes: Sequence[Pass], parts: Sequence[Floats]) -> Sum:
    """Each scored token counts once; ``parts``: log-probs in nats of the tokens that each pass scores.

    >>> every([Pass(0, 1, 3), Pass(2, 3, 4)], [np.array([-1.0, -3.0]), np.array([-5.0])])
    Sum(nll=9.0, counted=3, mean=3.0)
    """
    known = [part[~np.isnan(part)] for part in parts]
    counted = sum(map(len, known))
    nll = 0.0 - math.fsum(value for part in known for value in part.tolist())
    return Sum(nll, counted, nll / counted if counted else None)


def one_short(passes: Sequence[Pass], parts: Sequence[Floats]) -> Sum:
    """As :func:`strided` is published: a window's mean counts for one token fewer than there are labels.

    Labels are shifted inside the model, so the first window has no loss for its first token, which is rightly taken
    off; later windows have one for every token that is new, and one is taken off all the same.

    >>> passes = strided(5, 4, 2)  # 3 tokens by 2.0, then none instead of 1
    >>> one_short(passes, [np.array([-1.0, -3.0, -2.0]), np.array([-7.0])])
    Sum(nll=6.0, counted=3, mean=2.0)
    """
    nll, counted, done = 0.0, 0, 0
    for one, part in zip(passes, parts, strict=True):
        count = one.stop - done - 1
        nll -= float(np.mean(part)) * count
        counted, done = counted + count, one.stop
    return Sum(nll, counted, nll / counted if counted else None)


def of_means(passes: Sequence[Pass], parts: Sequence[Floats]) -> Sum:
    """The mean of the windows' means: a short last window weighs as much as a full one.

    >>> of_means(disjoint(5, 3, 3), [np.array([-1.0, -3.0]), np.array([-5.0])])  # (2 + 5) / 2; each once gives 9 / 3
    Sum(nll=None, counted=2, mean=3.5)
    """
    means = [float(np.mean(part)) for part in parts]
    return Sum(None, len(means), 0.0 - math.fsum(means) / len(means) if means else None)


@dataclass(frozen=True, slots=True)
class Convention:
    """``name`` in JSON; ``first``: rules of what stands before the text and what the tokenizer puts before that, of
    which the first that can be followed holds; none: that of the model's own reading.

    ``passes`` of (length of the chain, context, stride) say what is read, ``total`` adds up. ``strides``: whether the
    stride means anything. ``whole``: whether every token behind the first counts once, so that what is said of a word
    or a byte of the text means something. ``splits``: whether words are counted as the harness does. ``reported``: who
    tells it. ``caveat``: what is wrong with it, in two or three words.
    """

    name: str
    title: str
    explanation: str
    passes: Callable[[int, int, int], list[Pass]]
    total: Callable[[Sequence[Pass], Sequence[Floats]], Sum]
    first: tuple[FirstToken, ...] = ()
    strides: bool = False
    whole: bool = False
    splits: bool = False
    reported: str = ""
    caveat: str = ""


CONVENTIONS = (
    Convention(
        "one_window",
        "Plain mean over one window",
        "The mean NLL over the first context of the text. What stands behind it does not count.",
        beginning,
        every,
        reported="exp of the loss of one forward, as a first try has it",
    ),
    Convention(
        "harness_rolling",
        "lm-evaluation-harness, rolling",
        "Disjoint windows, each with one token of context before it, the first after BOS (else EOS); every token "
        "counts once, and so does a BOS that the tokenizer adds, which then stands there twice. The last window is "
        "filled up with context. Word and byte perplexity are made of the same sum.",
        rolling,
        every,
        first=("bos", "eos"),
        whole=True,
        splits=True,
        reported="lm-evaluation-harness, as word_perplexity, byte_perplexity and bits_per_byte",
    ),
    Convention(
        "hf_strided",
        "Hugging Face, strided",
        "The recipe of the page “Perplexity of fixed-length models”, with its off-by-one: the mean of every later "
        "window counts for one token fewer than the window scored.",
        strided,
        one_short,
        strides=True,
        reported="scripts that follow the documentation of transformers",
        caveat="off by one",
    ),
    Convention(
        "window_means",
        "Mean of window means",
        "A common mistake: disjoint windows are averaged as if all were of one length, and the first token of each is "
        "left out.",
        disjoint,
        of_means,
        reported="training loops that average the losses of their batches",
        caveat="a common mistake",
    ),
)
"""Beside arplay's own, which is what the ledger adds up."""


def per(nll: float, units: int) -> Sum:
    """What a word, a byte or a pixel costs: the same NLL over so many of them.

    >>> round(per(8 * math.log(2), 4).perplexity, 9), per(8 * math.log(2), 4).bits
    (4.0, 2.0)
    """
    return Sum(nll, units, nll / units if units else None)
