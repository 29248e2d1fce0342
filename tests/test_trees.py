"""The history exported: pictures, a record a step, and a graph whose labels are text and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.core.modalities.text import Text
from arplay.core.tree import Mark, Tree
from arplay.export.trees import graph, records
from arplay.gui import exports, files
from arplay.gui.intents import Do, Goto, SetMark, Take
from arplay.gui.main_window import MainWindow
from tests.windows_open import Open, notice, settle

STARTS = {
    ".png": b"\x89PNG",
    ".svg": b"<?xml",
    ".pdf": b"%PDF",
    ".csv": b"# arplay",
    ".json": b"{",
    ".jsonl": b"{",
    ".parquet": b"PAR1",
}


def write(window: MainWindow, qtbot: QtBot) -> None:
    play = window.playground
    for intent in (Do("step"), Take(2), Goto(play.tree.root), Do("step"), Take(0)):
        play.handle(intent)
        settle(window, qtbot)
    play.handle(SetMark((play.tree.node,), Mark('"good"\n', star=True)))


def test_every_kind_from_the_window(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"BA")
    write(window, qtbot)
    export = exports.of_panel(window.panels["history"], window)
    for suffix in export.kinds.values():
        path = tmp_path / f"tree{suffix}"
        assert export.save(path), notice(window)
        assert path.read_bytes().startswith(STARTS.get(suffix, b"digraph"))
    rows = [json.loads(line) for line in (tmp_path / "tree.jsonl").read_text().splitlines()]
    assert [row["state"] for row in rows] == list(window.playground.tree.nodes)
    for row, node in zip(rows, window.playground.tree.nodes.values(), strict=True):
        assert (row["id"], row["u"]) == ((node.step.id, node.step.u) if node.step else (None, None))


def test_the_command_line_draws_the_tree_of_a_session(
    opened: Open, qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window = opened(text=b"BA")
    write(window, qtbot)
    session = tmp_path / "a.session.json"
    assert files.write_session(session, window)
    out = tmp_path / "a.dot"
    assert main(["export", str(session), "--chart", "tree", "--model", "abc", "--out", str(out)]) == 0
    assert out.read_text() == graph(window.playground.tree)
    facts = session.read_text().replace(window.playground.view.info.revision, "other")  # type: ignore[union-attr]
    session.write_text(facts)
    assert main(["export", str(session), "--chart", "tree", "--model", "abc", "--out", str(out)]) == 1
    assert "other" in capsys.readouterr().err
    assert main(["export", "--prompt", "BA", "--chart", "tree", "--model", "abc", "--out", str(out)]) == 2


LABEL = r'"(?:[^"\\\n]|\\["\\n])*"'
LINE = re.compile(rf"(digraph history \{{|\}}|  rankdir=.*|  \d+( -> \d+)?( \[label={LABEL}[^\"\]]*\])?;)")


def strange(text: str) -> list[str]:
    """Lines that are not of the graph that we write."""
    return [line for line in text.removesuffix("\n").split("\n") if not LINE.fullmatch(line)]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=8), st.text(max_size=8))
def test_whatever_is_written_labels_stay_labels(text: str, name: str) -> None:
    tree = Tree(Text.of(b""))
    assert isinstance(tree.document, Text)
    edit = tree.document.replace(0, 0, text.encode("utf-8", "replace"))
    tree.record(edit, "typed", 0)
    tree.mark(tree.node, Mark(name))
    assert strange(graph(tree)) == []
    assert len(records(tree)) == tree.count


def test_a_label_that_breaks_out_is_seen() -> None:
    """Negative control."""
    assert strange('digraph history {\n  0 [label="a"b"];\n}\n')
