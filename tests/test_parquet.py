"""Tables as Parquet, read back by pyarrow: types, what is missing, and where they are from."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path

import pytest

import arplay
from arplay.cli import main
from arplay.core.errors import Problem
from arplay.export.parquet import to_parquet
from arplay.gui import exports
from tests.windows_open import Open, opened

__all__ = ["opened"]

pyarrow = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
from pyarrow import parquet  # noqa: E402


def test_whole_numbers_stay_whole_and_what_is_missing_is_null(tmp_path: Path) -> None:
    rows = [
        {"index": 0, "logprob": None, "rank": None, "text": "a", "over": False, "prob": 1, "kind": None},
        {"index": 1, "logprob": math.nan, "rank": 2, "text": "=1", "over": True, "prob": 0.5, "kind": None},
        {"index": 2, "logprob": -math.inf, "rank": 3, "text": "\U0001f467", "over": True, "prob": 0.0, "kind": None},
    ]
    path = tmp_path / "x.parquet"
    path.write_bytes(to_parquet(rows, tuple(rows[0]), ["a", "b"], {"provenance": {"x": -math.inf}}))
    table = parquet.read_table(path)
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds == {
        "index": "int64", "logprob": "double", "rank": "int64", "text": "string", "over": "bool", "prob": "double",
        "kind": "string",
    }  # fmt: skip
    assert table["logprob"].to_pylist() == [None, None, -math.inf] and table["rank"].to_pylist() == [None, 2, 3]
    assert table["text"].to_pylist() == [row["text"] for row in rows]
    assert table.schema.metadata[b"comments"] == b"a\nb"
    assert json.loads(table.schema.metadata[b"provenance"]) == {"x": "-inf"}


def test_the_command_line_and_python_write_what_the_csv_has(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("x.csv", "x.parquet", "y.parquet")]
    for path in files[:2]:
        call = ["score", "--prompt", "BACCAB", "--model", "abc", "--table", str(path), "--out", str(tmp_path / "said")]
        assert main(call) == 0
    score = arplay.load("abc").score("BACCAB")
    score.to_parquet(files[2], "the command line's")
    lines = [line for line in files[0].read_text("utf-8").splitlines() if not line.startswith("#")]
    written = list(csv.DictReader(lines))
    for path in files[1:]:
        table = parquet.read_table(path)
        assert table.column_names == list(written[0]) and table.num_rows == 6
        assert [str(value) for value in table["logprob"].to_pylist()] == [row["logprob"] for row in written]
        assert table["rank"].to_pylist() == score.rank.tolist()
        said = json.loads(table.schema.metadata[b"totals"])
        assert said["nll_nats"] == score.nll_nats and said["tokens"] == 6
        assert json.loads(table.schema.metadata[b"provenance"])["model"]["name"] == "abc"
    parts = tmp_path / "parts.parquet"
    call = ["score", "--prompt", "BAC", "--model", "abc", "--by", "word", "--csv", str(parts)]
    assert main([*call, "--out", str(tmp_path / "said")]) == 0
    table = parquet.read_table(parts)
    assert table["text"].to_pylist() == ["BAC"] and table["tokens"].to_pylist() == [3]
    texts, rated = tmp_path / "texts.txt", tmp_path / "rated.parquet"
    texts.write_text("A\nBC\n")
    call = ["score", "--prompt", "B", "--model", "abc", "--candidates", str(texts), "--table", str(rated)]
    assert main([*call, "--out", str(tmp_path / "said")]) == 0
    assert parquet.read_table(rated)["text"].to_pylist() == ["A", "BC"]


@pytest.mark.parametrize("chart", ["bars", "heatmap", "ledger", "plots"])
def test_every_chart_has_its_table(chart: str, tmp_path: Path) -> None:
    for suffix in ("parquet", "csv"):
        out = tmp_path / f"x.{suffix}"
        assert main(["export", "--prompt", "BAC", "--model", "abc", "--chart", chart, "--out", str(out)]) == 0
    lines = [line for line in (tmp_path / "x.csv").read_text("utf-8").splitlines() if not line.startswith("#")]
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.column_names == next(csv.reader(lines)) and table.num_rows == len(lines) - 1


def test_the_window_writes_every_table(opened: Open, tmp_path: Path) -> None:
    window = opened()
    written = set()
    for name, panel in window.panels.items():
        if panel.entry.chart is None:
            continue
        path = tmp_path / f"{name}.parquet"
        try:
            table = exports.OfPanel(panel, window).table()
        except Problem:
            continue  # nothing was asked of it yet
        assert exports.of_panel(panel, window).save(path), name
        read = parquet.read_table(path)
        assert read.column_names == list(table.columns) and read.num_rows == len(table.rows)
        assert b"comments" in read.schema.metadata
        for column in table.columns:
            for value, row in zip(read[column].to_pylist(), table.rows, strict=True):
                known = row[column]
                missing = known is None or (isinstance(known, float) and math.isnan(known))
                assert value is None if missing else value == known or str(value) == str(known), (name, column)
        written.add(name)
    assert {"next_token", "heatmap", "ledger", "plots", "orders"} <= written
    assert parquet.read_table(tmp_path / "heatmap.parquet")["text"].to_pylist() == ["B", "A", "C"]


def test_where_pyarrow_is_missing_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Problem, match="pip install"):
        to_parquet([], (), [], {})
    out = tmp_path / "x.parquet"
    assert main(["score", "--prompt", "BAC", "--model", "abc", "--table", str(out)]) == 1 and not out.exists()
