"""One undo stack over the document's tree: typing, picking, sampling and jumps are all moves between nodes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand, QUndoStack

from arplay.core.kept import MOST_MOVES
from arplay.core.tree import Node

_WORDS = {
    "opened": "opening",
    "typed": "typing",
    "picked": "picked token",
    "sampled": "sampled token",
    "retokenised": "re-tokenising",
}


class Move(QUndoCommand):
    """From one node of the tree to another. Pushing it on the stack goes there."""

    def __init__(self, goto: Callable[[Node], None], origin: Node, target: Node, words: str | None = None) -> None:
        super().__init__(words or _WORDS[target.kind])
        self._goto, self._origin, self._target = goto, origin, target

    def redo(self) -> None:
        self._goto(self._target)

    def undo(self) -> None:
        self._goto(self._origin)


def new_stack() -> QUndoStack:
    stack = QUndoStack()
    stack.setUndoLimit(MOST_MOVES)
    return stack
