"""An n-gram model: interpolated modified Kneser-Ney over the tokens of a tokenizer (Chen and Goodman 1999).

Of a context h and the next token w, with h' the context without its first token,

    p(w | h) = (c(h w) - D(c(h w)) + r(h) p(w | h')) / sum_v c(h v),    r(h) = sum_v D(c(h v)),

where a context that was never seen has p(w | h) = p(w | h'), and below the empty context stands 1 / V: every token has
p > 0 after every context. c counts occurrences in the highest order; below it the kinds of tokens that stood before
(training/ngram.py). D(0) = 0, and D(1), D(2), D(3) = D(4) = ... are taken from how many n-grams of the order have count
1, 2, 3, 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import Alphabet
from arplay.models.alphabets import open_tokenizer, opened
from arplay.models.base import Info, Report, check, reads_last
from arplay.models.families.looked_up import LookedUp
from arplay.models.families.ngram import NGRAM
from arplay.models.store.folder import MAX_VOCABULARY, Folder, digest, inspect, sizes

MAX_ORDER = 9
MAX_ENTRIES = 1 << 28
"""n-grams of one order; an index among them and a token of the vocabulary fit one int64 together."""

ABSOLUTE = (0.5, 1.0, 1.5)
"""D(1), D(2), D(3) of an order whose counts of counts give none: too little text for the estimate."""

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Whole = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one order, sorted by the index of their context among those of the order below, then by token.

    ``tokens`` (n,): the last token of each. ``counts`` (n,): its c. ``starts`` (m + 1,): those with context j are
    ``starts[j]`` to ``starts[j + 1]``. The first order has the one empty context, and every token, some with c = 0.
    """

    tokens: Whole
    counts: Whole
    starts: Whole

    @classmethod
    def first(cls, counts: Whole) -> Level:
        """The first order: ``counts`` (V,) of every token."""
        return cls(np.arange(len(counts), dtype=np.uint32), counts, np.array([0, len(counts)], dtype=np.uint32))

    @cached_property
    def discounts(self) -> Floats:
        """D(0), D(1), D(2), D(3), shape (4,): D(j) = j - (j + 1) Y n(j+1) / n(j) with Y = n(1) / (n(1) + 2 n(2)).

        n(j) n-grams have count j. Where one of the four is 0, or a D is not above 0, they are :data:`ABSOLUTE`.
        """
        n = [int(np.count_nonzero(self.counts == j)) for j in range(1, 5)]
        if all(n):
            y = n[0] / (n[0] + 2 * n[1])
            found = [j - (j + 1) * y * n[j] / n[j - 1] for j in (1, 2, 3)]
            if min(found) > 0:
                return np.array([0.0, *found])
        return np.array([0.0, *ABSOLUTE])

    @cached_property
    def totals(self) -> Ids:
        """sum_v c(h v) of every context, shape (m,); 0 for one that nothing follows."""
        return self._sums(self.counts)

    @cached_property
    def reserved(self) -> Floats:
        """r(h) of every context, shape (m,)."""
        kinds = (self._sums(self.counts == 1), self._sums(self.counts == 2), self._sums(self.counts > 2))
        return np.array(self.discounts[1:] @ np.stack(kinds))

    def find(self, contexts: Ids, tokens: Ids) -> Ids:
        """The indices of these n-grams, shape (n,); -1 for one that is not there. All are bisected at once."""
        low, end = self.starts[contexts].astype(np.int64), self.starts[contexts + 1].astype(np.int64)
        high = end
        while np.any(search := low < high):
            middle = (low + high) // 2
            below = self.tokens[np.minimum(middle, len(self.tokens) - 1)] < tokens
            low, high = np.where(search & below, middle + 1, low), np.where(search & ~below, middle, high)
        there = np.flatnonzero(low < end)
        there = there[self.tokens[low[there]] == tokens[there]]
        found = np.full(len(low), -1)
        found[there] = low[there]
        return found

    def index(self, context: int, token: int) -> int:
        """:meth:`find` of one n-gram."""
        if token > np.iinfo(self.tokens.dtype).max:  # no n-gram of this order ends with so high an id
            return -1
        start, end = int(self.starts[context]), int(self.starts[context + 1])
        at = start + int(np.searchsorted(self.tokens[start:end], self.tokens.dtype.type(token)))
        return at if at < end and self.tokens[at] == token else -1

    def refine(self, p: Floats, context: int) -> None:
        """Turn p(. | h') into p(. | h), shape (V,), in place; a context that nothing follows leaves it as it is."""
        row = slice(int(self.starts[context]), int(self.starts[context + 1]))
        counts = self.counts[row]
        if len(counts):
            discounts, total = self.discounts[np.minimum(counts, 3)], int(counts.sum(dtype=np.int64))
            p *= discounts.sum() / total
            p[self.tokens[row]] += (counts - discounts) / total

    def _sums(self, values: NDArray[Any]) -> Ids:
        running = np.zeros(len(values) + 1, dtype=np.int64)
        np.cumsum(values, out=running[1:])
        result: Ids = np.diff(running[self.starts])
        return result


