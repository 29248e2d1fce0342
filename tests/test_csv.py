"""A CSV file is read whole by the calls that its own comments name; defaults would change tokens."""

from __future__ import annotations

import ast
import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from arplay.cli import main
from arplay.export.tables import heat_columns, is_text, ledger_columns
from arplay.export.writers import to_csv
from tests.hostile import PARTS, hostile
from tests.ledgers import TOKEN_COLUMNS, abc_ledger

TOKENS = list(
    dict.fromkeys(
        [
            "NA", "N/A", "null", "NULL", "nan", "NaN", "None", "inf", "-inf", "Infinity", "1e5", "1E5", "0x1A", "007",
            "1_000",
            " 1", "1 ", " ", "  ", "TRUE", "true", "T", "#", "#NA", "# x", '"', '""', "'", ",", ";", "\t", "\n", "\r",
            "\r\n",
            "\0", "\\", "\\n", "=1+1", "+1", "-1", "@x", "2024-01-01", "é", "\ufeff", "\u2028", "\x1a", "<NA>",
            "-nan", "1.#IND",
            *PARTS, *map(hostile, range(60)),
        ]
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of a text that is made of these tokens, by `arplay score`."""
    folder = tmp_path_factory.mktemp("csv")
    (folder / "t.json").write_text(
        json.dumps({"alphabet": TOKENS, "rows": {"": dict.fromkeys(TOKENS, 1 / len(TOKENS))}}), encoding="utf-8"
    )
    text = "".join(sorted(TOKENS, key=len, reverse=True))
    (folder / "text.txt").write_text(text, encoding="utf-8", newline="")
    out = folder / "out.csv"
    score = ["score", str(folder / "text.txt"), "--model", str(folder / "t.json")]
    assert main([*score, "--csv", str(out), "--out", str(folder / "said.json"), "--json"]) == 0
    return out


def wanted(table: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((table.parent / "said.json").read_text("utf-8"))["tokens"]
    assert len(rows) > 50 and {"NA", "1e5", "null"} <= {row["text"] for row in rows}
    return rows


def call(table: Path, reader: str) -> str:
    """The arguments that the comments give for ``reader``."""
    lines = [line for line in table.read_text("utf-8").split("\n") if line.startswith(f"# {reader}: ")]
    assert len(lines) == 1
    return lines[0].partition("(FILE, ")[2].removesuffix(")")


def arguments(table: Path) -> dict[str, Any]:
    made = ast.parse(f"f({call(table, 'pandas')})", mode="eval").body
    assert isinstance(made, ast.Call)
    return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in made.keywords}


def as_defaults(cell: str) -> Any:
    """What pandas makes of a cell by itself: nothing of some words, and a number of what looks like one."""
    if cell in ("", "NA", "N/A", "null", "NULL", "nan", "NaN", "None", "<NA>", "#NA", "-nan", "1.#IND"):
        return None
    try:
        return float(cell)
    except ValueError:
        return cell


def test_what_stands_behind_the_comments_is_the_table(table: Path) -> None:
    given = arguments(table)
    with table.open(encoding="utf-8", newline="") as file:
        for _ in range(given["skiprows"]):
            assert next(file).startswith("# ")
        names, *rows = csv.reader(file)
    assert tuple(names) == TOKEN_COLUMNS
    assert list(given["dtype"]) == ["text", "bytes"] and set(given["dtype"]) | set(given["na_values"]) == set(names)
    for cells, row in zip(rows, wanted(table), strict=True):
        for name, cell in zip(names, cells, strict=True):
            assert cell == row[name] if name in given["dtype"] else float(cell) == row[name]


def test_defaults_would_lose_tokens(table: Path) -> None:
    """Negative control."""
    rows = wanted(table)
    assert sum(as_defaults(row["text"]) != row["text"] for row in rows) > 10
    assert any(as_defaults(row["bytes"]) != row["bytes"] for row in rows)


def test_r_is_told_the_same(table: Path) -> None:
    said = call(table, "R")
    assert f"skip={arguments(table)['skiprows']}," in said and 'text="character", bytes="character"' in said


def test_pandas_reads_it_whole(table: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(table, **arguments(table))
    rows = wanted(table)
    assert list(frame.columns) == list(TOKEN_COLUMNS) and len(frame) == len(rows)
    for name in frame.columns:
        assert frame[name].tolist() == [row[name] for row in rows], name
    with pytest.raises(Exception):  # noqa: B017 - control: pandas alone does not get through the comments
        assert pandas.read_csv(table)["text"].tolist() == [row["text"] for row in rows]


def test_missing_numbers_are_missing_and_missing_texts_are_empty() -> None:
    ledger, loaded = abc_ledger()
    columns = heat_columns(ledger, loaded.vocabulary)
    record = dict.fromkeys(columns, "x") | dict.fromkeys((name for name in columns if not is_text(name)), 1.5)
    text = to_csv([record | {"logprob": None, "best5_text": None, "prob": -math.inf}], columns, ["a"])
    assert "# a\n" in text and '"best5_text": "str"' in text and ',"",' in text and "-inf" in text
    assert [name for name in ledger_columns(ledger, loaded.vocabulary) if is_text(name)] == ["text", "bytes"]
