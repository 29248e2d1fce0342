"""What the commands write: never over what they read, never two results in one file, and told before any work."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from arplay.cli import main
from arplay.core.errors import Problem
from arplay.export.writers import write
from arplay.models import catalogue
from arplay.textfile import read_texts

README = Path(__file__).parent.parent / "README.md"
WORDS = "It was dark.\nA night."


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text(WORDS)
    return tmp_path


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model may be loaded: what is wrong is known before."""

    def refuse(*unused: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(catalogue, "load", refuse)


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        ("score notes.txt --jsonl notes.txt", 2, "--jsonl would write over notes.txt, which is read"),
        ("score notes.txt --out ./notes.txt", 2, "--out would write over notes.txt, which is read"),
        ("score --prompt B --candidates notes.txt --table notes.txt", 2, "which is read"),
        ("score notes.txt --base b.txt --report b.txt", 2, "which is read"),
        (
            "score notes.txt --report both --jsonl both",
            2,
            "--report would write over both, which is written by --jsonl",
        ),
        ("export notes.txt --chart ledger --out notes.txt", 2, "which is read"),
        ("next --file notes.txt --out notes.txt", 2, "which is read"),
        ("score notes.txt --report nowhere/x.html", 1, "no such folder"),
        ("score notes.txt --save nowhere/x.npz", 1, "no such folder"),
        ("sample --prompt B --out .", 1, "it is a folder"),
        ("score notes.txt --report -", 2, "give a name, or /dev/stdout"),
        ("next --prompt B --out -", 2, "give a name, or /dev/stdout"),
        ("score - -", 2, "standard input is read once"),
        ("score notes.txt --table x.csv --compare abc", 2, "arplay export --chart comparison"),
    ],
)
def test_what_cannot_be_written_is_told_before_any_work(
    argv: str, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv.split()) == status
    assert words in capsys.readouterr().err
    assert Path("notes.txt").read_text() == WORDS


def test_parts_that_there_are_not_are_told_before_a_text_is_scored(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from arplay import api

    monkeypatch.setattr(api.Model, "score", lambda *unused: pytest.fail("it was scored"))
    assert main(["score", "--prompt", "BAC", "--model", "abc", "--by", "sentences"]) == 1
    assert "no parts called 'sentences'; use word, line, sentence, paragraph" in capsys.readouterr().err


def test_a_pipe_is_written_to() -> None:
    """/dev/stdout is a link to a pipe, which has no place among the files."""
    command = [sys.executable, "-m", "arplay", "score", "--prompt", "BAC", "--model", "abc", "--jsonl", "/dev/stdout"]
    if not Path("/dev/stdout").exists():
        pytest.skip("this system has no /dev/stdout")
    said = subprocess.run([*command, "--out", os.devnull], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout)["totals"]["tokens"] == 3


def test_a_place_that_cannot_be_is_a_problem() -> None:
    Path("file").write_text("x")
    for path in ("file/inside", "nowhere/x", "."):
        with pytest.raises(Problem, match="cannot be written"):
            write(Path(path), "y")
    assert Path("file").read_text() == "x"


def test_candidates_are_lines_and_nothing_else() -> None:
    Path("c.txt").write_bytes("\ufeff yes\r\n\n no\u2028never\x0c\n".encode())
    assert read_texts(Path("c.txt")) == [" yes", " no\u2028never\x0c"]


def commands() -> list[str]:
    """Those that the README shows under "The command line"."""
    block = re.findall(r"^```sh\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)[-1]
    return [line.partition("  #")[0].partition(" # ")[0] for line in block.splitlines()]


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("arplay score")])
def test_what_the_readme_scores_is_scored(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(line.replace("smollm2", "english"))[1:]) == 0, capsys.readouterr().err


def test_the_readme_has_commands() -> None:
    assert len(commands()) > 12 and all(line.startswith("arplay ") for line in commands())


def test_words_and_another_model_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "notes.txt", "--by", "line", "--compare", "english", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [part["text"] for part in said["parts"]] == WORDS.splitlines(keepends=True)
    assert len(said["comparison"]) == 1
