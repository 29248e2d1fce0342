"""Every figure of a scored text beside the same one made from the definition, in 64 bits from the weights on.

Nothing of arplay is used for it but the tokens: the network is transformers' own in float64, the softmax is written
out, and so is which tokens each one is read after.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import arplay
from arplay import paths
from arplay.models.hf import library
from tests import fixtures_smollm2

CLOSE = 1e-4
"""Nats of one token's log p."""
TEXT = "It was a dark and stormy night, and the old man sat by the fire. He said nothing for a long while.\n"
ANIMALS = (
    "fox",
    "hare",
    "cat",
    "owl",
    "crow",
    "hound",
    "mouse",
    "wolf",
    "horse",
    "goat",
    "duck",
    "swan",
    "seal",
    "bear",
)
LONG = "".join(f"{TEXT.strip()} On day {day} the {animal} came to the door. " for day, animal in enumerate(ANIMALS))
Floats = NDArray[np.float64]


def context_of(at: int, window: int, stride: int) -> int:
    """Where what token ``at`` is read after begins: the first of 0, S, 2S, ... that is at most a window before it."""
    start = 0
    while at - start > window:
        start += stride
    return start


def rows_of(folder: str, chain: list[int], window: int, stride: int) -> Floats:
    """Logits of each token of ``chain`` but the first, from what stands before it, shape (n - 1, V)."""
    network = library.causal_network(folder, dtype=torch.float64).eval()
    starts = [context_of(at, window, stride) for at in range(1, len(chain))]
    found: list[Floats] = []
    with torch.inference_mode():
        for start in dict.fromkeys(starts):
            ends = [at for at, its in enumerate(starts, 1) if its == start]
            logits = network(torch.tensor([chain[start : ends[-1]]])).logits[0]
            found.append(logits[[at - 1 - start for at in ends]].numpy())
    return np.concatenate(found)


def softmax(logits: Floats) -> Floats:
    parts = np.exp(logits - logits.max())
    p: Floats = parts / parts.sum()
    return p


def agree(model: str | Path, text: str, context: int | None = None) -> tuple[int, float]:
    """How many windows there were, and the largest difference of a log p."""
    loaded = arplay.load(model, device="cpu", dtype="float32", reading=arplay.Reading(context=context))
    score = loaded.score(text)
    window, ledger = context or loaded.info.context or 0, score.ledger
    lead = list(loaded.loaded.lead)
    ids = ledger.ids.tolist()
    chain = [*lead, *ids]
    rows = rows_of(loaded.info.source, chain, window, window // 2)
    largest, total = 0.0, []
    for at, logits in zip(range(1, len(chain)), rows, strict=True):
        row, id = at - len(lead), chain[at]
        if row < 0:
            continue
        p = softmax(logits)
        logp = math.log(p[id])
        total.append(logp)
        largest = max(largest, abs(logp - ledger.logprob[row]))
        assert abs(-float(np.sum(p * np.log(p, where=p > 0, out=np.zeros_like(p)))) - ledger.entropy[row]) < CLOSE
        above = int((logits > logits[id] + CLOSE).sum()), int((logits > logits[id] - CLOSE).sum())
        assert above[0] < ledger.rank[row] <= above[1] + 1, "as many are more probable, but for near ties"
        best = np.sort(np.log(p))[::-1][:5]
        np.testing.assert_allclose(ledger.best_logprobs[row], best, atol=CLOSE)
        np.testing.assert_allclose(np.log(p[ledger.best_ids[row]]), best, atol=CLOSE)
    assert largest < CLOSE
    assert abs(math.fsum(total) + score.nll_nats) < CLOSE * len(total), "the sum is that of its terms"
    assert score.nll_nats == pytest.approx(-math.fsum(ledger.logprob[~np.isnan(ledger.logprob)]), abs=1e-9)
    assert len(total) == ledger.totals.scored == len(chain) - 1 - max(0, len(lead) - 1)
    return len({context_of(at, window, window // 2) for at in range(1, len(chain))}), largest


def test_abc_is_the_table_itself() -> None:
    table = json.loads((paths.assets() / "models" / "abc.json").read_text())["rows"]
    text = "BACCABACBBCAACB" * 9
    ledger = arplay.load("abc").score(text).ledger
    ends = (text[max(0, at - 2) : at] for at in range(len(text)))
    rows = [table[end] if end in table else table[end[1:]] for end in ends]  # of the longest ending that has one
    wanted = [math.log(row[sign]) for row, sign in zip(rows, text, strict=True)]
    assert np.abs(ledger.logprob - wanted).max() < CLOSE
    assert ledger.totals.nll_nats == pytest.approx(-math.fsum(wanted), abs=1e-9)
    entropies = [-math.fsum(p * math.log(p) for p in row.values()) for row in rows]
    assert np.abs(ledger.entropy - entropies).max() < CLOSE


def test_english_over_several_windows() -> None:
    windows, _ = agree("english", LONG)
    assert windows > 1, "the text is longer than the context"


def test_english_in_small_windows() -> None:
    windows, _ = agree("english", LONG[:1200], context=64)
    assert windows > 5


def test_smollm2() -> None:
    folder = fixtures_smollm2.kept() / "smollm2"
    if not (folder / "config.json").is_file():
        pytest.skip("smollm2 was not fetched")
    windows, _ = agree(folder, LONG[:700], context=48)
    assert windows > 3


def test_another_context_would_show() -> None:
    """Negative control: were each window read from its own beginning, the figures would be others."""
    loaded = arplay.load("english", reading=arplay.Reading(context=64, stride=64))
    mine = loaded.score(LONG[:1200]).ledger.logprob
    loaded.reading = arplay.Reading(context=64)
    assert np.nanmax(np.abs(mine - loaded.score(LONG[:1200]).ledger.logprob)) > 100 * CLOSE
