"""Ledgers for tests: one made up of random figures for any tokens, and the true one of the table abc."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from arplay.core.chain import BEST, Best, Ledger
from arplay.core.modalities.base import Ids
from arplay.core.modalities.encoded_text import Encoded
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.windows import Windows
from arplay.engine.load import Loaded
from arplay.models.base import Capabilities, Info
from arplay.models.families.table.model import Table

TOKEN_COLUMNS = (
    *("index", "id", "text", "bytes", "start", "end", "byte_start", "byte_end"),
    *("logprob", "rank", "entropy", "context"),
)
"""What a table tells of every token of a text, by the names that people's programs read."""

ABC = Path(__file__).parent.parent / "assets" / "models" / "abc.json"


def random_ledger(
    tokens: Sequence[bytes],
    done: int | None = None,
    first_token: str = "unscored",
    window: int = 512,
    seed: int = 0,
    mean: float = 2.5,
) -> tuple[Ledger, Loaded]:
    """A ledger of these tokens with plausible made-up figures, and the vocabulary that it is over."""
    words = [b"<|start|>", *dict.fromkeys(tokens)]
    ids = np.array([words.index(p) for p in tokens] if len(tokens) < 5000 else _ids(words, tokens), np.int64)
    vocabulary = Vocabulary("fake", tuple(words), frozenset({0}))
    n, rng = len(ids), np.random.default_rng(seed)
    size = max(len(words), 2)
    logprob = -rng.exponential(mean, n)
    rank = np.clip(np.exp(-logprob * 0.9 + rng.normal(0, 0.4, n)), 1, 49152).astype(np.int64)
    best = np.sort(np.log(rng.dirichlet(np.full(BEST + 3, 0.6), n) + 1e-9)[:, :BEST], axis=1)[:, ::-1]
    best_ids = rng.integers(0, size - 1, (n, BEST))
    best_ids[:, 0] = np.where(rank == 1, ids, best_ids[:, 0])
    entropy = np.clip(-logprob * 0.5 + rng.normal(1.5, 0.6, n), 0.02, 10)
    stop = n if done is None else done
    blank = np.arange(n) >= stop
    if first_token == "unscored":
        blank = blank | (np.arange(n) == 0)
    logprob[blank], entropy[blank], rank[blank], best_ids[blank] = np.nan, np.nan, 0, -1
    ledger = Ledger(
        encoded=encoded_of(b"".join(tokens), ids, np.cumsum([len(p) for p in tokens], dtype=np.int64)),
        unit=vocabulary.unit,
        logprob=logprob,
        rank=rank,
        entropy=entropy,
        best=Best.of(best_ids, best),
        before=0,
        done=stop,
        first_token=first_token,
        windows=Windows.half(window),
    )
    info = Info("fake", "test", "test", "0", "float32", "cpu", size, window, 0)
    return ledger, Loaded(0, info, vocabulary, (0,), 0, 0, Capabilities(first_token == "model", "cropped", True))


def encoded_of(data: bytes, ids: Ids, ends: Ids) -> Encoded:
    """A text none of whose ids is fixed."""
    return Encoded(data, ids, ends, np.zeros(len(ids), bool))


def _ids(words: list[bytes], tokens: Sequence[bytes]) -> list[int]:
    place = {word: i for i, word in enumerate(words)}
    return [place[token] for token in tokens]


def abc_ledger(text: bytes = b"BAC") -> tuple[Ledger, Loaded]:
    """What the table abc says about a text."""
    table = Table.load(ABC)
    ids = table.alphabet.encode(text).ids
    scores = table.session().extend(ids.tolist())
    ledger = Ledger(
        encoded=encoded_of(text, ids, table.alphabet.vocabulary.ends(ids)),
        unit=table.alphabet.vocabulary.unit,
        logprob=scores.logprob,
        rank=scores.rank,
        entropy=scores.entropy,
        best=Best.of(scores.best_ids, scores.best_logprobs),
        before=0,
        done=len(ids),
        first_token="model",
        windows=Windows(1024, 512),
    )
    return ledger, Loaded(0, table.info, table.alphabet.vocabulary, (), None, None, table.can)


def prose(count: int, seed: int = 1) -> list[bytes]:
    """Made-up words, each with its space before it, with paragraphs."""
    rng = np.random.default_rng(seed)
    words = [b" the", b" of", b" city", b" was", b"ing", b" Paris", b",", b" and", b" river", b".", b" light", b"ed"]
    words += [b" a", b" slow", b" un", b"believ", b"able", b" morning", b" to", b"\n\n", b" in", b" it"]
    return [words[i] for i in rng.integers(0, len(words), count)]
