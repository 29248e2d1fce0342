"""``arplay tokens`` and the same in Python: figures, merges and a search, of several tokenizers at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import arplay
from arplay.cli import main


def test_one_text_under_several_tokenizers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_folders: dict[str, Path]
) -> None:
    file = tmp_path / "t.txt"
    file.write_text("The unbelievable café", "utf-8")
    models = ["english", str(tiny_folders["gpt2"]), "abc"]
    assert main(["tokens", str(file), "--model", *models]) == 0
    said = capsys.readouterr().out
    assert "The|␣un|b|el|ie|v|able|␣ca|f|⟨C3⟩|⟨A9⟩" in said and "11      3.67        2.00  english" in said
    assert "abc: 'T' at byte 0 is not in this model's alphabet" in said, "told, and the others go on"
    assert main(["tokens", str(file), "--model", *models, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["tokenizers"]
    data = file.read_bytes()
    for row in found[:2]:
        assert row["ends"][-1] == len(data) == row["bytes"] and len(row["ids"]) == row["tokens"]
    mine = arplay.load("english").score(file.read_text("utf-8"))
    assert found[0]["ids"] == mine.ids.tolist() and found[2]["problem"] is not None
    python = arplay.tokenizers(file.read_text("utf-8"), ["english"]).found[0].encoded
    assert python is not None and python.ids.tolist() == found[0]["ids"]


def test_merges_and_a_search(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens", "--merges", " the", "--search", "night", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    (word,) = said["merges"][0]["words"]
    assert [step["symbols"] for step in word["merges"]] == [["␣t", "h", "e"], ["␣t", "he"], ["␣the"]]
    assert word["tokens"] == ["␣the"] and word["merges"][0]["rank"] == 1, "the merge that was learnt first"
    assert said["search"][0]["tokens"][0]["text"] == "night"
    assert main(["tokens", "--merges", " the", "--model", "english", "abc"]) == 0
    told = capsys.readouterr().out
    assert "begins  ␣ t h e" in told and "' ' at byte 0" in told
    assert arplay.merges(" the", "english").words[0].tokens == ("␣the",)


def test_what_is_wrong_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens"]) == 2 and "give FILE, --prompt, --merges or --search" in capsys.readouterr().err
    assert main(["tokens", "--merges", "x", "--model", "abc"]) == 1 and "alphabet" in capsys.readouterr().err
    assert main(["tokens", "--search", "x", "--model", "xo"]) == 1 and "reads pixels" in capsys.readouterr().err
    assert main(["tokens", "--prompt", "x", *["--model", *["abc"] * 9]]) == 1
    assert "9 tokenizers are too many" in capsys.readouterr().err
