"""Continuations as files: rollouts, beams and maps as data and as pictures, from the window and the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import arplay
from arplay.cli import main
from arplay.core.errors import Problem
from arplay.gui.exports import Export, of_panel
from arplay.gui.intents import Change
from arplay.gui.settings import Settings
from tests.test_continuations_panel import click, done, panel_of
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]
PICTURES = (".png", ".svg", ".pdf")


def rows(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def every(export: Export, folder: Path, name: str) -> dict[str, Path]:
    files = {
        suffix: folder / f"{name}{suffix}" for suffix in (*PICTURES, ".csv", ".json", ".parquet", ".txt", ".jsonl")
    }
    for path in files.values():
        export.write(path)
        assert path.stat().st_size > 100 or path.suffix == ".txt"
    assert set(files) == set(export.kinds.values())
    return files


def test_each_kind_is_written_from_the_window(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", b"B")
    panel, play = panel_of(window), window.playground
    export = of_panel(panel, window)
    with pytest.raises(Problem, match="no continuation was tried yet"):
        export.write(tmp_path / "nothing.csv")
    panel.fields.count.setValue(3)
    panel.fields.tokens.setValue(4)
    click(panel.run)
    done(window, qtbot)
    model = arplay.load("abc")
    rolled = model.rollouts("B", 3, 4, seed=play.view.settings.seed)
    files = every(export, tmp_path, "rollouts")
    assert files[".txt"].read_text() == "".join(f"{text}\n\n" for text in rolled.texts)
    listed = [json.loads(line) for line in files[".jsonl"].read_text().splitlines()]
    told = json.loads(files[".json"].read_text())
    assert listed == told["rollouts"] == rolled.as_dict()["rollouts"] and told["prefix"] == {"text": "B"}
    assert [row["text"] for row in rows(files[".csv"])] == list(rolled.texts)
    click(panel.modes["beams"])
    panel.fields.beams.setValue(2)
    click(panel.run)
    done(window, qtbot)
    beams = model.beams("B", 2, 4)
    told = json.loads(every(export, tmp_path, "beams")[".json"].read_text())
    assert told["hypotheses"] == beams.as_dict()["hypotheses"] and told["search"] == beams.as_dict()["search"]
    assert [each["fate_kind"] for each in told["candidates"]] == [
        each.fate for expansion in beams.expansions for each in expansion.candidates
    ]
    click(panel.modes["map"])
    panel.fields.deep.setValue(3)
    click(panel.run)
    done(window, qtbot)
    told = json.loads(every(export, tmp_path, "map")[".json"].read_text())
    assert told["whole"] and sum(area["prob"] for area in told["areas"] if area["state_kind"] == "ended") == (
        pytest.approx(1.0)
    )


def test_the_file_tells_what_they_were_made_with_not_what_is_set_now(
    opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = opened("abc", b"B")
    panel, play = panel_of(window), window.playground
    click(panel.run)
    done(window, qtbot)
    play.handle(Change(Settings(decoding=arplay.Pipeline("top-k:1"))))
    settle(window, qtbot)
    play.load_model("fork")
    qtbot.waitUntil(lambda: play.view.info is not None and play.view.info.name == "fork", timeout=60_000)
    path = tmp_path / "a.json"
    of_panel(panel, window).write(path)
    told = json.loads(path.read_text())["provenance"]
    assert told["model"]["name"] == "abc" and told["decoding"] == []


@pytest.mark.parametrize("what", [["--rollouts", "2"], ["--beams", "2"], ["--map"], []])
def test_the_command_line_writes_the_same(what: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    asked = ["export", "--prompt", "B", "--model", "abc", "--chart", "continuations", *what, "-n", "3"]
    assert main([*asked, "--out", str(path)]) == 0
    told, model = json.loads(path.read_text()), arplay.load("abc")
    if "--beams" in what:
        assert told["hypotheses"] == model.beams("B", 2, 3).as_dict()["hypotheses"]
    elif "--map" in what:
        assert len(told["areas"]) == len(model.map("B", 3).areas) == 3 + 9 + 27
    else:
        assert told["rollouts"] == model.rollouts("B", 2 if what else 8, 3).as_dict()["rollouts"]


def test_options_of_continuations_say_nothing_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "a.csv")
    for more in (["--rollouts", "2"], ["--map"], ["-n", "3"], ["--seed", "1"]):
        assert main(["export", "--prompt", "B", "--model", "abc", "--chart", "ledger", "--out", out, *more]) == 2
        assert "are for --chart continuations" in capsys.readouterr().err
