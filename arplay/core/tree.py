"""The tree of everything written, picked or sampled: undo and redo walk it, branches are kept, steps are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from arplay.core.document import Document, Edit, Runs, Typed, normal, size

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
    """One state of the document: what was done to the parent's, and where that left the caret (a byte).

    ``serial`` grows with every node of a tree and is never used again; ``name`` is that of the file that was opened.
    """

    parent: Node | None
    edit: Edit
    kind: Kind
    caret: int
    step: Step | None = None
    serial: int = 0
    name: str | None = None
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
    def opened_from(self) -> str | None:
        """The name of the file that the text came from, which is nobody's after a text without a name was opened."""
        return next((node.name for node in self.ancestors() if node.kind == "opened"), None)

    @property
    def cut(self) -> bool:
        """Whether this pick or sample put aside a text that followed it."""
        return self.step is not None and size(self.edit.removed) > 0


@dataclass(slots=True)
class Plan:
    """A node as it is kept: by numbers, with the count of the bytes that gave way instead of the bytes."""

    serial: int
    parent: int
    kind: Kind
    at: int
    cut: int
    put: Runs
    caret: int
    step: Step | None = None
    name: str | None = None


class Tree:
    """History with branches. Nodes hold edits, not texts, so that a long session over a long text stays small."""

    def __init__(self, document: Document | None = None, serial: int = 0) -> None:
        self.document = self.start = document or Document()
        self.root = Node(None, Edit(0, (), ()), "opened", len(self.document), serial=serial)
        self.node = self.root
        self.nodes = {serial: self.root}
        """All of them by their serial numbers, the oldest first."""

    @property
    def count(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    def record(self, edit: Edit, kind: Kind, caret: int, step: Step | None = None) -> Node:
        """Apply ``edit`` to the current document and stand on the new node.

        Typing (or deleting) that goes on where the last one ended is merged into that node, which is then returned.
        An edit that changes nothing is not recorded.
        """
        if edit.removed == edit.inserted:
            return self.node
        merged = self._merge(edit, kind)
        if merged is None:
            return self.grow(edit, kind, caret, step)
        self.document = self.document.apply(edit)
        self.node.edit, self.node.caret = merged, caret
        return self.node

    def grow(self, edit: Edit, kind: Kind, caret: int, step: Step | None = None, serial: int | None = None) -> Node:
        """Apply ``edit`` and stand on a new node, which has the next number where none is given."""
        document = self.document.apply(edit)
        node = Node(self.node, edit, kind, caret, step, next(reversed(self.nodes)) + 1 if serial is None else serial)
        self.node.children.append(node)
        self.nodes[node.serial] = node
        self.document, self.node = document, node
        return node

    @classmethod
    def of(cls, document: Document, root: Plan, plans: Iterable[Plan], node: int) -> Tree:
        """The tree that was kept as ``plans`` (parents first, numbers rising), standing on the ``node`` of that number.

        Raises ValueError where they do not fit together: no such parent, bytes that are not there, pieces cut.
        """
        tree = cls(document, root.serial)
        tree.root.name, tree.root.caret = root.name, root.caret
        here = (tree.document, tree.root) if node == root.serial else None
        below: dict[int, list[Plan]] = {root.serial: []}
        for plan in plans:
            if plan.parent not in below or plan.serial <= next(reversed(below)):
                raise ValueError(f"state {plan.serial} does not follow from {plan.parent}")
            below[plan.parent].append(plan)
            below[plan.serial] = []
        waiting = below[root.serial][::-1]
        while waiting:  # each branch to its end, so that one only ever goes back up
            plan = waiting.pop()
            while tree.node.serial != plan.parent:
                assert tree.node.parent is not None
                tree.document, tree.node = tree.document.apply(tree.node.edit.inverse), tree.node.parent
            if not (0 <= plan.at <= plan.at + plan.cut <= len(tree.document)) or plan.put != normal(plan.put):
                raise ValueError(f"state {plan.serial} does not fit the text before it")
            whole = plan.kind == "retokenised" and plan.cut == len(tree.document)  # pieces without bytes before it, too
            removed = tree.document.runs if whole else tree.document.between(plan.at, plan.at + plan.cut)
            edit = Edit(plan.at, removed, plan.put)
            tree.grow(edit, plan.kind, plan.caret, plan.step, plan.serial).name = plan.name
            if plan.serial == node:
                here = tree.document, tree.node
            if not 0 <= plan.caret <= len(tree.document):
                raise ValueError(f"the caret of state {plan.serial} is not in its text")
            waiting += below[plan.serial][::-1]
        if here is None:
            raise ValueError(f"there is no state {node}")
        tree.document, tree.node = here
        tree.nodes = dict(sorted(tree.nodes.items()))
        return tree

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
