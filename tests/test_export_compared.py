"""``arplay export`` of the comparison and of perplexity: the figures of ``arplay score``, as pictures and tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage

import arplay
from arplay.cli import main

TEXT = "It was a dark night, and the old man sat by the fire."
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Write:
    """``write(chart, ending, *options)``: the file that the chart of :data:`TEXT` is exported to."""
    (tmp_path / "text.txt").write_text(TEXT, "utf-8")

    def export(chart: str, ending: str, *argv: str, file: str = "text.txt") -> Path:
        out = tmp_path / f"{chart}.{ending}"
        assert main(["export", str(tmp_path / file), "--chart", chart, "--out", str(out), *argv]) == 0, (
            capsys.readouterr().err
        )
        return out

    return export


def said(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_models_are_compared(write: Write) -> None:
    found = said(write("comparison", "json", "--compare", "english:bfloat16", "english:float16"))
    own = arplay.load("english").score(TEXT)
    assert [(each["name"], each["dtype"]) for each in found["models"]] == [
        ("english", "float32"), ("english", "bfloat16"), ("english", "float16"),
    ]  # fmt: skip
    assert found["models"][0]["nll_nats"] == pytest.approx(own.nll_nats, abs=1e-4)
    for other in ("english bfloat16", "english float16"):
        spans = [row for row in found["spans"] if row["model"] == other]
        assert "".join(row["text"] for row in spans) == TEXT
        assert sum(row["nll_nats"] for row in spans) == pytest.approx(own.nll_nats, abs=1e-4)
    rows = list(write("comparison", "csv", "--compare", "english:bfloat16").read_text("utf-8").splitlines())
    assert "".join(row["text"] for row in csv.DictReader(line for line in rows if not line.startswith("#"))) == TEXT
    image = QImage(str(write("comparison", "png", "--compare", "english:bfloat16", "--scale", "1")))
    assert not image.isNull() and image.width() == 900
    assert b"english bfloat16" in write("comparison", "svg", "--compare", "english:bfloat16").read_bytes()


def test_saved_runs_are_compared_with_each_other_and_with_a_model(write: Write, tmp_path: Path) -> None:
    scores = [arplay.load("english", dtype=dtype).score(TEXT) for dtype in ("float32", "bfloat16")]
    for name, score in zip("ab", scores, strict=True):
        score.save(tmp_path / f"{name}.npz")
    others = str(tmp_path / "b.npz"), "english:float16"
    found = said(write("comparison", "json", "--compare", *others, file="a.npz"))
    told = [each["nll_nats"] for each in found["models"]]
    assert told[:2] == pytest.approx([score.nll_nats for score in scores]) and told[2] == pytest.approx(
        told[0], abs=0.1
    )
    assert found["spans"][-1]["model"] == "english float16"
    found = said(write("comparison", "json", "--compare", others[0]))
    assert found["models"][1]["nll_nats"] == pytest.approx(scores[1].nll_nats)
    assert write("comparison", "pdf", "--compare", others[0], file="a.npz").read_bytes().startswith(b"%PDF")


def test_what_a_number_type_and_an_edit_changed(write: Write, tmp_path: Path) -> None:
    found = said(write("comparison", "json", "--compare", "english:bfloat16", "--divergence"))
    one, other = (arplay.load("english", dtype=dtype) for dtype in ("float32", "bfloat16"))
    rows = arplay.comparisons.divergence(one, other, TEXT).rows
    assert [row["kl_nats"] for row in found["tokens"]] == pytest.approx(rows.kl.tolist(), abs=1e-5)
    assert not QImage(str(write("comparison", "png", "--compare", "english:bfloat16", "--divergence"))).isNull()
    (tmp_path / "before.txt").write_text(TEXT.replace("dark", "quiet"), "utf-8")
    found = said(write("comparison", "json", "--base", str(tmp_path / "before.txt")))
    scores = one.score(TEXT.replace("dark", "quiet")), one.score(TEXT)
    assert found["replaced"]["tokens"] >= 1
    for score, key in zip(scores, ("nll_nats", "other_nll_nats"), strict=True):
        whole = sum(row[key] for row in found["spans"] if row[key] is not None)
        assert whole == pytest.approx(score.nll_nats, abs=1e-3)
    assert not QImage(str(write("comparison", "png", "--base", str(tmp_path / "before.txt")))).isNull()


def test_perplexity_has_every_convention(write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = said(write("perplexity", "json", "--curve", "context"))
    assert main(["score", str(tmp_path / "text.txt"), "--conventions", "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)["conventions"]
    assert list(found["conventions"]) == list(expected)
    for name, row in expected.items():
        assert found["conventions"][name]["perplexity"] == pytest.approx(row["perplexity"], rel=1e-6)
    points = found["curves"]["context"]["points"]
    assert points[-1]["perplexity"] == pytest.approx(expected["windows"]["perplexity"], rel=1e-6)
    picture = QImage(str(write("perplexity", "png", "--scale", "1")))
    taller = QImage(str(write("perplexity", "png", "--scale", "1", "--curve", "context")))
    assert picture.height() < taller.height(), "the curve stands above the rows"
    arplay.load("english").score(TEXT).save(tmp_path / "a.npz")
    capsys.readouterr()
    assert list(said(write("perplexity", "json", file="a.npz"))["conventions"]) == ["windows"]
    assert "a saved run has no model that other conventions could be asked of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--chart", "comparison"], "--chart comparison takes --compare M, or --base FILE"),
        (["--chart", "ledger", "--compare", "abc"], "are for --chart comparison"),
        (["--chart", "comparison", "--compare", *["abc"] * 4], "4 models are compared at most"),
        (["--chart", "comparison", "--compare", "x.npz", "--divergence"], "a saved run has no distributions"),
        (["--chart", "ledger", "--curve", "stride"], "--curve is for --chart perplexity"),
    ],
)
def test_what_does_not_go_together_is_told(argv: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--prompt", "BAC", "--model", "abc", *argv, "--out", "x.csv"]) == 2
    assert told in " ".join(capsys.readouterr().err.split())
