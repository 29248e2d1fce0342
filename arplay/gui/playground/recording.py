"""The document and how it came to be: each edit is a node of the tree, and a move that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from PySide6.QtCore import QObject, Signal

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.kept import Session
from arplay.core.modalities.base import Document, Edit, TokenSet
from arplay.core.tree import PLAIN, Kind, Mark, Node, Step
from arplay.gui.playground.asking import Asking
from arplay.gui.playground.state import State
from arplay.gui.playground.undo import Marking, Move

BRANCHING, REROLLING = "branching", "re-rolling"
CHOOSING = (BRANCHING, REROLLING)
"""The words of moves that go back only to choose another token."""


class Recording(QObject):
    """Whatever changes the document comes here; a View with it is shown, and the worker is asked about it."""

    began = Signal(object)
    """There is another tree, with these Moves behind it."""
    grown = Signal(object)
    """A Node is new in it."""
    merged = Signal(object, int)
    """An Edit became part of its current node, with the caret after it."""
    moved = Signal(object, object, object)
    """From one Node to another, as something that can be undone, in these words."""
    marked = Signal(object, object)
    """A Node has another Mark."""
    changed = Signal()
    """Another document is shown; nothing was asked about it yet."""

    def __init__(self, play: State, asking: Asking) -> None:
        super().__init__(play)
        self._play, self._asking = play, asking
        self.replaying = False  # the undo stack is filled, nobody goes anywhere

    def record(
        self,
        edit: Edit,
        kind: Kind,
        caret: int,
        pause: bool = False,
        name: str | None = None,
    ) -> None:
        """The document after ``edit``, in the tree and on the undo stack. ``pause``: more may follow at once."""
        play = self._play
        before, last = play.tree.node, play.tree.node.edit
        node = play.tree.record(edit, kind, caret)
        play.show(departures=edit.untouched(play.view.departures))
        self._document_changed(caret, pause)
        if node is not before:
            node.name = name
            self.grown.emit(node)
            self.move(before, node)
        elif node.edit is not last:
            self.merged.emit(edit, caret)

    def write(self, steps: Sequence[Step], kind: Kind, tokens: TokenSet, caret: int) -> int:
        """Tokens behind ``caret``, each a state and a move of its own, in one View; where the caret is then."""
        play = self._play
        departures = play.view.departures
        for step in steps:
            edit, caret = play.document.take(caret, step.id, tokens)
            before = play.tree.node
            node = play.tree.record(edit, kind, caret, step)
            caret, departures = play.document.reached(caret, tokens), edit.untouched(departures)
            if node is not before:
                self.grown.emit(node)
                self.move(self._behind_other(before), node)
        play.show(departures=departures)
        self._document_changed(caret)
        return caret

    def _behind_other(self, before: Node) -> Node:
        """Where undo leads from a token: where one went back from to choose it, if one did, so that both are one."""
        stack = self._play.undo_stack
        last = stack.command(stack.index() - 1)
        if not (isinstance(last, Move) and last.words in CHOOSING and last.target is before):
            return before
        stack.undo()
        return last.origin

    def move(self, origin: Node, target: Node, words: str | None = None) -> None:
        """Go to another state of the tree, as something that can be undone."""
        self.moved.emit(origin, target, words)
        self._play.undo_stack.push(Move(self._goto, origin, target, words))
        self._play.show()

    def follow(self, way: Sequence[Node]) -> None:
        """Go from each state to the next, each as something that can be undone; the last one is shown."""
        self.replaying = True
        for origin, target in pairwise(way):
            self.moved.emit(origin, target, None)
            self._play.undo_stack.push(Move(self._goto, origin, target))
        self.replaying = False
        self._goto(way[-1])

    def mark(self, nodes: Sequence[Node], mark: Mark) -> None:
        """What the user thinks of states, as one thing that can be undone."""
        play = self._play
        former = {node: play.tree.marks.get(node.serial, PLAIN) for node in nodes}
        if any(one != mark for one in former.values()):
            play.undo_stack.push(Marking(self._mark, former, mark))

    def _mark(self, node: Node, mark: Mark) -> None:
        play = self._play
        if not self.replaying:
            play.tree.mark(node, mark)
            self.marked.emit(node, mark)
            play.show(marks=tuple(play.tree.marks.items()))

    def resume(self, session: Session, long: Document | None) -> None:
        """Another tree with its undo, seed and caret; ``long``: what its document is the beginning of."""
        play = self._play
        play.tree = session.tree
        self.replaying = True
        play.undo_stack.clear()
        for origin, target, words in session.moves.made:
            nodes = play.tree.nodes
            play.undo_stack.push(Move(self._goto, nodes[origin], nodes[target], words))
        play.undo_stack.setIndex(session.moves.index)
        self.replaying = False
        play.show(marks=tuple(play.tree.marks.items()))
        settings = replace(play.view.settings, seed=session.seed)
        if session.decoding is not None:
            settings = replace(settings, decoding=Pipeline(session.decoding))
        play.show(name=play.tree.node.opened_from, settings=settings)
        if long is not None and session.long is not None:
            play.long = long
            play.show(excerpt_of=session.long)
        self._document_changed(session.caret)
        self.began.emit(session.moves)

    def stop(self) -> None:
        """The window closes: forget what could be undone."""
        self.replaying = True
        self._play.undo_stack.clear()  # Python may collect the commands before the stack, which would delete them again

    def _goto(self, node: Node) -> None:
        """Undo, redo and branches all come here; a node that was just recorded is already the current one."""
        play = self._play
        if node is play.tree.node or self.replaying:
            return
        with play.at_once():
            caret = play.tree.caret_at(node)
            play.tree.goto(node)
            play.show(step=None, step_decoded=None, name=node.opened_from, departures=())
            self._document_changed(caret)

    def _document_changed(self, caret: int, pause: bool = False) -> None:
        play = self._play
        if play.long is not None and not play.long.file.startswith(play.document.file):
            play.long = None  # the excerpt was edited: it is a text of its own now
            play.show(excerpt_of=None)
        play.looking = False
        loaded = play.view.loaded
        play.show(
            document=play.document,
            caret=play.document.reached(caret, loaded.vocabulary if loaded is not None else None),
            tree=play.tree,
            node=play.tree.node,
            states=play.tree.count,
            stale=True,
            selected=None,
            reconciled=None,
        )
        self.changed.emit()
        if pause:
            self._asking.explore_soon()
        elif not play.view.playing:
            self._asking.explore()
        if play.long is None:
            self._asking.score_soon()
