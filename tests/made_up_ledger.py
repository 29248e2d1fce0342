"""Made-up scores of a text of any length: what shows them does not ask where they are from."""

from __future__ import annotations

import numpy as np

from arplay.core.chain import Best, Ledger
from arplay.core.modalities.encoded_text import Encoded
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.windows import Windows

WORDS = [b" the", b" of", b" city", b" was", b"ing", b" Paris", b",", b" and", b" river", b".", b" light", b"ed", b"\n"]
WORDS += [b" a", b" slow", b" un", b"believ", b"able", b" morning", b" to", b" in", b" it", " été".encode(), b" they"]


def ledger_of(n: int) -> Ledger:
    """Made-up scores of made-up words, in paragraphs."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, len(WORDS), n, np.int32)
    ends = np.cumsum(np.array([len(word) for word in WORDS])[ids], dtype=np.int32)
    data = b"".join([WORDS[id] for id in ids.tolist()])
    best = Best.of(rng.integers(0, len(WORDS), (n, 5)), -np.sort(rng.exponential(3.0, (n, 5))))
    return Ledger(
        encoded=Encoded(data, ids, ends, np.zeros(n, bool)),
        unit=Vocabulary("words", tuple(WORDS), frozenset()).unit,
        logprob=-rng.exponential(3.0, n),
        rank=rng.integers(1, len(WORDS), n, np.int32),
        entropy=rng.exponential(2.0, n).astype(np.float32),
        best=best,
        before=0,
        done=n,
        first_token="model",
        windows=Windows.half(512),
    )
