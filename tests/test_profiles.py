"""The figures behind the plots: by hand, by brute force, and the same however a text is cut into blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core import profiles
from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.profiles import tallied
from arplay.export.plots import PLOTS, How
from tests.ledgers import prose, random_ledger

sizes, seeds = st.integers(1, 60), st.integers(0, 99)


def made(size: int, seed: int, done: int | None = None, impossible: bool = False) -> Ledger:
    """With ``impossible``, some tokens that the model gave p = 0."""
    ledger, _ = random_ledger(prose(size), seed=seed, window=8, done=done)
    if not impossible:
        return ledger
    logprob = np.where(np.arange(size) % 5 == 3, -np.inf, ledger.logprob)
    return replace(ledger, logprob=np.where(np.isnan(ledger.logprob), np.nan, logprob))


def surprisals(ledger: Ledger, unit: str) -> np.ndarray:
    found = -ledger.logprob[: ledger.done]
    return found[~np.isnan(found)] / (LN2 if unit == "bits" else 1)


@given(st.integers(1, 150), seeds, st.booleans(), st.sampled_from(["nats", "bits"]), st.integers(1, 9))
def test_the_rolling_mean_is_that_of_the_last_known_ones(
    size: int, seed: int, odd: bool, unit: str, width: int
) -> None:
    ledger = made(size, seed, impossible=odd)
    found = tallied(profiles.Along(size, width, unit), ledger)
    each = -ledger.logprob / (LN2 if unit == "bits" else 1)
    for at in range(size):
        known = [value for value in each[: at + 1] if np.isfinite(value)]
        expected = np.mean(known[-width:]) if known else np.nan
        assert found.smooth[at] == pytest.approx(expected, nan_ok=True)
        assert found.each[at] == pytest.approx(each[at] if np.isfinite(each[at]) else np.nan, nan_ok=True)
    assert found.beyond == np.isinf(each).sum()
    lows, highs = (np.fmin.reduce, np.fmax.reduce)
    for values, packed in zip((found.each, found.smooth), found.packed, strict=True):
        parts = [values[at : at + profiles.PACK] for at in range(0, size, profiles.PACK)]
        assert packed == pytest.approx(np.array([(lows(part), highs(part)) for part in parts]), nan_ok=True)
    whole = np.flatnonzero(np.cumsum(np.isfinite(each)) >= width)
    assert found.peak == (whole[np.argmax(found.smooth[whole])] if len(whole) else None)


@given(sizes, seeds, st.booleans(), st.sampled_from(["nats", "bits"]), st.sampled_from([0.25, 0.5, 1.0, 3.0]))
def test_a_histogram_counts_every_token_once(size: int, seed: int, odd: bool, unit: str, width: float) -> None:
    ledger = made(size, seed, impossible=odd)
    found, values = tallied(profiles.Surprisals(width, unit), ledger), surprisals(ledger, unit)
    shown = found.histogram
    assert shown.total == len(values) and shown.beyond == np.isinf(values).sum()
    for low, high, count in zip(shown.edges[:-1], shown.edges[1:], shown.counts, strict=True):
        assert count == ((low <= values) & (values < high)).sum()
    finite = values[np.isfinite(values)]
    assert found.mean == pytest.approx(finite.mean() if len(finite) else np.nan, nan_ok=True)


@given(sizes, st.integers(1, 9), seeds)
def test_ranks_and_contexts_count_every_scored_token_once(size: int, done: int, seed: int) -> None:
    ledger = made(size, seed, done=min(size, done * 7))
    ranks, scored = tallied(profiles.Ranks(), ledger).histogram, int(ledger.scored.sum())
    assert ranks.total == int((ledger.rank > 0).sum())
    for low, high, count in zip(ranks.edges[:-1], ranks.edges[1:], ranks.counts, strict=True):
        assert count == int(((ledger.rank >= low) & (ledger.rank < high) & (ledger.rank > 0)).sum())
    found, values = tallied(profiles.Depths("bits"), ledger).contexts, -ledger.logprob / LN2
    assert found.counts.sum() == scored and (np.diff(found.first) > 0).all()
    for at, first in enumerate(found.first.tolist()):
        inside = ledger.scored & (ledger.context >= first) & (ledger.context <= max(2 * first - 1, first))
        mine = values[inside]
        assert found.counts[at] == len(mine) and found.mean[at] == pytest.approx(mine.mean())
        if len(mine) > 1:
            half = profiles.Z * mine.std(ddof=1) / np.sqrt(len(mine))
            assert (found.low[at], found.high[at]) == pytest.approx((mine.mean() - half, mine.mean() + half), abs=1e-6)
        else:
            assert np.isnan(found.low[at])


@given(st.integers(3, 60), seeds, st.booleans())
def test_entropy_against_surprisal_by_brute_force(size: int, seed: int, odd: bool) -> None:
    ledger = made(size, seed, impossible=odd)
    found = tallied(profiles.Expected("bits"), ledger)
    pairs = np.stack([ledger.entropy, -ledger.logprob]) / LN2
    x, y = pairs[:, np.isfinite(pairs).all(axis=0)].astype(np.float64)
    assert found.counted == len(x) == found.cells.sum()
    cells = np.zeros_like(found.cells)
    for one, other in zip(x, y, strict=True):
        cells[int(one / profiles.CELL[0]), int(other / profiles.CELL[1])] += 1
    assert np.array_equal(cells, found.cells)
    assert found.means == pytest.approx((x.mean(), y.mean()))
    if len(x) > 2:
        assert found.correlation == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-6)


@given(sizes, seeds, st.booleans(), st.integers(1, 9), st.booleans())
def test_extremes_are_the_first_of_all_sorted_by_surprisal(
    size: int, seed: int, odd: bool, n: int, surprising: bool
) -> None:
    ledger = made(size, seed, impossible=odd)
    ledger = replace(ledger, logprob=np.round(ledger.logprob))  # with ties
    rows = np.flatnonzero(~np.isnan(ledger.logprob)).tolist()
    ordered = sorted(rows, key=lambda row: (ledger.logprob[row] * (1 if surprising else -1), row))
    found = tallied(profiles.Extremes(n, surprising), ledger)
    assert found.rows.tolist() == ordered[:n] and found.counted == len(rows)


@given(st.integers(2, 60), seeds, st.lists(st.integers(1, 20), min_size=1), st.booleans())
def test_a_plot_is_the_same_however_the_text_is_cut(size: int, seed: int, steps: list[int], odd: bool) -> None:
    """As it is while a text grows."""
    ledger, loaded = random_ledger(prose(size), seed=seed, window=8)
    ledger = made(size, seed, impossible=odd)
    for kind in PLOTS:
        how = How("bits", 3)
        whole, blocks, first = kind.of(ledger, how), kind.begins(ledger, how), 0
        for step in [*steps, size]:
            stop = min(size, first + step)
            blocks.add(ledger, first, stop)
            first = stop
        tables = [kind.rows(each, ledger, loaded.vocabulary, how) for each in (whole, blocks)]
        for one, other in zip(*tables, strict=True):
            assert one.keys() == other.keys() == set(kind.columns)
            for name, value in one.items():
                assert other[name] == (pytest.approx(value) if isinstance(value, float) else value)
        assert kind.counted(whole) == kind.counted(blocks)


def test_what_a_plot_lacks_is_said() -> None:
    """A model at a server tells no entropy, one that breaks gives NaN, and an empty text has nothing."""
    ledger, _ = random_ledger(prose(30))
    told = {kind.name: kind for kind in PLOTS}
    blind = replace(ledger, entropy=np.full(30, np.nan, np.float32), rank=np.zeros(30, np.int32))
    how = How()
    assert "entropy" in told["entropy"].told(told["entropy"].of(blind, how), how)
    assert "rank" in told["ranks"].told(told["ranks"].of(blind, how), how)
    nothing = replace(blind, logprob=np.full(30, np.nan))
    for kind in PLOTS:
        for lacking in (nothing, ledger.part(0, 0)):
            tally = kind.of(lacking, how)
            assert not kind.counted(tally) and kind.told(tally, how).startswith("Nothing to see: ")
        assert not kind.told(kind.of(ledger, how), how).startswith("Nothing")  # negative control


@given(st.integers(2, 60), seeds, st.sampled_from([1, 5]))
def test_calibration_by_brute_force(size: int, seed: int, among: int) -> None:
    ledger, _ = random_ledger(prose(size), seed=seed)
    claims: list[list[tuple[float, bool]]] = [[] for _ in range(10)]
    for index in np.flatnonzero(ledger.scored).tolist():
        for id, logprob in ledger.best.at(index)[:among]:
            p = float(np.exp(logprob))
            claims[min(int(p * 10), 9)].append((p, id == ledger.ids[index]))
    found = tallied(profiles.Claims(among), ledger).calibration
    full = [each for each in claims if each]
    assert found.counts.tolist() == [len(each) for each in full]
    assert found.claimed == pytest.approx([np.mean([p for p, _ in each]) for each in full])
    assert found.came == pytest.approx([np.mean([hit for _, hit in each]) for each in full])
    assert ((found.low <= found.came + 1e-12) & (found.came <= found.high + 1e-12)).all()
