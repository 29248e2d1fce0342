"""Exports: strict JSON, exact CSV, files replaced as a whole, pictures that open."""

from __future__ import annotations

import csv
import io
import json
import math
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay import load
from arplay.cli import main
from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import exact_text
from arplay.export import tables, writers
from tests.ledgers import TOKEN_COLUMNS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_json_is_strict_and_keeps_every_value(value: Any) -> None:
    def refuse(name: str) -> float:
        raise AssertionError(name)

    def expected(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: expected(item) for key, item in value.items()}
        if isinstance(value, list):
            return [expected(item) for item in value]
        return ("inf" if value > 0 else "-inf") if isinstance(value, float) and math.isinf(value) else value

    assert json.loads(writers.to_json(value), parse_constant=refuse) == expected(value)


def test_a_nan_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        writers.to_json({"logprob": math.nan})


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_csv_keeps_every_text_exactly(texts: list[str]) -> None:
    rows = [{"text": text, "logprob": -0.1, "rank": None} for text in texts]
    written = writers.to_csv(rows, ("text", "logprob", "rank"), ["a comment"])
    data = written.splitlines(keepends=True)
    while data[0].startswith("# "):
        data.pop(0)
    read = list(csv.DictReader(io.StringIO("".join(data), newline="")))
    assert [row["text"] for row in read] == texts
    assert {(row["logprob"], row["rank"]) for row in read} == {("-0.1", "")}


def test_a_cell_like_a_formula_stays_exact_and_is_told() -> None:
    rows = [{"text": "=1+1"}]
    assert "# some cells begin like a formula" in writers.to_csv(rows, ("text",), [])
    assert '"=1+1"' in writers.to_csv(rows, ("text",), [])
    assert "formula" not in writers.to_csv([{"text": "a=1"}], ("text",), [])


def test_a_table_of_numbers_alone_is_read_as_numbers() -> None:
    assert "colClasses=NA," in writers.to_csv([{"step": 1}], ("step",), [])
    assert 'colClasses=c(text="character"),' in writers.to_csv([{"text": "a", "step": 1}], ("text", "step"), [])


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("old")
    with pytest.raises(Problem, match="cannot be written"), writers.replacing(file) as temporary:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_written_file_keeps_rights_and_links(tmp_path: Path) -> None:
    file, link = tmp_path / "x.csv", tmp_path / "link.csv"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    writers.write(link, "new")
    assert file.read_text() == "new"
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    writers.write(tmp_path / "fresh.csv", "new")
    (tmp_path / "usual.csv").touch()
    assert (tmp_path / "fresh.csv").stat().st_mode == (tmp_path / "usual.csv").stat().st_mode
    with pytest.raises(Problem):
        writers.write(tmp_path, "a folder")
    writers.write(Path("/dev/null"), "a device is written to directly")


def test_broken_bytes_are_signs_and_whole_characters_stay() -> None:
    assert exact_text(" é\n".encode() + b"\xe2\x82") == " é\n⟨E2⟩⟨82⟩"


