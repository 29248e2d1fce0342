"""How the command behaves: exit statuses, one-line errors, pipes, files that stay as they were, light imports."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arplay.cli import main
from arplay.commands.window import why_not_imported
from arplay.gui import platform_check

COMMAND = [sys.executable, "-m", "arplay"]
HANG_GUARD = 60
HEAVY = ("torch", "transformers", "tokenizers", "PySide6")
TRACE = '{"decoding": {"mode": "sample", "temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0}, "seed": 0, "steps": []}'
WALL = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise RuntimeError(name + " was imported behind the wall")
sys.meta_path.insert(0, Wall())
{script}
"""


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    status = main(list(argv))
    said = capsys.readouterr()
    return status, said.out, said.err


def behind_the_wall(script: str, *blocked: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WALL.format(blocked=blocked, script=script)]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_GUARD)


def run_main(*argv: str) -> str:
    return f"from arplay.cli import main; sys.exit(main({list(argv)!r}))"


@pytest.mark.parametrize(
    ("argv", "cause"),
    [
        (("next", "--model", "abc", "--prompt", "x"), "not in this model's alphabet"),
        (("next", "--model", "nowhere", "--prompt", "x"), "there is no model nowhere"),
        (("next", "--model", "abc", "--prompt", "\udce9"), "the prompt is not UTF-8"),
        (("score", "/nowhere/text.txt", "--model", "abc"), "cannot be read"),
        (("score", ".", "--model", "abc"), "cannot be read"),
        (("sample", "--model", "abc", "--prompt", "B", "--first-token", "bos"), "no BOS"),
        (("sample", "--model", "abc", "--prompt", "B", "--replay", "/nowhere.json"), "cannot be read"),
        (("next", "--model", "abc", "--prompt", "B", "--out", "/nowhere/x.txt"), "cannot be written"),
        (("models", "get", "nothing"), "there is no model called nothing"),
        (("no-such-file.txt",), "there is no file"),
    ],
)
def test_a_problem_is_one_line_and_status_1(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], cause: str
) -> None:
    status, out, err = told(capsys, *argv)
    assert (status, out) == (1, "")
    assert err.startswith("arplay: ")
    assert cause in err
    assert "; " in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [
        ("next",),
        ("next", "--model", "abc", "--prompt", "B", "--file", "x"),
        ("next", "--model", "abc", "--prompt", "B", "--temperature", "-1"),
        ("next", "--model", "abc", "--prompt", "B", "--temperature", "nan"),
        ("next", "--model", "abc", "--prompt", "B", "--top", "-1"),
        ("sample", "--prompt", "B", "--seed", str(2**64)),
        ("sample", "--prompt", "B", "--seed", "1", "--replay", "x.json"),
        ("models", "get"),
        ("models", "list", "abc"),
        ("export", "--prompt", "B", "--chart", "window", "--out", "x.csv"),
        ("export", "--prompt", "B", "--chart", "bars", "--out", "x.docx"),
        ("export", "--prompt", "B", "--chart", "bars", "--out", "x.png", "--size", "0x5"),
        ("--theme", "pink"),
    ],
)
def test_wrong_usage_is_status_2(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    status, out, err = told(capsys, *argv)
    assert (status, out) == (2, "")
    assert "usage: arplay" in err


@pytest.mark.parametrize(
    "argv",
    [
        *(("next", option) for option in ("--top", "--temperature", "--top-k", "--top-p", "--min-p")),
        *(("sample", option) for option in ("-n", "--seed", "--temperature")),
        *(("export", option) for option in ("--scale", "--size", "--tokens")),
        *(("train", option) for option in ("--params", "--vocab", "--minutes", "--order", "--threads", "--seed")),
    ],
)
def test_what_is_no_number_is_told_in_words(capsys: pytest.CaptureFixture[str], argv: tuple[str, str]) -> None:
    status, _, err = told(capsys, *argv, "many")
    assert status == 2
    assert f"{argv[1]}: " in err and "many" in err.splitlines()[-1] and "invalid _" not in err


def test_a_text_that_is_not_utf8_names_its_encoding(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "t.json"
    table.write_text(json.dumps({"alphabet": ["é", "x"], "rows": {"": {"é": 0.5, "x": 0.5}}}))
    file = tmp_path / "old.txt"
    file.write_bytes("éxé".encode("utf-16"))
    status, _, err = told(capsys, "score", str(file), "--model", str(table))
    assert status == 1
    assert "not UTF-8" in err
    assert "--encoding utf_16" in err
    status, out, err = told(capsys, "score", str(file), "--model", str(table), "--encoding", "utf_16", "--json")
    assert status == 0
    assert "as utf_16" in err
    assert json.loads(out)["totals"]["bytes"] == 5
    status, _, err = told(capsys, "score", str(file), "--model", str(table), "--encoding", "rot13")
    assert (status, err.startswith("arplay: there is no text encoding called")) == (1, True)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"decoding": {}, "seed": 0, "steps": []}',
        TRACE.replace("[]", "3"),
        TRACE.replace("[]", '[{"u": 1}]'),
        TRACE.replace("[]", '[{"u": NaN}]'),
        TRACE.replace('"top_p": 1', '"top_p": 7'),
        TRACE.replace('"seed": 0', '"seed": -1'),
        "[" * 100_000,
    ],
)
def test_a_replay_of_something_else_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str
) -> None:
    trace = tmp_path / "trace.json"
    trace.write_text(content)
    status, out, err = told(capsys, "sample", "--model", "abc", "--prompt", "B", "--replay", str(trace))
    assert (status, out) == (1, "")
    assert "is no trace" in err
    trace.write_text(TRACE)
    assert told(capsys, "sample", "--model", "abc", "--prompt", "B", "--replay", str(trace))[0] == 0


