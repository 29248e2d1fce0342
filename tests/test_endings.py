"""What a command writes into a file is what the file's ending says, for every command that writes one."""

from __future__ import annotations

import argparse
import csv
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

import arplay
from arplay.cli import COMMANDS, main
from arplay.commands import output

BACAB = ["--model", "abc", "--prompt", "BACAB"]
WAYS: dict[str, tuple[list[str], str, int]] = {
    "next": (["next", *BACAB], "prob", 3),
    "sample": (["sample", *BACAB, "-n", "4", "--seed", "3"], "u", 4),
    "rollouts": (["sample", *BACAB, "-n", "4", "--rollouts", "3"], "seed", 3),
    "beams": (["sample", *BACAB, "-n", "4", "--beams", "2"], "score", 2),
    "score": (["score", *BACAB], "logprob", 5),
    "words": (["score", *BACAB, "--by", "word"], "logprob", 1),
    "candidates": (["score", *BACAB, "--candidates", "{list}"], "share", 2),
    "tokens": (["tokens", "--prompt", "BACAB", "--model", "abc", "english"], "vocabulary", 2),
    "causality": (["causality", *BACAB], "total_variation", 20),
    "orders": (["orders", "{text}", "--model", "abc"], "total", 10),
    "export": (["export", *BACAB[2:], "--model", "abc", "--chart", "ledger"], "running_logprob", 5),
}
"""A command, a column of its table and how many rows that has; of a kind that has no picture."""


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return found
    lines = path.read_text("utf-8").splitlines()
    if path.suffix == ".csv":
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", WAYS)
def test_the_ending_says_the_form(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv, column, count = WAYS[name]
    (tmp_path / "list.txt").write_text("AC\nC")
    (tmp_path / "text.txt").write_text("BAC")
    argv = [each.format(list=tmp_path / "list.txt", text=tmp_path / "text.txt") for each in argv]
    found = {}
    for ending in (".csv", ".jsonl", ".parquet"):
        if ending == ".jsonl" and name in ("score", "words"):
            continue  # a text a line
        path = tmp_path / f"out{ending}"
        assert main([*argv, "--out", str(path)]) == 0, capsys.readouterr().err
        found[ending] = rows_of(path)
        assert len(found[ending]) == count or (name in ("causality", "orders") and len(found[ending]) > count)
        assert capsys.readouterr().out == ""
    numbers = [[float(row[column]) for row in rows] for rows in found.values()]
    assert all(each == pytest.approx(numbers[0]) for each in numbers)
    assert main([*argv, "--out", str(tmp_path / "out.json")]) == 0
    told = json.loads((tmp_path / "out.json").read_text("utf-8"))
    if name != "export":
        assert main([*argv, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == told, "the same as --json"
        text = tmp_path / "out.txt"
        assert main([*argv, "--out", str(text)]) == 0
        assert not text.read_text("utf-8").startswith("{")


def test_a_score_goes_where_its_option_would_write_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ending, option in ((".csv", "table"), (".jsonl", "jsonl"), (".html", "report")):
        one, other = tmp_path / f"a{ending}", tmp_path / f"b{ending}"
        assert main(["score", *BACAB, "--out", str(one)]) == 0 and capsys.readouterr().out == ""
        assert main(["score", *BACAB, f"--{option}", str(other)]) == 0 and "perplexity" in capsys.readouterr().out
        assert one.read_bytes() == other.read_bytes()
    assert main(["score", *BACAB, "--out", str(tmp_path / "a.npz")]) == 0
    assert main(["score", str(tmp_path / "a.npz"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["nll_nats"] == pytest.approx(
        arplay.load("abc").score("BACAB").nll_nats
    )


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["next", *BACAB, "--out", "x.png"], "x.png would hold no png: text (.txt), .json, .csv, .jsonl, .parquet"),
        (["next", *BACAB, "--json", "--out", "x.csv"], "--json does not go into x.csv"),
        (["next", *BACAB, "--trace", "--out", "x.csv"], "--trace is told in text and in JSON"),
        (["bench", "--out", "x.parquet"], "there is no table for x.parquet: text or .json"),
        (["score", *BACAB, "--out", "x.xlsx"], "x.xlsx would hold no xlsx"),
        (["score", *BACAB, "--table", "x.html"], "--table does not write x.html: --report does"),
        (["score", *BACAB, "--report", "x.csv"], "--report does not write x.csv: --table does"),
        (["score", *BACAB, "--jsonl", "x.parquet"], "--jsonl does not write x.parquet: --table does"),
        (["score", *BACAB, "--table", "a.csv", "--out", "b.csv"], "--table and --out b.csv are the same twice"),
        (["score", *BACAB, "--candidates", "x", "--out", "x.npz"], "candidates are told as text, JSON or a table"),
        (["tokens", "--merges", "night", "--out", "x.csv"], "--merges and --search are told in text and in JSON"),
        (["export", *BACAB, "--chart", "ledger", "--out", "x.txt"], "--chart ledger goes to .png, .svg, .pdf, .csv"),
    ],
)
def test_what_cannot_be_is_told_before_any_work(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(arplay.api, "load", lambda *_, **__: pytest.fail("no model is needed for this"))
    assert main(argv) == 2
    assert said in " ".join(capsys.readouterr().err.split()) and not list(tmp_path.iterdir())


def test_a_picture_and_a_page_are_what_they_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a model writes may be a page; a picture is one, and no text is."""
    assert main(["sample", "--model", "xo", "--out", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert main(["sample", *BACAB, "-n", "2", "--out", str(tmp_path / "a.html")]) == 0
    assert (tmp_path / "a.html").read_text("utf-8") == arplay.load("abc").sample("BACAB", 2).text
    assert main(["sample", *BACAB, "--out", str(tmp_path / "b.png")]) == 1
    assert "b.png would hold no image/png" in capsys.readouterr().err


def test_every_command_with_a_result_follows_it() -> None:
    """No command has an --out of its own that would take any ending, but for those that make a folder or a picture."""
    own = []
    for name in COMMANDS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"arplay.commands.{name}").configure(parser)
        if any("--out" in action.option_strings for action in parser._actions):
            own += [name] if parser.get_default("out_checks") is None else []
    assert own == ["export", "train"]


def test_a_file_without_an_ending_is_text() -> None:
    args = argparse.Namespace(out=Path("NOTES"), json=False, out_more=(), out_tables=False, out_checks=True)
    output.check(args)
    assert not output.is_json(args) and not output.is_table(args)