def rows_of(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    lines = file.read_text("utf-8").splitlines(keepends=True)
    comments = [line for line in lines if line.startswith("#")]
    return comments, list(csv.DictReader(lines[len(comments) :]))


@pytest.mark.parametrize("chart", ["bars", "heatmap", "ledger"])
def test_data_exports_carry_figures_and_provenance(chart: str, tmp_path: Path) -> None:
    command = ["export", "--prompt", "BAC", "--model", "abc", "--chart", chart, "--top-k", "2", "--out"]
    table, data = tmp_path / "x.csv", tmp_path / "x.json"
    assert main([*command, str(table)]) == 0
    assert main([*command, str(data)]) == 0
    comments, rows = rows_of(table)
    content = json.loads(data.read_text("utf-8"))
    assert content["provenance"]["model"]["name"] == "abc"
    assert any("abc (table), revision" in line for line in comments)
    if chart == "bars":
        assert any("top-k 2" in line for line in comments)
        assert [row["text"] for row in rows] == [item["text"] for item in content["top"]]
        assert sum(float(row["decoded_prob"]) for row in rows) == pytest.approx(1)
        return
    assert [float(row["prob"]) for row in rows] == pytest.approx([0.4, 0.5, 0.6])
    assert content["totals"]["nll_nats"] == pytest.approx(2.1203, abs=5e-5)
    if chart == "ledger":
        assert float(rows[-1]["running_prob"]) == pytest.approx(0.12)
        assert (float(rows[-1]["running_prob_mantissa"]), rows[-1]["running_prob_exponent"]) == (
            pytest.approx(1.2),
            "-1",
        )
    else:
        assert rows[0]["best1_text"] == "B"
        assert [best["text"] for best in content["tokens"][0]["best"]] == ["B", "A", "C"]


@pytest.mark.parametrize("chart", ["heatmap", "ledger"])
def test_an_empty_text_has_a_table_of_no_rows(chart: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["export", "--prompt", "", "--model", "abc", "--chart", chart, "--out"]
    assert main([*command, str(tmp_path / "x.csv")]) == 0 and not rows_of(tmp_path / "x.csv")[1]
    assert main([*command, str(tmp_path / "x.json")]) == 0
    assert json.loads((tmp_path / "x.json").read_text("utf-8"))["totals"]["tokens"] == 0
    assert main([*command, str(tmp_path / "x.png")]) == 1
    assert "no tokens to draw" in capsys.readouterr().err


def test_score_writes_csv_beside_its_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, table, result = tmp_path / "t.txt", tmp_path / "t.csv", tmp_path / "t.json"
    text.write_text("BAC")
    command = ["score", str(text), "--model", "abc", "--csv", str(table), "--json", "--out", str(result)]
    assert main(command) == 0
    assert capsys.readouterr().out == ""
    _, rows = rows_of(table)
    tokens = json.loads(result.read_text("utf-8"))["tokens"]
    assert [list(row) for row in rows] == [list(TOKEN_COLUMNS)] * 3
    assert [float(row["logprob"]) for row in rows] == [token["logprob"] for token in tokens]


def test_the_cache_chart_measures_both_ways_along_the_text(
    tmp_path: Path, tiny_folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model", str(tiny_folders["llama"]), "--chart", "cache"]
    assert main(["export", "--prompt", "The cat sat on the mat", *model, "--out", str(tmp_path / "t.json")]) == 0
    timings = json.loads((tmp_path / "t.json").read_text())["timings"]
    both = {kind: [row["context"] for row in timings if row["kind"] == kind] for kind in ("cached", "uncached")}
    assert both["uncached"] == list(range(1, both["uncached"][-1] + 1)) and both["cached"] == both["uncached"][1:]
    assert all(0.0 <= row["largest_difference"] < 1e-3 for row in timings if row["kind"] == "uncached")
    assert main(["export", "--prompt", "", *model, "--out", str(tmp_path / "none.csv")]) == 1
    assert "empty text" in capsys.readouterr().err
    without = ["--model", "abc", "--chart", "cache"]
    assert main(["export", "--prompt", "BAC", *without, "--out", str(tmp_path / "none.csv")]) == 1
    assert "keeps no cache" in capsys.readouterr().err and not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize("text", ["", "A", "BAC", "ABCACBB" * 3])
def test_rows_made_a_block_at_a_time_are_written_as_if_they_were_all_there(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte, wherever they stand in a record; and no more than a block of them is there at any time."""
    score, made = load("abc").score(text), list[int]()
    real = tables._columns

    def counted(*given: Any) -> Any:
        made.append(given[4] - given[3])
        return real(*given)

    ledger, vocabulary = score.ledger, score.loaded.vocabulary
    rows, plain = tables.Rows(ledger, vocabulary), tables.tokens(ledger, vocabulary)
    monkeypatch.setattr(tables, "BLOCK", 2)
    monkeypatch.setattr(tables, "_columns", counted)
    for found, whole in (
        (rows, plain),
        ({"a": 1, "t": rows}, {"a": 1, "t": plain}),
        ([{"\x1b": {"t": rows}, "z": rows}, 2.5], [{"\x1b": {"t": plain}, "z": plain}, 2.5]),
    ):
        assert writers.to_json(found) == writers.to_json(whole)
    columns = tables.token_columns(ledger, vocabulary)
    assert writers.to_csv(rows, columns, ["a"]) == writers.to_csv(plain, columns, ["a"])
    assert max(made, default=2) <= 2
    assert len(list(writers.json_pieces({"t": rows}))) >= len(text) // 2


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl"])
def test_a_scored_text_is_never_told_at_once(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the command line its records are made while they are written."""
    monkeypatch.setattr(tables, "tokens", lambda *_: pytest.fail("all records at once"))
    source, out = tmp_path / "a.txt", tmp_path / f"a{ending}"
    source.write_text("BAC" * 20)
    assert main(["score", str(source), "--model", "abc", "--json", "--table", str(out)]) == 0
    assert len(json.loads(capsys.readouterr().out)["tokens"]) == 60
    assert out.read_text().count('"B"') >= 20
