"""What is marked in the history is kept, undone and comes back."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from arplay.core.tree import Mark
from arplay.gui.intents import SetMark
from tests.sessions import kept_in, of_window, told
from tests.test_keeping import folder, work
from tests.windows_open import Open, opened

__all__ = ["folder", "opened"]


def test_marks_are_kept_undone_and_come_back(opened: Open, qtbot: QtBot, folder: Path) -> None:
    window = opened(keep=folder)
    work(window, qtbot)
    play = window.playground
    here, *others = reversed(play.tree.nodes.values())
    play.handle(SetMark((here,), Mark("<b>best", star=True)))
    play.handle(SetMark((others[3],), Mark(pruned=True)))
    play.undo_stack.undo()
    assert others[3].serial not in play.tree.marks
    play.undo_stack.redo()
    play.undo_stack.undo()
    play.undo_stack.undo()
    play.undo_stack.undo()  # a move
    play.handle(SetMark((here,), Mark("other")))  # no redo of that move any more
    before = told(of_window(window))
    assert window.keeping.flush() and told(kept_in(folder)[0]) == before
    window.close()
    again = opened(text=None, keep=folder)
    assert told(of_window(again)) == before
    assert again.playground.tree.marks == {here.serial: Mark("other")}