@dataclass(frozen=True, eq=False)
class Counts:
    """All that an n-gram model knows: its levels, the first order first. ``vocabulary``: V."""

    vocabulary: int
    levels: tuple[Level, ...]

    @property
    def order(self) -> int:
        """n: tokens of the longest n-gram; the model looks at n - 1 tokens."""
        return len(self.levels)

    @property
    def entries(self) -> int:
        """n-grams of all orders."""
        return sum(len(level.counts) for level in self.levels)

    @cached_property
    def alone(self) -> Floats:
        """p of every token after no context, shape (V,)."""
        p = np.full(self.vocabulary, 1.0 / self.vocabulary)
        self.levels[0].refine(p, 0)
        return p

    def next(self, ids: Sequence[int]) -> Floats:
        """log p (nats) of every token after ``ids``, shape (V,)."""
        p = self.alone.copy()
        for length, level in enumerate(self.levels[1 : len(ids) + 1], start=1):
            context = self._index(ids[len(ids) - length :])
            if context >= 0:
                level.refine(p, context)
        result: Floats = np.log(p, out=p)
        return result

    def logprobs(self, ids: Ids) -> Floats:
        """log p (nats) of every token after those before it, shape (n,): the first after none."""
        p = np.full(len(ids), 1.0 / self.vocabulary)
        contexts = np.zeros(len(ids), dtype=np.int64)  # the index of what stands before each token, -1 if unseen
        for level in self.levels:
            at = np.flatnonzero(contexts >= 0)
            at = at[level.totals[contexts[at]] > 0]
            here = contexts[at]
            found = level.find(here, ids[at])
            counts = np.where(found >= 0, level.counts[found], 0) if len(level.counts) else found
            left = counts - level.discounts[np.minimum(counts, 3)]
            p[at] = (left + level.reserved[here] * p[at]) / level.totals[here]
            contexts = np.full(len(ids) + 1, -1)
            contexts[at + 1] = found  # an n-gram is the context of the token behind it
            contexts = contexts[:-1]
        result: Floats = np.log(p)
        return result

    def _index(self, ids: Sequence[int]) -> int:
        """The index of an n-gram among those of its order, -1 if it is not there; 0 for the empty one."""
        at = 0
        for level, id in zip(self.levels, ids, strict=False):
            at = level.index(at, id)
            if at < 0:
                break
        return at