def test_a_reader_that_goes_away_is_no_error() -> None:
    text = "BAC" * 3000
    score = [*COMMAND, "score", "-", "--model", "abc"]
    with subprocess.Popen(score, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(text.encode())
        process.stdin.close()
        assert process.stdout.readline().startswith(b"abc")
        process.stdout.close()
        assert process.wait(HANG_GUARD) == 0
        assert process.stderr.read() == b""


def test_ctrl_c_is_status_130_without_a_traceback(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [*COMMAND, "score", str(pipe), "--model", "abc"]
    # a shell's background job hears no SIGINT, and neither do its children: this one does as in a terminal
    listen = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=listen) as process:
        with pipe.open("wb"):  # opens once the command reads
            time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            assert process.wait(HANG_GUARD) == 130
        assert process.stderr
        assert process.stderr.read() == b""


def test_help_costs_little_and_abc_needs_no_torch(tmp_path: Path) -> None:
    assert behind_the_wall(run_main("--help"), *HEAVY, "numpy").returncode == 0
    for argv in (("models", "list"), ("next", "--model", "abc", "--prompt", "B", "--json")):
        said = behind_the_wall(run_main(*argv), *HEAVY)
        assert said.returncode == 0, said.stderr
    out = str(tmp_path / "x.csv")
    said = behind_the_wall(
        run_main("export", "--prompt", "BAC", "--model", "abc", "--chart", "ledger", "--out", out), *HEAVY
    )
    assert said.returncode == 0, said.stderr


def test_the_wall_stands() -> None:
    said = behind_the_wall(run_main("models", "list"), "numpy")
    assert said.returncode == 1
    assert "numpy was imported behind the wall" in said.stderr


def test_models_and_doctor_tell_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = told(capsys, "models", "--json")
    entries = {entry["name"]: entry for entry in json.loads(out)}
    assert status == 0
    assert {"english", "abc", "smollm2"} <= set(entries)
    assert entries["abc"]["state"] == "ready"
    status, out, _ = told(capsys, "models", "info", "abc", "--json")
    assert (status, json.loads(out)["vocabulary"]) == (0, 3)
    status, out, _ = told(capsys, "doctor", "--json")
    report = json.loads(out)
    assert status == 0
    assert {"versions", "devices", "qt", "folders", "models"} <= set(report)
    assert report["devices"][-1]["name"] == "cpu"
    assert report["qt"]["platform"] == "offscreen"
    assert all(report["versions"].values())


def test_missing_libraries_are_told_with_their_packages() -> None:
    def loads(name: str) -> None:
        if name in ("libEGL.so.1", "libxcb-cursor.so.0"):
            raise OSError(name)

    assert platform_check.missing("xcb", loads) == ["libEGL.so.1", "libxcb-cursor.so.0"]
    assert platform_check.missing("offscreen", loads) == ["libEGL.so.1"]
    told = str(platform_check.problem(platform_check.missing("xcb", loads)))
    assert "apt install libegl1 libxcb-cursor0" in told
    assert "dnf install libglvnd-egl xcb-util-cursor" in told
    assert platform_check.missing("xcb", lambda name: None) == []
    error = ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")
    assert "apt install libegl1" in str(why_not_imported(error))


def test_a_screen_that_does_not_answer_is_none() -> None:
    assert platform_check.platform({}) is None
    assert platform_check.platform({"QT_QPA_PLATFORM": "xcb:a;b"}) == "xcb"
    dead = {"DISPLAY": ":9876", "WAYLAND_DISPLAY": "nothing-there"}
    script = "from arplay.gui import platform_check; import os; print(platform_check.platform())"
    environment = {key: value for key, value in os.environ.items() if key != "QT_QPA_PLATFORM"} | dead
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANG_GUARD)
    assert said.stdout.strip() == ("None" if not platform_check.missing("xcb") else "wayland"), said.stderr
