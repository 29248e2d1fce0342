"""The chain rule's ledger and its totals, by hand."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.chain import BEST, BLOCK, Best, Ledger, underflows
from arplay.core.format import power_of_ten
from arplay.core.modalities.vocabulary import BYTE
from arplay.core.windows import Windows
from arplay.engine.scoring import Known
from arplay.models.families.table.model import Table
from tests.ledgers import ABC, abc_ledger, encoded_of
from tests.test_jobs import scored, state_of


def ledger(tokens: list[bytes], logprob: list[float], **changes: Any) -> Ledger:
    n = len(tokens)
    made = Ledger(
        encoded=encoded_of(b"".join(tokens), np.arange(n), np.cumsum([len(token) for token in tokens], dtype=np.int64)),
        unit=BYTE,
        logprob=np.array(logprob, dtype=np.float64),
        rank=np.where(np.isnan(logprob), 0, 1) if n else np.zeros(0, np.int64),
        entropy=np.array(logprob, dtype=np.float64),
        best=Best.nothing(n),
        before=0,
        done=n,
        first_token="unscored",
        windows=Windows(8, 4),
    )
    return dataclasses.replace(made, **changes)


def test_bac_is_the_textbook() -> None:
    bac, _ = abc_ledger(b"BAC")
    assert -bac.logprob == pytest.approx([0.916, 0.693, 0.511], abs=5e-4)
    assert math.exp(bac.running[-1]) == pytest.approx(0.4 * 0.5 * 0.6) == pytest.approx(0.12)
    totals = bac.totals
    assert (totals.tokens, totals.scored, totals.units, totals.first_token) == (3, 3, 3, "model")
    assert totals.nll_nats == pytest.approx(2.1203, abs=5e-5)
    assert totals.nll_bits == pytest.approx(-math.log2(0.12))
    assert totals.perplexity == pytest.approx(0.12 ** (-1 / 3))
    assert totals.bits_per_unit == pytest.approx(-math.log2(0.12) / 3)
    other, _ = abc_ledger(b"BAB")
    assert other.totals.nll_nats != pytest.approx(2.1203, abs=5e-5)


def test_the_entropy_of_a_token_is_not_its_surprisal() -> None:
    bac, _ = abc_ledger(b"BAC")
    by_hand = -(0.3 * math.log(0.3) + 0.4 * math.log(0.4) + 0.3 * math.log(0.3))
    assert bac.entropy[0] == pytest.approx(by_hand) != pytest.approx(-bac.logprob[0])
    assert math.fsum(bac.entropy) != pytest.approx(bac.totals.nll_nats)


def test_an_unscored_first_token_is_counted_and_left_out_of_every_mean() -> None:
    totals = ledger([b"abcd", b"ef", b"g"], [math.nan, math.log(0.5), math.log(0.125)]).totals
    assert (totals.tokens, totals.scored, totals.units, totals.units_total) == (3, 2, 3, 7)
    assert totals.nll_bits == pytest.approx(4)
    assert totals.perplexity == pytest.approx(4)
    assert totals.bits_per_unit == pytest.approx(4 / 3)
    assert totals.bits_per_unit != pytest.approx(4 / 7)  # as if the first token had been free


def test_only_the_part_with_the_first_token_may_leave_it_unscored() -> None:
    whole = ledger([b"a", b"b", b"c"], [math.nan, math.nan, -1.0])
    assert [len(part.notes) for part in (whole, whole.part(0, 1), whole.part(1, 3))] == [1, 0, 1]


def test_bytes_are_those_of_the_tokens_not_of_replacement_characters() -> None:
    euro = "€".encode()
    split = ledger([euro[:1], euro[1:]], [math.log(0.5), math.log(0.5)])
    as_shown = sum(len(token.decode(errors="replace").encode()) for token in (euro[:1], euro[1:]))
    assert split.totals.units == 3 != as_shown
    assert split.totals.bits_per_unit == pytest.approx(2 / 3)
    assert split.totals.counts == (("characters", 1), ("words", 1))


def test_perplexity_may_be_more_than_a_float_and_nothing_has_none() -> None:
    assert ledger([b"a"], [-710.0]).totals.perplexity == math.inf
    assert ledger([b"a"], [-700.0]).totals.perplexity == pytest.approx(math.exp(700))
    assert ledger([b"a", b"b"], [-math.inf, -1.0]).totals.perplexity == math.inf
    for nothing in (ledger([], []), ledger([b"a"], [math.nan])):
        assert nothing.totals.nll_nats == 0 and math.copysign(1, nothing.totals.nll_nats) == 1
        assert nothing.totals.perplexity is None and nothing.totals.bits_per_unit is None
    assert ledger([], []).starts.tolist() == [] and ledger([], []).complete


def test_the_running_sum_passes_over_the_unscored_and_keeps_minus_infinity() -> None:
    text = ledger([b"a"] * 4, [math.nan, -1.0, -math.inf, -1.0])
    assert text.running.tolist() == [0.0, -1.0, -math.inf, -math.inf]
    assert text.scored.tolist() == [False, True, True, True]
    assert text.totals.nll_nats == math.inf
    assert text.starts.tolist() == [0, 1, 2, 3]


def test_a_long_sum_is_exact() -> None:
    tenth = ledger([b"a"] * 100_000, [-0.1] * 100_000)
    assert tenth.totals.nll_nats == 0.1 * 100_000
    assert sum(0.1 for _ in range(100_000)) != 10_000


@pytest.mark.parametrize(
    ("logprob", "mantissa", "exponent"),
    [
        (0.0, 1.0, 0),
        (math.log(0.12), 1.2, -1),
        (math.log(1e-5), 1.0, -5),
        (math.log(9.5), 9.5, 0),
        (-1e6, 3.29683, -434295),
        (-math.inf, 0.0, 0),
    ],
)
def test_power_of_ten(logprob: float, mantissa: float, exponent: int) -> None:
    got = power_of_ten(logprob)
    assert got[0] == pytest.approx(mantissa, rel=1e-5) and got[1] == exponent


@given(st.floats(-1e9, 0) | st.integers(0, 400).map(lambda n: -n * math.log(10)))
def test_power_of_ten_is_normalised_and_exact(logprob: float) -> None:
    mantissa, exponent = power_of_ten(logprob)
    assert 1 <= mantissa < 10
    assert math.log(mantissa) + exponent * math.log(10) == pytest.approx(logprob, rel=1e-12, abs=1e-8)


@given(st.floats(-760, 0))
def test_underflow_is_where_the_product_is_zero_and_the_probability_is_not(logprob: float) -> None:
    assert underflows(logprob) == (math.exp(logprob) == 0)


def test_the_border_of_underflow() -> None:
    assert underflows(-746.0) and not underflows(-745.0)  # exp(-745) is the smallest float, exp(-746) is 0
    assert not underflows(-math.inf)  # p is zero in truth
    lost = ledger([b"a"] * 400, [math.log(0.1)] * 400)
    assert np.prod(np.exp(lost.logprob)) == 0  # the product is lost, the sum is not
    mantissa, exponent = power_of_ten(float(lost.running[-1]))
    assert mantissa == pytest.approx(1.0) and exponent == -400


def nbytes(value: object, seen: set[int]) -> int:
    """Bytes of all arrays that ``value`` holds, each counted once; those of a text are not among them."""
    if isinstance(value, np.ndarray):
        base = value
        while isinstance(base.base, np.ndarray):
            base = base.base
        known, _ = id(base) in seen, seen.add(id(base))
        return 0 if known else base.nbytes
    if isinstance(value, tuple):
        return sum(nbytes(part, seen) for part in value) + 8 * len(value)
    return sum(nbytes(part, seen) for part in getattr(value, "__dict__", {}).values())


def test_a_finished_ledger_takes_few_bytes_a_token() -> None:
    n = 20_000
    text = b"BACBACCABA" * (n // 10)
    state = state_of(Table.load(ABC))
    known = scored(state, text)
    assert len(known) == n and 50 < nbytes(known, set()) / n <= 61
    work = state.kept(Known).work
    assert work is not None  # what the worker keeps of it to go on from is the same arrays
    both: set[int] = set()
    assert nbytes(known, both) + nbytes(work.columns, both) < nbytes(known, set()) + 100  # but for how it is filled
    wide = dataclasses.replace(known, rank=known.rank.astype(np.int64))  # control
    assert nbytes(wide, set()) / n > 63


@given(st.lists(st.lists(st.integers(-1, 2**24 - 2), min_size=BEST, max_size=BEST), max_size=4))
def test_the_best_are_kept_as_they_are(rows: list[list[int]]) -> None:
    ids = np.array(rows, np.int64).reshape(-1, BEST)
    best = Best.of(ids, np.full(ids.shape, -0.5))
    assert np.array_equal(best.ids, ids)
    for i, row in enumerate(rows):
        assert best.at(i) == tuple((id, -0.5) for id in row if id >= 0)
        assert np.array_equal(best[i : i + 1].ids, ids[i : i + 1])


@given(st.integers(0, 3 * BLOCK), st.integers(0, 9), st.data())
def test_running_sums_are_those_of_all_before(n: int, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(n) < 0.1, np.nan, -rng.exponential(3.0, n))
    done = data.draw(st.integers(0, n))
    known = ledger([b"a"] * n, values.tolist(), done=done)
    expected = np.cumsum(np.where(np.isnan(values) | (np.arange(n) >= done), 0.0, values))
    assert known.running == pytest.approx(expected, rel=1e-12)
    if n:
        index = data.draw(st.integers(0, n - 1))
        assert known.running_at(index) == known.running[index]
    assert known.totals.nll_nats == pytest.approx(-math.fsum(values[:done][~np.isnan(values[:done])]), rel=1e-14)
