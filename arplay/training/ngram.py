"""Counting n-grams for modified Kneser-Ney smoothing (models/families/ngram.py says what becomes of the counts).

A document is the separator, its tokens, and the separator once more: the end of a document is a token to predict, the
beginning is context only. No n-gram reaches from one document into another. In the highest order an n-gram counts how
often it occurs. Below it the count is that of the different tokens before it (continuation count, Kneser and Ney
1995), where the beginning of every document counts as a token of its own: n-grams that open a document, and have
nothing before them, count as often as they do so.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.models.families.ngram import NGRAM
from arplay.models.families.ngram.model import MAX_ENTRIES, MAX_ORDER, Counts, Level, Whole

Places = NDArray[np.int32]


def train(documents: Sequence[NDArray[np.int64]], order: int, vocabulary: int) -> Counts:
    """The counts of all n-grams of ``documents`` up to n = ``order`` over a vocabulary of V tokens.

    Each document is its ids, the separator first. Every order takes a sort of all the tokens: about 80 bytes of memory
    a token while it lasts. Raises Problem where there is nothing to count or the order is out of bounds, ValueError
    for ids that are not in the vocabulary.
    """
    if not 1 <= order <= MAX_ORDER:
        raise Problem(f"n-grams of order {order} are not counted", f"choose an order from 1 to {MAX_ORDER}")
    stream, offsets = _stream(documents, vocabulary)
    counts = np.bincount(stream[offsets > 0], minlength=vocabulary)
    tokens: Whole = np.arange(vocabulary)
    starts: Whole = np.array([0, vocabulary])
    places = stream  # of the n-gram that ends here among those of its order
    levels = []
    for n in range(2, order + 1):
        ends = np.flatnonzero(offsets >= n - 1)
        keys = places[ends - 1].astype(np.int64) * vocabulary + stream[ends]  # (place of the context, token)
        by_key = np.argsort(keys)
        keys = keys[by_key]
        new = np.concatenate([np.ones(min(1, len(keys)), dtype=bool), keys[1:] != keys[:-1]])
        ends = ends[by_key]
        # each different n-gram is one more token before the (n-1)-gram that it ends with
        before = np.bincount(places[ends[new]], minlength=len(tokens))
        if n > 2:
            before += np.bincount(places[offsets == n - 2], minlength=len(tokens))
        levels.append(_level(tokens, before, starts))
        keys = keys[new]
        following = np.bincount(keys // vocabulary, minlength=len(tokens))
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(following)])
        tokens = keys % vocabulary
        places = np.full(len(stream), -1, dtype=np.int32)
        places[ends] = np.cumsum(new) - 1
        counts = np.bincount(places[ends], minlength=len(tokens))
    levels.append(_level(tokens, counts, starts))
    return Counts(vocabulary, (Level.first(levels[0].counts), *levels[1:]))


def save(counts: Counts, folder: Path) -> None:
    """Write config.json and model.safetensors, each replaced whole; the tokenizer's files belong beside them."""
    from safetensors.numpy import save_file

    tables = {"counts.1": counts.levels[0].counts}
    for n, level in enumerate(counts.levels[1:], start=2):
        tables |= {f"pieces.{n}": level.tokens, f"counts.{n}": level.counts, f"starts.{n}": level.starts}
    config = {"model_type": NGRAM.model_type, "order": counts.order, "vocab_size": counts.vocabulary}
    with tempfile.TemporaryDirectory(dir=folder) as partial:
        save_file(tables, Path(partial) / "model.safetensors", metadata={"format": "np"})
        (Path(partial) / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        for path in sorted(Path(partial).iterdir()):
            path.chmod(0o644)  # safetensors writes for the owner alone
            path.replace(folder / path.name)


def _stream(documents: Sequence[NDArray[np.int64]], vocabulary: int) -> tuple[Places, Places]:
    """All documents after one another, each closed by its separator, and how far each token is from its beginning."""
    if not all(map(len, documents)):
        raise ValueError("a document begins with the separator")
    if not documents:
        raise Problem("there is no text to count n-grams in", "give a text that is not empty")
    lengths = np.array([len(document) + 1 for document in documents])
    if int(np.sum(lengths)) > MAX_ENTRIES:
        raise Problem(f"the text has more than {MAX_ENTRIES:,} tokens", "count n-grams in a part of it")
    stream = np.concatenate([part for document in documents for part in (document, document[:1])])
    if not 0 <= int(stream.min()) <= int(stream.max()) < vocabulary:
        raise ValueError(f"an id is outside the vocabulary of {vocabulary:,}")
    begins = np.cumsum(lengths) - lengths
    offsets = np.arange(len(stream), dtype=np.int32) - np.repeat(begins.astype(np.int32), lengths)
    return stream.astype(np.int32), offsets


def _level(tokens: Whole, counts: Whole, starts: Whole) -> Level:
    return Level(_small(tokens), _small(counts), _small(starts))


def _small(values: Whole) -> Whole:
    """In the smaller of two number types that holds every one of ``values``."""
    return values.astype(np.uint16 if len(values) == 0 or int(values.max()) < 1 << 16 else np.uint32)
