"""What the views of training show, as values: rows, gradients and batches, beside numpy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from arplay.core.modalities.encoded_text import bytes_of
from arplay.gui.training.batch import positions, records
from arplay.gui.training.gradient import gradient_of, signed
from arplay.gui.training.snapshots import Snapshot, bars_of_snapshot, order_of, steady_axis
from arplay.gui.training.timeline import loss_words, tokens_words
from arplay.gui.widgets.bars.painting import Columns, rank_text
from tests.replays import (
    TEXT,
    batch_losses,
    ids_of,
    plan,
    replayed,
    replays,
    report,
    softmax,
    tokens,
    vocabulary,
)

GIRL = 1 + tokens(TEXT).index(b" girl")


def test_rows_are_the_softmax_of_both_snapshots() -> None:
    this, newest = (Snapshot(replayed(step, GIRL)) for step in (700, 5000))
    p, last = softmax(this.answer.logits), softmax(newest.answer.logits)
    assert this.distribution and newest.distribution
    ids = order_of(this.distribution, newest.distribution, 12, by_this=False)
    assert ids.tolist() == np.argsort(-last, kind="stable")[:12].tolist()
    bars = bars_of_snapshot(this, newest, ids)
    assert bars is not None and bars.rest is not None
    for row in bars.rows:
        assert row.decoded == pytest.approx(p[row.id], abs=1e-15)
        assert row.prob == pytest.approx(last[row.id], abs=1e-15)
        assert row.rank == 1 + int((p > p[row.id]).sum())
    total = math.fsum(row.decoded or 0.0 for row in bars.all_rows) + (bars.rest.decoded or 0.0)
    assert total == pytest.approx(1.0, abs=1e-12)
    assert bars.rest.count + len(bars.all_rows) == len(p)
    assert [row.id for row in bars.all_rows if row.actual] == [this.answer.target]


def test_the_true_token_is_pinned_where_it_has_no_row() -> None:
    this = Snapshot(replayed(0, GIRL))
    assert this.distribution and this.answer.target is not None
    ids = np.array([id for id in this.distribution.top(9) if id != this.answer.target], np.int64)
    bars = bars_of_snapshot(this, this, ids)
    assert bars is not None and bars.pinned is not None and bars.pinned.id == this.answer.target


def test_one_axis_holds_every_snapshot() -> None:
    snapshots = [Snapshot(answer) for answer in replays(GIRL)]
    most = max(float(softmax(snapshot.answer.logits).max()) for snapshot in snapshots)
    ids = np.arange(5)
    assert most <= steady_axis(snapshots, ids, log=False).high <= 2.5 * most
    assert steady_axis(snapshots, ids, log=True).high == 1.0


def test_the_gradient_is_p_minus_one_hot() -> None:
    answer = replayed(700, GIRL)
    assert answer.target is not None
    p = softmax(answer.logits)
    ids = np.argsort(-p)[:8]
    gradient = gradient_of(answer.logits, answer.target, ids, answer.vocabulary)
    assert gradient is not None
    assert gradient.true.value == pytest.approx(p[answer.target] - 1, abs=1e-14)
    assert gradient.true.true and gradient.true.text == "␣girl"
    assert [row.id for row in gradient.rows] == [id for id in ids.tolist() if id != answer.target]
    assert [row.value for row in gradient.rows] == pytest.approx([p[row.id] for row in gradient.rows])
    assert gradient.size == len(p)
    assert abs(gradient.total) < 1e-12
    whole = gradient.true.value + math.fsum(row.value for row in gradient.rows) + gradient.others_value
    assert whole == pytest.approx(0.0, abs=1e-12)
    assert gradient_of(np.full(5, np.nan, np.float32), 1, np.arange(2), vocabulary()) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.5, "+0.5000"), (-0.98765, "−0.9877"), (-2e-6, ">−0.0001"), (0.0, "0"), (0.0004999, "+0.0005")],
)
def test_a_gradient_is_never_rounded_to_nothing(value: float, words: str) -> None:
    assert signed(value) == words


def test_the_ledger_and_the_mean_of_a_snapshot() -> None:
    answer = replayed(700)
    snapshot = Snapshot(answer)
    assert bytes_of(snapshot.ledger.encoded) == TEXT.encode()
    assert snapshot.ledger.ids.tolist() == ids_of(TEXT, answer.vocabulary)
    assert snapshot.mean_nats == pytest.approx(-np.nanmean(answer.logprob))
    assert snapshot.lead == ("<s>",)
    bare = Snapshot(replayed(700, lead=False))
    assert math.isnan(bare.ledger.logprob[0]) and bare.ledger.first_token == "unscored"
    assert bare.ledger.totals.scored == len(bare.ledger) - 1


def test_how_far_training_was() -> None:
    reports = [report(step) for step in (0, 100, 1000)]
    assert tokens_words(700, plan(), reports) == f"{700 * 8 * 256:,} tokens"
    assert tokens_words(100, None, reports) == f"{100 * 2048:,} tokens"
    assert tokens_words(700, None, reports) == ""
    near = reports[1]
    assert near.held_out is not None
    words = f"held-out {near.held_out:.3f} nats/token = {near.held_out_bits_per_byte:.3f} bits/byte"
    assert loss_words(100, reports, "nats") == words
    assert loss_words(130, reports, "nats") == f"{words} (measured at step 100)"
    training = [replace(one, held_out=None, held_out_bits_per_byte=None) for one in reports]
    words = f"training {near.loss / math.log(2):.3f} bits/token = {near.bits_per_byte:.3f} bits/byte"
    assert loss_words(100, training, "bits") == words
    assert loss_words(100, [], "nats") == ""


def test_the_rows_of_a_batch_are_shifted_by_one() -> None:
    result = batch_losses()
    rows = positions(result, vocabulary())
    assert [row.target.id for row in rows[:-1]] == [row.input.id for row in rows[1:]]
    assert [row.one_pass for row in rows] == result.one_pass.tolist()
    found = records(rows)
    assert found[GIRL - 1]["target"] == " girl" and found[GIRL - 1]["input"] == " little"
    assert found[0]["stepped_nats"] == result.stepped[0]


@pytest.mark.parametrize("width", [340.0, 500.0, 900.0])
def test_the_bars_of_all_snapshots_begin_at_one_place(qapp: QApplication, width: float) -> None:
    newest = Snapshot(replayed(5000, GIRL, size=12_000))
    assert newest.distribution is not None
    first: list[tuple[float, float]] = []
    longest = set()
    for step in (0, 5000):
        bars = bars_of_snapshot(Snapshot(replayed(step, GIRL, size=12_000)), newest, np.arange(3))
        best = bars_of_snapshot(newest, newest, newest.distribution.top(5)) if step else bars
        assert best is not None
        longest.add(max(len(rank_text(row)) for row in best.rows))
        first.append(Columns.fit(best, width).bar)
    assert len(longest) == 2  # the ranks differ in their digits
    assert first[0] == first[1]
