"""Every plot of a scored text from the command line: as a picture, and the data behind it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

import arplay
from arplay.cli import main
from arplay.core.format import LN2
from arplay.export.plots import PLOTS

CALL = ["export", "--prompt", "BACCABBACB" * 4, "--model", "abc", "--chart", "plots"]


@pytest.fixture(scope="module")
def ledger() -> arplay.core.chain.Ledger:
    return arplay.load("abc").score("BACCABBACB" * 4).ledger


@pytest.mark.parametrize("plot", [kind.name for kind in PLOTS])
def test_every_plot_is_written(plot: str, tmp_path: Path, qtbot: QtBot) -> None:
    for suffix in ("png", "svg", "pdf", "csv", "json"):
        assert main([*CALL, "--plot", plot, "--out", str(tmp_path / f"x.{suffix}")]) == 0
    assert QImage(str(tmp_path / "x.png")).width() > 1000
    texts = "".join(ElementTree.parse(tmp_path / "x.svg").getroot().itertext())
    kind = next(kind for kind in PLOTS if kind.name == plot)
    record = json.loads((tmp_path / "x.json").read_text("utf-8"))
    assert kind.title in texts and record["told"].split(";")[0] in texts
    assert record["plot"] == plot and set(record["rows"][0]) == set(kind.columns) and record["unit"] == "nats"


def test_the_figures_are_those_of_the_scores(tmp_path: Path, ledger: arplay.core.chain.Ledger) -> None:
    out = tmp_path / "x.json"
    assert main([*CALL, "--mean", "3", "--unit", "bits", "--out", str(out)]) == 0
    rows = json.loads(out.read_text("utf-8"))["rows"]
    bits = -ledger.logprob / LN2
    assert [row["surprisal"] for row in rows] == pytest.approx(bits)
    assert rows[9]["rolling_mean"] == pytest.approx(np.mean(bits[7:10]))
    assert main([*CALL, "--plot", "histogram", "--bin", "1.5", "--out", str(out)]) == 0
    rows = json.loads(out.read_text("utf-8"))["rows"]
    assert rows[0] == {"from": 0.0, "to": 1.5, "tokens": int((-ledger.logprob < 1.5).sum())}
    assert main([*CALL, "--plot", "surprising", "--out", str(out)]) == 0
    worst = json.loads(out.read_text("utf-8"))["rows"][0]
    assert worst["index"] == int(np.argmin(ledger.logprob)) and worst["surprisal"] == -ledger.logprob.min()


def test_a_saved_run_is_drawn_without_its_model(tmp_path: Path, qtbot: QtBot) -> None:
    run, text = tmp_path / "run.npz", "BACCABBACB" * 4
    arplay.load("abc").score(text).save(run, "my text")
    for chart in ("heatmap", "words", "plots", "ledger"):
        for suffix in ("png", "csv"):
            assert main(["export", str(run), "--chart", chart, "--out", str(tmp_path / f"{chart}.{suffix}")]) == 0
    files = [tmp_path / name for name in ("run.json", "model.json")]
    more = ["--chart", "plots", "--plot", "calibration", "--out"]
    assert main(["export", str(run), *more, str(files[0])]) == 0 == main([*CALL[:-2], *more, str(files[1])])
    one, other = (json.loads(path.read_text("utf-8")) for path in files)
    assert one["rows"] == other["rows"] and one["provenance"]["text"] == "my text"
    wrong = ["export", str(run), "--out", str(tmp_path / "x.json"), "--chart"]
    assert main([*wrong, "bars"]) == 2 == main([*wrong, "plots", "--model", "abc"])


def test_what_cannot_be_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "x.json")]
    assert main(["export", "--prompt", "B", "--model", "abc", "--chart", "ledger", "--plot", "ranks", *out]) == 2
    assert "--chart plots" in capsys.readouterr().err
    for wrong in (["--plot", "nothing"], ["--mean", "0"], ["--bin", "0"], ["--unit", "miles"]):
        assert main([*CALL, *wrong, *out]) == 2
    nothing = ["export", "--prompt", "", "--model", "abc", "--chart", "plots"]
    assert main([*nothing, *out]) == 1 == main([*nothing, "--out", str(tmp_path / "x.png")])
    said = capsys.readouterr().err
    assert said.count("no token here has a probability") == 2 and not list(tmp_path.iterdir())
