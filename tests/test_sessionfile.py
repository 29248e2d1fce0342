"""A session as a file: it opens elsewhere as it was and draws the same ids; what is none changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from arplay import api
from arplay.core import kept
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.kept import Session
from arplay.core.modalities.text import Text
from arplay.core.tree import Tree
from arplay.export import sessionfile
from arplay.gui import app, files
from arplay.gui.intents import Change, Do, Goto, OpenFiles, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.options import WindowOptions
from tests.sessions import only, told
from tests.test_kept import written
from tests.test_tree import actions
from tests.windows_open import Open, notice, settle


def save(path: Path, session: Session) -> Path:
    sessionfile.write(path, kept.snapshot(session))
    return path


def explore(window: MainWindow, qtbot: QtBot) -> None:
    """Branches that were drawn behind different pipelines, and one that remembers what was drawn."""
    play = window.playground
    for at, decoding in enumerate(("top-k:2", "temperature:1.7,min-p:0.05", "mirostat:1.5,0.1", "")):
        stages = Pipeline(decoding) if at != 2 else Pipeline([("mirostat", (1.5, 0.1))])
        play.handle(Change(replace(play.view.settings, decoding=stages, seed=40 + at)))
        play.handle(Goto(play.tree.root))
        for intent in (Do("step"), Do("step"), Take(at % 3), Do("step"), Do("step")):
            play.handle(intent)
            settle(window, qtbot)


@given(st.sampled_from([b"", b"a\xff\r\n"]), actions)
@settings(max_examples=40, deadline=None)
def test_any_session_comes_back_from_its_file(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, todo: list[Any]
) -> None:
    session = written(start, todo).session
    path = save(tmp_path_factory.getbasetemp() / "any.session.json", session)
    assert told(sessionfile.read(path)) == told(session)
    assert isinstance(json.loads(path.read_text("ascii")), list), "it is plain JSON"


def test_another_process_draws_the_same_ids(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"BAC")
    explore(window, qtbot)
    path = tmp_path / "a.session.json"
    assert files.write_session(path, window)
    command = [sys.executable, "-m", "arplay", "sample", "--model", "abc", "--replay", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"drawn": 16, "same": True, "other": []}), done.stderr


@pytest.mark.parametrize("part", ["u", "by"])
def test_another_u_or_pipeline_is_seen(opened: Open, qtbot: QtBot, tmp_path: Path, part: str) -> None:
    """Negative control."""
    window = opened(text=b"BAC")
    explore(window, qtbot)
    path = tmp_path / "a.session.json"
    assert files.write_session(path, window)
    facts = json.loads(path.read_text())
    for fact in facts:
        if fact.get("kind") == "sampled":
            if part == "u":
                fact["step"][6] = (fact["step"][6] + 0.5) % 1
            else:
                fact["step"][8:] = ["greedy"]
    path.write_text(json.dumps(facts))
    assert not api.load("abc").replay(path).same


def test_a_window_goes_on_with_it_and_its_settings(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    first = opened(text=b"BAC")
    explore(first, qtbot)
    first.playground.handle(Change(replace(first.playground.view.settings, decoding=Pipeline("top-k:2"))))
    path = tmp_path / "a.session.json"
    assert files.write_session(path, first)
    second = opened(text=b"ABC", store=tmp_path / "other.ini", keep=tmp_path / "kept")
    second.open_file(path)
    settle(second, qtbot)
    play = second.playground
    assert play.view.settings.decoding == Pipeline("top-k:2") and play.view.settings.seed == 43
    assert play.document == first.playground.document and play.tree.count == first.playground.tree.count
    assert play.undo_stack.count() == first.playground.undo_stack.count()
    assert [left.about.begins for left in second.keeping.left()] == ["ABC"], "what was there is kept"
    assert notice(second) == ""


def test_a_model_that_only_the_file_names_is_told_and_not_loaded(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"BAC")
    session = only(window.playground.tree)
    session.model = "http://127.0.0.1:9/v1"
    window.open_file(save(tmp_path / "a.session.json", session))
    settle(window, qtbot)
    assert "http://127.0.0.1:9/v1" in notice(window) and window.playground.view.info.name == "abc"  # type: ignore[union-attr]


@pytest.mark.parametrize("model", ["abc", "xo"])
def test_the_program_starts_with_a_session(opened: Open, qtbot: QtBot, tmp_path: Path, model: str) -> None:
    """As ``arplay FILE.session.json`` does, whatever model was there the last time."""
    window = opened(text=b"BAC")
    window.playground.handle(Do("step"))
    settle(window, qtbot)
    path = tmp_path / "a.session.json"
    assert files.write_session(path, window)
    view = app.picture(WindowOptions(text_file=path, model=model), tmp_path / "window.png")
    assert view.document == window.playground.document
    assert view.info is not None and view.info.name == "abc"


def test_a_dropped_session_is_opened(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"BAC")
    path = save(tmp_path / "a.session.json", only(Tree(Text.of(b"CAB"))))
    window.handle(OpenFiles((path,)))
    settle(window, qtbot)
    assert window.playground.document.file == b"CAB"


def broken(facts: list[Any]) -> dict[str, bytes]:
    """Ways in which a file is none: by name."""
    head, *rest = facts

    def out(*facts: Any) -> bytes:
        return json.dumps(facts).encode()

    return {
        "half of it": out(*facts)[: len(out(*facts)) // 2],
        "no JSON": b"\xff\x00",
        "an object": b"{}",
        "nothing": b"",
        "deep": b"[" * 100_000,
        "no head": out(*rest),
        "newer": out({**head, "version": kept.VERSION + 1}, *rest),
        "more in the head": out({**head, "run": "me"}, *rest),
        "no document": out(head),
        "a state without its parent": out(head, rest[0], {**rest[1], "parent": 999}, *rest[2:]),
        "a setting that there is not": out(*facts, {"set": {"run": "me"}}),
        "a pipeline that there is not": out(*facts, {"set": {"decoding": "run:1"}}),
        "a reading that there is not": out(*facts, {"set": {"reading": ["run", True, True]}}),
        "a fact that is none": out(*facts, 7),
    }


@pytest.mark.parametrize("which", broken([{}, {}, {}]))
def test_what_is_no_session_is_told_and_nothing_changes(opened: Open, qtbot: QtBot, tmp_path: Path, which: str) -> None:
    window = opened(text=b"BAC")
    window.playground.handle(Do("step"))
    settle(window, qtbot)
    path = save(tmp_path / "a.session.json", only(window.playground.tree))
    sessionfile.read(path)  # negative control: it is one
    path.write_bytes(broken(json.loads(path.read_text()))[which])
    view = window.playground.view
    window.open_file(path)
    assert "a.session.json" in notice(window)
    assert window.playground.view.tree is view.tree and window.playground.view.document is view.document
    with pytest.raises(Problem):
        sessionfile.read(path)


KILLED = """
import sys
from pathlib import Path
from arplay.export import sessionfile
from arplay.core import kept
session = sessionfile.read(sys.argv[1])
for count in range(1_000_000):
    session.seed = count
    sessionfile.write(Path(sys.argv[1]), kept.snapshot(session))
    print(count, flush=True)
"""


def test_a_save_that_is_killed_leaves_a_whole_file(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    session = written(b"x" * 50_000, [("sample", 3, 1, b"")] * 30).session
    path = save(tmp_path / "a.session.json", session)
    for delay in (0.0, 0.003, 0.011):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)  # any moment will do
        child.kill()
        last = (child.communicate()[0].split() or ["0"])[-1]
        read = sessionfile.read(path)
        assert read.seed >= int(last)
        assert told(replace(read, seed=0)) == told(replace(session, seed=0))
