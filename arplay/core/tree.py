"""The tree of everything written, picked or sampled: undo and redo walk it, branches are kept, steps are recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from arplay.core.document import Document, Edit, Typed, normal, size

Kind = Literal["opened", "typed", "picked", "sampled", "retokenised"]


@dataclass(frozen=True, slots=True)
class Step:
    """How a piece was chosen. ``u`` is None for a pick by hand; log-probs in nats, probabilities plain."""

    id: int
    index: int
    logprob: float
    prob: float
    decoded_prob: float
    rank: int
    u: float | None = None
    seed: int | None = None


@dataclass(eq=False, slots=True)
class Node:
    """One state of the document: what was done to the parent's, and where that left the caret (a byte)."""

    parent: Node | None
    edit: Edit
    kind: Kind
    caret: int
    step: Step | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def depth(self) -> int:
        return sum(1 for _ in self.ancestors()) - 1

    def ancestors(self) -> Iterator[Node]:
        """This node, its parent, ... up to the root."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    @property
    def cut(self) -> bool:
        """Whether this pick or sample put aside a text that followed it."""
        return self.step is not None and size(self.edit.removed) > 0


class Tree:
    """History with branches. Nodes hold edits, not texts, so that a long session over a long text stays small."""

    def __init__(self, document: Document | None = None) -> None:
        self.document = document or Document()
        self.root = Node(None, Edit(0, (), ()), "opened", len(self.document))
        self.node = self.root
        self.count = 1
        """How many nodes there are."""

    def record(self, edit: Edit, kind: Kind, caret: int, step: Step | None = None) -> Node:
        """Apply ``edit`` to the current document and stand on the new node.

        Typing (or deleting) that goes on where the last one ended is merged into that node, which is then returned.
        An edit that changes nothing is not recorded.
        """
        if edit.removed == edit.inserted:
            return self.node
        document = self.document.apply(edit)
        merged = self._merge(edit, kind)
        if merged is not None:
            self.node.edit, self.node.caret = merged, caret
        else:
            node = Node(self.node, edit, kind, caret, step)
            self.node.children.append(node)
            self.node = node
            self.count += 1
        self.document = document
        return self.node

    def goto(self, target: Node) -> None:
        """Make ``target`` the current state by undoing up to the common ancestor and redoing down to it."""
        mine = list(self.node.ancestors())
        seen = {id(node) for node in mine}
        down: list[Node] = []
        for node in target.ancestors():
            if id(node) in seen:
                common = node
                break
            down.append(node)
        else:
            raise ValueError("that node belongs to another tree")
        document = self.document
        for node in mine:
            if node is common:
                break
            document = document.apply(node.edit.inverse)
        for node in reversed(down):
            document = document.apply(node.edit)
        self.document, self.node = document, target

    def path(self) -> list[Node]:
        """From the root to the current node."""
        return list(self.node.ancestors())[::-1]

    def put_aside(self) -> Node | None:
        """The nearest state on the way here whose tail a pick or a sample replaced, or None."""
        for node in self.node.ancestors():
            if node.cut:
                return node.parent
        return None

    def _merge(self, edit: Edit, kind: Kind) -> Edit | None:
        """The current node's edit with ``edit`` added, if both are one stretch of typing, or one of deleting."""
        node, last = self.node, self.node.edit
        if kind != "typed" or node.kind != "typed" or node.children:
            return None
        if not edit.removed and not last.removed and edit.at == last.at + size(last.inserted):
            return self._longer(last, edit)
        if not edit.inserted and not last.inserted and last.at in (edit.at, edit.at + size(edit.removed)):
            runs = edit.removed + last.removed if edit.at < last.at else last.removed + edit.removed
            return Edit(edit.at, normal(runs), ())
        return None

    @staticmethod
    def _longer(last: Edit, edit: Edit) -> Edit | None:
        """One stretch of plain typing: a word with the space before it."""
        if len(last.inserted) != 1 or len(edit.inserted) != 1:
            return None
        old, new = last.inserted[0], edit.inserted[0]
        if not isinstance(old, Typed) or not isinstance(new, Typed):
            return None
        if new.data[:1].isspace() and not old.data[-1:].isspace():
            return None
        return Edit(last.at, (), (Typed(old.data + new.data),))
