"""One undo stack over the document's tree: typing, picking, sampling and jumps are all moves between nodes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand, QUndoStack

from arplay.core.kept import MOST_MOVES
from arplay.core.tree import Mark, Node

_WORDS = {
    "opened": "opening",
    "typed": "typing",
    "painted": "painting",
    "pasted": "pasting",
    "picked": "picked token",
    "sampled": "sampled token",
    "retokenised": "re-tokenising",
    "rolled": "token of a rollout",
    "searched": "token of a beam",
}


class Move(QUndoCommand):
    """From one node of the tree to another. Pushing it on the stack goes there."""

    def __init__(self, goto: Callable[[Node], None], origin: Node, target: Node, words: str | None = None) -> None:
        super().__init__(words or _WORDS[target.kind])
        self.words = words
        self._goto, self.origin, self.target = goto, origin, target

    def redo(self) -> None:
        self._goto(self.target)

    def undo(self) -> None:
        self._goto(self.origin)


class Marking(QUndoCommand):
    """Another mark on states, which had those of ``former``. Pushing it on the stack sets it."""

    def __init__(self, set_mark: Callable[[Node, Mark], None], former: dict[Node, Mark], mark: Mark) -> None:
        super().__init__("pruning" if any(mark.pruned != one.pruned for one in former.values()) else "marking")
        self._set, self._former, self._mark = set_mark, former, mark

    def redo(self) -> None:
        for node in self._former:
            self._set(node, self._mark)

    def undo(self) -> None:
        for node, former in self._former.items():
            self._set(node, former)


def undone(stack: QUndoStack) -> int:
    """How many of the moves are undone; those that are done, which may be many, are not looked at."""
    return sum(isinstance(stack.command(i), Move) for i in range(stack.index(), stack.count()))


def moves_on(stack: QUndoStack) -> list[Move]:
    """All moves, those that are undone as well, the oldest first."""
    found = (stack.command(i) for i in range(stack.count()))
    return [move for move in found if isinstance(move, Move)]


def new_stack() -> QUndoStack:
    stack = QUndoStack()
    stack.setUndoLimit(MOST_MOVES)
    return stack
