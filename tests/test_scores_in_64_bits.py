"""log p and entropy are sums over the vocabulary in 64 bits: nothing that a long text would add up is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from arplay.core.distribution import entropy, log_softmax
from arplay.models.scoring_rows import logprobs_of, score_rows

BOUND = 1e-9
"""Of the sum over a text; of a text that a model all but knows, in nats a token."""

OF_ENTROPIES = 5e-9
"""Of that of entropies, in which what small numbers lose beside larger ones counts as often as they have nats."""


def rows(vocabulary: int, spread: float, seed: int) -> tuple[torch.Tensor, list[int]]:
    """Logits of many places of a text, and tokens drawn by them."""
    draw = torch.Generator().manual_seed(seed)
    n = 2500 if vocabulary < 1000 else 1000 if vocabulary < 10_000 else 150
    logits = spread * torch.randn(n, vocabulary, generator=draw)
    return logits, torch.multinomial(torch.softmax(logits, -1), 1, generator=draw)[:, 0].tolist()


def in_32_bits(logits: torch.Tensor, ids: Sequence[int]) -> float:
    return math.fsum(torch.log_softmax(logits, -1)[range(len(ids)), ids].double().tolist())


def apart(a: float, b: float, n: int) -> float:
    return abs(a - b) / max(abs(b), n)


@pytest.mark.parametrize("spread", [0.5, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("vocabulary", [3, 33, 4099, 49_152])
def test_sums_over_a_text_are_those_of_64_bits(vocabulary: int, spread: float) -> None:
    logits, ids = rows(vocabulary, spread, seed=vocabulary)
    true = torch.log_softmax(logits.double(), -1).numpy()
    total = math.fsum(row[id] for row, id in zip(true, ids, strict=True))
    mine, _, uncertain, best_ids, best = score_rows(torch, logits[1:], ids, before=logits[0])
    assert apart(math.fsum(mine), total, len(ids)) < BOUND
    assert apart(math.fsum(logprobs_of(torch, logits, ids)), total, 0) < 1e-12
    assert apart(math.fsum(uncertain), math.fsum(entropy(row) for row in true), len(ids)) < OF_ENTROPIES
    some = np.take_along_axis(true, np.maximum(best_ids, 0), 1)
    assert np.abs((best - some)[best_ids >= 0]).max() < 1e-6


def test_a_sum_in_32_bits_would_show() -> None:
    logits, ids = rows(49_152, 3.0, seed=1)
    total = math.fsum(logprobs_of(torch, logits, ids))
    assert apart(in_32_bits(logits, ids), total, len(ids)) > 30 * BOUND


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_no_score(bad: float) -> None:
    logits, ids = rows(33, 1.0, seed=0)
    logits = logits[:9]
    logits[4, 7] = bad
    logprob, rank, entropy, best_ids, _ = score_rows(torch, logits, ids[:9])
    assert np.flatnonzero(np.isnan(logprob)).tolist() == [4] == np.flatnonzero(np.isnan(entropy)).tolist()
    assert (rank[4], best_ids[4].tolist()) == (0, [-1] * 5)


def test_forbidden_tokens_have_no_share() -> None:
    logits, _ = rows(33, 1.0, seed=0)
    logits = logits[:9]
    logits[:, 7:] = -math.inf
    mine, rank, uncertain, _, _ = score_rows(torch, logits, [3] * 9)
    true = [log_softmax(row[:7]) for row in logits.numpy()]
    assert mine == pytest.approx([row[3] for row in true], abs=1e-6)
    assert uncertain == pytest.approx([entropy(row) for row in true], abs=1e-6)
    assert rank.max() <= 7
