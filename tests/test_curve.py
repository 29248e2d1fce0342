"""The loss curve as a picture: what it draws is what the run reported."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from arplay.core.errors import Problem
from arplay.training import curve
from arplay.training.run_folder import Report, RunFolder


def report(step: int, bits: float, held: float | None = None) -> Report:
    return Report(step, 100, 64 * step, 1.0, 2 * bits, held and 2 * held, bits, held, 64.0, 0.0, 1.0)


REPORTS = [report(0, 8.0), *(report(step, 1 + 2 / step, 3.0 if step == 50 else None) for step in range(1, 101))]


def points(picture: str, kind: str) -> list[tuple[float, float]]:
    (line,) = re.findall(rf'<path class="{kind}" d="M([^"]*)"', picture)
    return [(float(x), float(y)) for x, y in (point.split() for point in line.split(" L"))]


def test_smoothing_keeps_the_mean_of_all_tokens() -> None:
    found = curve.smoothed(REPORTS, bins=10)
    assert len(found) == 10
    assert sum(y for _, y in found) / 10 == pytest.approx(sum(1 + 2 / step for step in range(1, 101)) / 100)
    assert sum(x for x, _ in found) / 10 == pytest.approx(3200)
    assert curve.smoothed([report(10, 5.0), report(40, 2.0)], bins=1) == [(1280, pytest.approx((5 + 3 * 2) / 4))]


def test_the_picture_has_both_curves_in_place() -> None:
    picture = curve.svg(REPORTS, "mine & yours")
    assert ElementTree.fromstring(picture)[0].text == "mine & yours"
    training, (held,) = points(picture, "training"), points(picture, "held-out")
    assert [x for x, _ in training] == sorted(x for x, _ in training)
    assert [y for _, y in training] == sorted(y for _, y in training), "a loss that falls is drawn downwards"
    assert held == (pytest.approx((curve.LEFT + curve.WIDTH - curve.RIGHT) / 2), pytest.approx(curve.TOP))
    assert all(curve.LEFT <= x <= curve.WIDTH - curve.RIGHT for x, _ in training)
    assert all(curve.TOP <= y <= curve.HEIGHT - curve.BOTTOM for _, y in training)
    assert "held-out, at last 3.000" in picture and "prefers-color-scheme: dark" in picture
    assert '<path class="held-out"' not in curve.svg([report(1, 2.0), report(2, 2.0)], "never measured")


@pytest.mark.parametrize("reports", [(), REPORTS[:1]])
def test_a_run_without_training_has_no_curve(reports: Sequence[Report]) -> None:
    with pytest.raises(Problem, match="no curve yet"):
        curve.svg(reports, "nothing")


def test_the_command_draws_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, out = RunFolder(tmp_path / "novel"), tmp_path / "loss.svg"
    run.training.mkdir(parents=True)
    monkeypatch.setattr(sys, "argv", ["curve", str(run.path), "--out", str(out)])
    with pytest.raises(SystemExit, match="arplay: there is no curve yet"):
        curve.main()
    for each in REPORTS:
        run.append(each)
    curve.main()
    assert out.read_text("utf-8") == curve.svg(REPORTS, "novel")
