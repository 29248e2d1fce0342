"""A scored text as arrays, and back: what a file of it holds, so that it opens without its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST, Best, Ledger
from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Note, TokenSet
from arplay.core.modalities.text import Encoded
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.windows import Windows

Arrays = Mapping[str, NDArray[Any]]

COLUMNS: Mapping[str, tuple[str, int]] = {
    "text": ("u1", 1),
    "ids": ("i4", 1),
    "ends": ("i4", 1),
    "fixed": ("b1", 1),
    "logprob": ("f8", 1),
    "rank": ("i4", 1),
    "entropy": ("f4", 1),
    "best_ids": ("i4", 2),
    "best_logprobs": ("f4", 2),
    "known_ids": ("i4", 1),
    "known_ends": ("i8", 1),
    "known_bytes": ("u1", 1),
}
"""The arrays by name, with type and dimensions: n tokens each, but the bytes of the text and of the tokens in it."""

MOST_TOKENS = 100_000_000


def arrays(ledger: Ledger, tokens: TokenSet) -> Arrays:
    """Of a whole ledger of a text. ``known_*``: the bytes of each token that stands in it. Raises Problem."""
    encoded = ledger.encoded
    if not isinstance(encoded, Encoded) or not isinstance(tokens, Vocabulary):
        raise Problem("only scored texts are saved", "export the table of this one")
    if not ledger.complete:
        raise Problem("the text is not scored to its end", "wait for it")
    known = np.unique(np.concatenate([ledger.ids, ledger.best_ids.ravel()]))
    known = known[known >= 0]
    data = [tokens.data[id] or b"" for id in known.tolist()]
    found = {
        "text": np.frombuffer(encoded.data, np.uint8),
        "ids": encoded.ids,
        "ends": encoded.ends,
        "fixed": encoded.fixed,
        "logprob": ledger.logprob,
        "rank": ledger.rank,
        "entropy": ledger.entropy,
        "best_ids": ledger.best_ids,
        "best_logprobs": ledger.best_logprobs,
        "known_ids": known,
        "known_ends": np.cumsum([len(each) for each in data], dtype=np.int64),
        "known_bytes": np.frombuffer(b"".join(data), np.uint8),
    }
    return {name: np.asarray(found[name], kind) for name, (kind, _) in COLUMNS.items()}


def special(ledger: Ledger, tokens: TokenSet) -> list[int]:
    """Those of its ids that stand for themselves."""
    ids = {*ledger.ids.tolist(), *ledger.best_ids.ravel().tolist()}
    return sorted(tokens.special & ids)


def restored(found: Arrays, head: Mapping[str, Any]) -> tuple[Ledger, Vocabulary]:
    """The same ledger, and the tokens that stand in it. Raises ValueError for arrays that do not fit together."""
    for name, (kind, dimensions) in COLUMNS.items():
        if found[name].dtype != np.dtype(kind) or found[name].ndim != dimensions:
            raise ValueError(f"{name} is of another type")
    n, size = len(found["ids"]), head["vocabulary"]
    if n > MOST_TOKENS or any(len(found[name]) != n for name in list(COLUMNS)[1:9]):
        raise ValueError("its columns are not of one length")
    if found["best_ids"].shape != (n, BEST) or found["best_logprobs"].shape != (n, BEST):
        raise ValueError("it has another number of best tokens")
    ids, ends, known, known_ends = (found[name] for name in ("ids", "ends", "known_ids", "known_ends"))
    _rising(ends, len(found["text"]), "ends")
    _rising(known_ends, len(found["known_bytes"]), "known_ends")
    if len(known) != len(known_ends) or (len(known) and not 0 <= known.min() <= known.max() < size <= 1 << 24):
        raise ValueError("an id is outside of the vocabulary")
    there = np.concatenate([ids, found["best_ids"].ravel()])
    if not np.isin(there[there >= 0], known).all() or (ids < 0).any():
        raise ValueError("it has tokens whose bytes it does not tell")
    if (found["logprob"] > 1e-9).any() or (found["rank"] < 0).any():
        raise ValueError("it has what is no log-probability or no rank")
    data: list[bytes | None] = [None] * size
    spelled, start = found["known_bytes"].tobytes(), 0
    for id, end in zip(known.tolist(), known_ends.tolist(), strict=True):
        data[id], start = spelled[start:end] or None, end
    tokens = Vocabulary(head["tokens"], tuple(data), frozenset(head["special"]))
    window, stride, lead = head["windows"]
    ledger = Ledger(
        encoded=Encoded(found["text"].tobytes(), read_only(ids), read_only(ends), read_only(found["fixed"])),
        unit=tokens.unit,
        logprob=read_only(found["logprob"]),
        rank=read_only(found["rank"]),
        entropy=read_only(found["entropy"]),
        best=Best.of(found["best_ids"], found["best_logprobs"]),
        before=head["before"],
        done=n,
        first_token=head["first_token"],
        windows=Windows(window, stride, lead),
        added=tuple(Note(*note) for note in head["notes"]),
    )
    ledger.add_up()
    return ledger, tokens


def _rising(ends: NDArray[Any], last: int, name: str) -> None:
    if len(ends) and ((np.diff(ends) < 0).any() or ends[0] < 0 or ends[-1] != last):
        raise ValueError(f"{name} do not rise to {last:,}")
    if not len(ends) and last:
        raise ValueError(f"{name} are missing")
