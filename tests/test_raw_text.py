"""No command gives a terminal raw text of a model, a file or its arguments; pipes and files stay exact."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arplay.cli import COMMANDS, main
from arplay.core.signs import safe
from tests.hostile import PARTS, STEERING, hostile, raw
from tests.tiny_runs import plan

HANG_GUARD = 300
RUN_ALL = """
import json, sys
from arplay.cli import main
for argv in json.load(open(sys.argv[1], encoding="utf-8")):
    main(argv)
    sys.stdout.flush()
"""
OURS = re.compile(r"\r *\r")
CHARACTERS = tuple(dict.fromkeys("".join(part for part in PARTS if not part.isprintable())))


def on_a_terminal(commands: list[list[str]], folder: Path, script: str = RUN_ALL) -> str:
    """What a terminal is given by the commands, standard output and standard error together."""
    (folder / "commands.json").write_text(json.dumps(commands), encoding="utf-8")
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", script, str(folder / "commands.json")]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder) as child:
        os.close(theirs)
        given = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how Linux tells that the other side is closed
                break
            if not part:
                break
            given += part
        os.close(ours)
        child.wait(HANG_GUARD)
    return given.decode("utf-8", "replace").replace("\r\n", "\n")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A model whose name, file and tokens are hostile: each token that steers, reorders, hides or is markup."""
    tokens = [*CHARACTERS, *(part for part in PARTS if len(part) > 1)]
    row = {token: 1 / len(tokens) for token in tokens}
    path = tmp_path / f"{hostile(1, without='/' + chr(0))}.json"
    path.write_text(json.dumps({"name": hostile(2), "alphabet": tokens, "rows": {"": row}}), encoding="utf-8")
    return path


def commands(table: Path, folder: Path) -> Iterator[list[str]]:
    """All commands where they go well and where they fail, with hostile words wherever a word may stand."""
    model, text = ["--model", str(table)], folder / f"{hostile(3, without='/' + chr(0))}.txt"
    text.write_text("".join(CHARACTERS), encoding="utf-8", newline="")
    yield ["next", *model, "--prompt", "".join(CHARACTERS[:9]), "--find", "\x1b", "--temperature", "0.5"]
    yield ["next", *model, "--file", str(text), "--json"]
    yield ["sample", *model, "--prompt", "", "-n", "200"]
    yield ["sample", *model, "--prompt", "", "-n", "20", "--json"]
    yield ["score", str(text), *model, "--csv", f"{text}.csv"]
    yield ["score", str(text), *model, "--json"]
    yield ["export", str(text), *model, "--chart", "bars", "--out", f"{text}.json"]
    yield ["models", "info", str(table)]
    yield ["models"]
    yield ["doctor"]
    yield ["train", "--out", str(folder / "run"), "--resume"]
    (folder / "run" / "training").mkdir(parents=True)
    for number in range(40):
        word = hostile(number, without="\0")  # which no system passes on
        yield ["next", *model, "--prompt", f"zz{word}"]
        yield ["next", "--prompt", "a", "--model", word]
        yield ["score", word, "--model", word]
        yield ["score", str(text), *model, "--encoding", word]
        yield ["sample", "--prompt", "a", "--replay", word]
        yield ["export", word, "--chart", word, "--out", f"x{word}"]
        yield ["export", word, "--chart", "bars", "--out", f"x{word}"]
        yield ["models", "info", word.replace("/", "")]
        yield ["models", "remove", word, "--yes"]
        yield ["train", word, "--out", f"x{word}"]
        yield ["train", f"{word}.toml", "--out", word, "--params", word]
        yield ["next", "--prompt", "a", f"--{word}"]
        yield [word, "--theme", word]
        yield [word]
    (folder / "run" / "training" / "plan.json").write_text(plan(device=hostile(7)).to_json(), encoding="utf-8")
    yield ["train", "--out", str(folder / "run"), "--resume", "--threads", "7"]
    for command in COMMANDS:
        yield [command, "--help"]


def test_a_terminal_is_given_nothing_raw(table: Path, tmp_path: Path) -> None:
    given = on_a_terminal(list(commands(table, tmp_path)), tmp_path)
    assert len(given) > 100_000 and "unforeseen" not in given
    lines = [line for line in OURS.sub("", given).split("\n") if raw(line, allowed="\t")]
    assert lines == []
    assert all(sign in given for sign in ("⟨ESC⟩", "⟨U+202E⟩", "⟨U+009B⟩", "⟨U+2028⟩", "<b>"))


def test_a_command_that_writes_raw_would_be_seen(tmp_path: Path) -> None:
    """Negative control: a terminal that is given an escape sequence by something else."""
    script = RUN_ALL.replace("main(argv)", "print(*argv)")
    assert raw(on_a_terminal([["\x1b[2J", "\u202e"]], tmp_path, script)) == ["U+001B", "U+202E"]


def test_a_pipe_and_files_get_the_exact_text(
    table: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    sample = ["sample", "--model", str(table), "--prompt", "", "-n", "60", "--seed", "3"]
    assert main([*sample, "--json"]) == 0
    said = json.loads(capfdbinary.readouterr().out)["text"]
    assert raw(said)
    assert main(sample) == 0
    assert capfdbinary.readouterr().out.decode() == said + "\n"
    assert main([*sample, "--out", str(tmp_path / "out.txt")]) == 0
    assert (tmp_path / "out.txt").read_bytes().decode() == said


@pytest.mark.parametrize("part", STEERING)
def test_json_is_safe_as_it_is_written(part: str, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    model = tmp_path / "t.json"
    model.write_text(json.dumps({"name": f"a{part}", "alphabet": [part], "rows": {"": {part: 1}}}), encoding="utf-8")
    assert main(["next", "--model", str(model), "--prompt", part, "--json"]) == 0
    out = capfdbinary.readouterr().out.decode()
    assert raw(out) == [] and json.loads(out)["prefix"]["text"] == part
    assert json.loads(out)["model"]["name"] == safe(f"a{part}")  # a name is made safe where it is read