class NgramModel(LookedUp):
    """Counts and the tokenizer of their tokens. Exact in float64; any prefix length."""

    def __init__(self, counts: Counts, alphabet: Alphabet, info: Info) -> None:
        self.counts, self.alphabet, self.info = counts, alphabet, info

    @property
    def wiring(self) -> str:
        return f"the last {self.counts.order - 1:,} tokens"

    def reads(self, index: int) -> NDArray[np.bool_]:
        return reads_last(index, self.counts.order - 1)

    def logprobs(self, ids: Sequence[int]) -> Floats:
        """log p(next | ids) in nats, shape (V,), read-only."""
        result = self.counts.next(ids)
        return read_only(result)

    def teacher_forced(self, ids: Sequence[int]) -> Floats:
        check(self.info, ids)
        return self.counts.logprobs(np.asarray(ids, dtype=np.int64))


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> NgramModel:
    """Load a folder that ``arplay.training.ngram.save`` wrote, with its tokenizer.

    ``device`` and ``dtype`` change nothing: probabilities are looked up on the CPU, in float64. Raises Problem for
    numbers that are no counts of n-grams, and whatever ``report`` raises to cancel.
    """
    folder = inspect(path, causal=False)
    report(None, "reading the counts")
    counts = read(folder)
    report(1.0, "opening the tokenizer")
    alphabet = opened(lambda: open_tokenizer(path, counts.vocabulary), path.name)
    info = Info(
        name=name,
        family=NGRAM.name,
        source=str(path),
        revision=digest(folder.weights),
        dtype="float64",
        device="cpu",
        vocabulary=counts.vocabulary,
        context=None,
        parameters=counts.entries,
        engine="numpy",
        why=f"order {counts.order}: it reads the last {counts.order - 1} tokens; counts are looked up on the CPU",
    )
    return NgramModel(counts, alphabet, info)


def read(folder: Folder) -> Counts:
    """The counts in a folder that was looked over. Raises Problem naming the file and what is wrong in it.

    The sizes are checked in the header, before anything is allocated.
    """
    from safetensors.numpy import load_file

    bounds = {"order": (1, MAX_ORDER), "vocab_size": (1, MAX_VOCABULARY)}
    order, vocabulary = sizes(folder.path, folder.config, bounds).values()
    file = folder.weights[0]
    label = f"{folder.path.name}/{file.name}"
    _check_header(folder, order, vocabulary, label)
    stored = load_file(file)
    levels = [Level.first(stored["counts.1"])]
    for k in range(2, order + 1):
        levels.append(Level(stored[f"pieces.{k}"], stored[f"counts.{k}"], stored[f"starts.{k}"]))
        wrong = _what_is_wrong(levels[-1], vocabulary)
        if wrong:
            raise _damaged(f"{label}: the {k}-grams have {wrong}")
    if not np.any(levels[0].counts):
        raise _damaged(f"{label}: no token was ever counted")
    return Counts(vocabulary, tuple(levels))


def _check_header(folder: Folder, order: int, vocabulary: int, label: str) -> None:
    expected = {"counts.1", *(f"{what}.{k}" for k in range(2, order + 1) for what in ("pieces", "counts", "starts"))}
    if len(folder.weights) > 1 or folder.tensors.keys() != expected:
        raise _damaged(f"{label} does not hold the counts of an n-gram model of order {order}")
    above = vocabulary
    for k in range(1, order + 1):
        shapes = {name: folder.tensors[name].shape for name in expected if name.endswith(f".{k}")}
        size = vocabulary if k == 1 else folder.tensors[f"counts.{k}"].elements
        wanted = {name: (above + 1,) if name.startswith("starts") else (size,) for name in shapes}
        if shapes != wanted or size > MAX_ENTRIES:
            raise _damaged(f"{label}: the {k}-grams have tables of sizes that do not go together")
        above = size
    strange = sorted(name for name, tensor in folder.tensors.items() if tensor.dtype not in ("U16", "U32"))
    if strange:
        raise _damaged(f"{label}: {strange[0]} does not hold whole numbers")


def _what_is_wrong(level: Level, vocabulary: int) -> str:
    """Why these tables are no level of an n-gram model; "" if they are one."""
    starts, tokens = level.starts, level.tokens
    if starts[0] != 0 or starts[-1] != len(tokens) or np.any(starts[1:] < starts[:-1]):
        return "contexts that do not follow one another"
    if len(tokens) and int(tokens.max()) >= vocabulary:
        return f"tokens outside the vocabulary of {vocabulary:,}"
    same = np.zeros(len(tokens) + 1, dtype=bool)  # whether the n-gram before each has its context
    same[1:] = True
    same[starts] = False
    if np.any(same[1:-1] & (tokens[1:] <= tokens[:-1])):
        return "tokens that are not sorted"
    return "a count of 0" if np.any(level.counts == 0) else ""


def _damaged(cause: str) -> Problem:
    return Problem(cause, "train it again, or fetch the model again")
