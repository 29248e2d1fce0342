"""The folder of a run, read while it is written: strict records, whole snapshots, a log that may be torn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.training.run_folder import Plan, Report, RunFolder

PLAN = Plan(
    family="transformer", texts=("/a.txt",), recipe="", sha256=("0" * 64,), tokenizer="", vocabulary=300, width=64,
    layers=2, heads=1, hidden=128, context=32, tokens=32 * 8 * 100, batch=8, muon_rate=0.02, adamw_rate=0.004,
    warmup=0.01, cooldown=0.5, weight_decay=0.1, clip=1.0, seed=1, device="cpu", threads=1, processes=1,
    precision="float32", compile=False, order=0,
)  # fmt: skip
REPORT = Report(0, 100, 0, 0.5, 5.7, None, 2.5, None, 1000.0, 99.5, 0.01)

finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.tuples(
    *[st.integers(0, 1 << 53)] * 3, *[finite] * 2, finite | st.none(), finite, finite | st.none(), *[finite] * 3
)


@given(values.map(lambda given: Report(*given)))
def test_a_report_is_one_line_and_comes_back(report: Report) -> None:
    line = report.to_json()
    assert "\n" not in line
    assert Report.from_json(line) == report


def test_a_plan_comes_back_and_only_the_whole_of_it() -> None:
    assert Plan.from_json(PLAN.to_json()) == PLAN
    written = json.loads(PLAN.to_json())
    wrong = (
        {"seed": 1.5},
        {"seed": True},
        {"family": "gan"},
        {"texts": "a"},
        {"more": 1},
        {"clip": "1"},
        {"batch": 0},
        {"clip": 10**400},
        {"width": 1 << 40},
        {"threads": 1 << 20},
    )
    for change in wrong:
        with pytest.raises(ValueError, match=next(iter(change))):
            Plan.from_json(json.dumps(written | change))
    for text in ("[]", "{}", PLAN.to_json().replace("0.004", "NaN"), PLAN.to_json()[:-3]):
        with pytest.raises(ValueError):
            Plan.from_json(text)


@given(st.integers(1, 5000))
def test_snapshots_hold_the_first_and_the_last_step_and_are_denser_early(steps: int) -> None:
    at = replace(PLAN, tokens=steps * PLAN.batch * PLAN.context).snapshots()
    assert (at[0], at[-1]) == (0, steps)
    assert at == sorted(set(at))
    assert len(at) <= 25
    if steps >= 1000:
        assert at[1] - at[0] < at[-1] - at[-2]


def test_a_log_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    folder, reader = RunFolder(tmp_path), RunFolder(tmp_path)
    assert not reader.reports()
    assert not reader.resumable()
    folder.write_plan(PLAN)
    folder.append(REPORT)
    log = tmp_path / "training" / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + replace(REPORT, step=3).to_json().encode()[:-4])
    assert reader.reports() == (REPORT,)
    log.write_bytes(whole + replace(REPORT, step=3).to_json().encode() + b"\n")
    assert [report.step for report in reader.reports()] == [0, 3]
    assert reader.resumable()
    folder.append(replace(REPORT, step=100))
    assert reader.done()
    assert not reader.resumable()
    log.write_bytes(whole + b"nonsense\n" * 300)
    with pytest.raises(Problem, match="damaged"):
        reader.reports()


def test_a_run_goes_back_to_its_checkpoint(tmp_path: Path) -> None:
    folder, reader = RunFolder(tmp_path), RunFolder(tmp_path)
    folder.write_plan(PLAN)
    for step in (0, 4, 9):
        folder.append(replace(REPORT, step=step))
        folder.snapshot(step).parent.mkdir(parents=True)
        folder.snapshot(step).write_bytes(b"")
    (tmp_path / "training" / "snapshots" / "00000010").mkdir()  # not whole: it holds no weights
    folder.write_problem(Problem("the disk is full", "make room"))
    assert len(reader.reports()) == 3
    assert reader.snapshots() == [0, 4, 9]
    assert reader.problem() == ("the disk is full", "make room")
    folder.cut_back(5)
    assert [report.step for report in reader.reports()] == [0, 4]
    assert reader.snapshots() == [0, 4]
    assert reader.problem() is None


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="holds no training run"):
        RunFolder(tmp_path).plan()
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "plan.json").write_text(PLAN.to_json().replace("bfloat16", "float8") + "x")
    with pytest.raises(Problem, match="cannot be read"):
        RunFolder(tmp_path).plan()
