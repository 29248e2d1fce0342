"""Every panel offers every picture and every table, and the tables in all their formats say the same."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from arplay.gui import exports, panels
from arplay.gui.main_window import MainWindow
from tests.windows_open import PATIENCE, Open, opened

__all__ = ["opened"]
parquet = pytest.importorskip("pyarrow.parquet")
CHARTED = [entry.name for entry in panels.PANELS if entry.chart is not None]
TEXT = b"It was dark.\nNobody was there at all."


def read_back(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, numbers as numbers."""
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return rows
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines = [line for line in path.read_text("utf-8").split("\n") if not line.startswith("# ")]
    return list(csv.DictReader(io.StringIO("\n".join(lines)), quoting=csv.QUOTE_MINIMAL))


def column(path: Path, name: str) -> list[float]:
    return [float("nan" if row[name] in (None, "") else row[name]) for row in read_back(path)]


def write_all(window: MainWindow, name: str, folder: Path) -> dict[str, Path]:
    export = exports.of_panel(window.panels[name], window)
    files = {suffix: folder / f"{name}{suffix}" for suffix in export.kinds.values()}
    for path in files.values():
        export.write(path)
    return files


@pytest.mark.parametrize("name", CHARTED)
def test_its_menu_has_every_format_once(name: str, opened: Open) -> None:
    window = opened("abc")
    menu = window.menus._export_menus[name]
    offered = [action.data() for action in menu.actions() if isinstance(action.data(), str)]
    wanted = {".png", ".svg", ".pdf", ".csv", ".json", ".jsonl", ".parquet"}
    assert wanted <= set(offered) and len(offered) == len(set(offered))
    assert {"Copy as &picture", "Copy as &CSV"} <= {action.text() for action in menu.actions()}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("heatmap", "logprob"),
        ("ledger", "logprob"),
        ("words", "logprob"),
        ("plots", "surprisal"),
        ("next_token", "prob"),
    ],
)
def test_all_tables_of_a_panel_have_the_same_numbers(
    name: str, number: str, opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    window = opened("english", TEXT)
    window.docks[name].show()
    window.docks[name].raise_()
    qtbot.waitUntil(window.panels[name].isVisible, timeout=PATIENCE)
    QApplication.processEvents()
    files = write_all(window, name, tmp_path)
    found = {suffix: column(files[suffix], number) for suffix in (".csv", ".jsonl", ".parquet")}
    assert found[".csv"] == pytest.approx(found[".jsonl"], nan_ok=True)
    assert found[".parquet"] == pytest.approx(found[".jsonl"], nan_ok=True)
    ledger, answer = window.playground.view.ledger, window.playground.view.answer
    assert ledger is not None and answer is not None and answer.distribution is not None
    if name in ("heatmap", "ledger"):
        assert found[".csv"] == pytest.approx(ledger.logprob)
    elif name == "plots":
        assert found[".csv"] == pytest.approx(-ledger.logprob)
    elif name == "words":
        assert sum(found[".csv"]) == pytest.approx(-ledger.totals.nll_nats)
    else:
        best = np.sort(np.exp(answer.distribution.logprobs))[::-1][: len(found[".csv"])]
        assert found[".csv"] == pytest.approx(best)
    json.loads(files[".json"].read_text("utf-8"))


def test_the_menu_asks_for_json_lines_and_writes_them(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened("abc", b"BACAB")
    path = tmp_path / "tokens"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    menu = window.menus._export_menus["heatmap"]
    next(action for action in menu.actions() if action.text().startswith("JSON lines")).trigger()
    rows = read_back(path.with_suffix(".jsonl"))
    ledger = window.playground.view.ledger
    assert ledger is not None and [row["logprob"] for row in rows] == pytest.approx(ledger.logprob.tolist())
