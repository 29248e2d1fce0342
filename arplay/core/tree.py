"""The tree of everything written, picked or sampled: undo and redo walk it, branches are kept, steps are recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from arplay.core.modalities.base import Document, Edit

LONGEST_WAY = 64
"""Edits that lead from one kept document to the next; in a long document, more by one for every UNITS_A_NODE."""
UNITS_A_NODE = 1024

Kind = Literal["opened", "typed", "painted", "pasted", "picked", "sampled", "retokenised", "rolled", "searched"]
TRIED: frozenset[Kind] = frozenset({"rolled", "searched"})
"""Of a rollout or a beam search: nobody stands there until it is chosen."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a token was chosen. ``u`` is None for a pick by hand; log-probs in nats, probabilities plain.

    ``by``: the pipeline behind which it was chosen, as it is spelled; empty for the model's own distribution.
    ``met``: why a rule of Play held behind it (:mod:`arplay.core.watch`), else empty. ``cut``: the stage that had
    removed a token that was picked all the same, else empty.
    """

    id: int
    index: int
    logprob: float
    prob: float
    decoded_prob: float
    rank: int
    u: float | None = None
    seed: int | None = None
    by: str = ""
    met: str = ""
    cut: str = ""


@dataclass(eq=False, slots=True)
class Node:
    """One state of the document: what was done to the parent's, and where that left the caret.

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
    document: Document | None = None
    """The state itself, kept now and then so that no way to another one is long."""
    since: int = 0
    """How many nodes lie between this one and the nearest above it that keeps its document."""
    opened: Node = field(init=False)
    """The nearest on the way here at which a text was opened."""
    aside: Node | None = field(init=False)
    """The nearest on the way here that put aside what followed in the text that was opened."""

    def __post_init__(self) -> None:
        up = self.parent
        self.opened = self if up is None or self.kind == "opened" else up.opened
        self.aside = self if self.cut else up.aside if up is not None and self.opened is not self else None

    def ancestors(self) -> Iterator[Node]:
        """This node, its parent, ... up to the root."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    @property
    def opened_from(self) -> str | None:
        """The name of the file that the text came from, which is nobody's after a text without a name was opened."""
        return self.opened.name

    @property
    def said(self) -> tuple[str, bool]:
        """What was done, and whether that is text of the document (or words about it)."""
        if self.kind == "opened":
            return self.edit.opened(self.document if self.parent is None else None), False
        return ("Re-tokenised", False) if self.kind == "retokenised" else self.edit.said(self.kind)

    @property
    def cut(self) -> bool:
        """Whether this pick or sample put aside a text that followed it."""
        return self.step is not None and self.edit.takes_away


@dataclass(frozen=True, slots=True)
class Mark:
    """What the user thinks of a state. ``pruned``: it and all that goes on from it are not shown; nothing is lost."""

    name: str = ""
    star: bool = False
    pruned: bool = False


PLAIN = Mark()
LONGEST_NAME = 80
"""Characters."""


@dataclass(slots=True)
class Plan:
    """A node as it is kept: by numbers; how its edit is kept is the document's own."""

    serial: int
    parent: int
    kind: Kind
    edit: Any
    caret: int
    step: Step | None = None
    name: str | None = None


class Tree:
    """History with branches. Nodes hold edits, not texts, so that a long session over a long text stays small."""

    def __init__(self, document: Document, serial: int = 0) -> None:
        self.document = self.start = document
        self.root = Node(None, document.nothing, "opened", len(document), serial=serial, document=document)
        self.node = self.root
        self.nodes = {serial: self.root}
        """All of them by their serial numbers, the oldest first."""
        self.marks: dict[int, Mark] = {}
        """Of the states that have one, by number."""
        self._sealed: Node | None = None

    @property
    def count(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    def record(self, edit: Edit, kind: Kind, caret: int, step: Step | None = None) -> Node:
        """Apply ``edit`` to the current document and stand on the new node.

        Typing (or deleting) that goes on where the last one ended is merged into that node, which is then returned.
        An edit that changes nothing is not recorded.
        """
        node = self.node
        if edit.is_nothing:
            return node
        goes_on = kind == node.kind == "typed" and not node.children and node is not self._sealed
        merged = node.edit.then(edit) if goes_on else None
        if merged is None:
            return self.grow(edit, kind, caret, step)
        self.document = self.document.apply(edit)
        node.edit, node.caret = merged, caret
        node.document = self.document if node.document is not None else None
        return node

    def grow(self, edit: Edit, kind: Kind, caret: int, step: Step | None = None, serial: int | None = None) -> Node:
        """Apply ``edit`` and stand on a new node, which has the next number where none is given."""
        document = self.document.apply(edit)
        self.node = self.hang(self.node, document, edit, kind, caret, step, serial)
        self.document = document
        return self.node

    def hang(
        self,
        parent: Node,
        document: Document,
        edit: Edit,
        kind: Kind,
        caret: int,
        step: Step | None = None,
        serial: int | None = None,
    ) -> Node:
        """A new node with its ``document`` behind any other one, without standing on it."""
        node = Node(parent, edit, kind, caret, step, next(reversed(self.nodes)) + 1 if serial is None else serial)
        node.since = parent.since + 1
        if node.since > LONGEST_WAY + len(document) // UNITS_A_NODE:
            node.since, node.document = 0, document
        parent.children.append(node)
        self.nodes[node.serial] = node
        return node

    def seal(self) -> None:
        """Typing that goes on will be a node of its own: the current one stays as it is."""
        self._sealed = self.node

    @classmethod
    def of(
        cls, document: Document, root: Plan, plans: Iterable[Plan], node: int, edit: Callable[[Any, Plan], Edit]
    ) -> Tree:
        """The tree that was kept as ``plans`` (parents first, numbers rising), standing on the ``node`` of that number.

        ``edit`` makes the edit of a plan for the document that it was made from. Raises ValueError where they do not
        fit together: no such parent, units that are not there, tokens cut.
        """
        tree = cls(document, root.serial)
        tree.root.name, tree.root.caret = root.name, root.caret
        below: dict[int, list[Plan]] = {root.serial: []}
        for plan in plans:
            if plan.parent not in below or plan.serial <= next(reversed(below)):
                raise ValueError(f"state {plan.serial} does not follow from {plan.parent}")
            below[plan.parent].append(plan)
            below[plan.serial] = []
        waiting = below[root.serial][::-1]
        while waiting:  # each branch to its end
            plan = waiting.pop()
            if tree.node.serial != plan.parent:
                tree.goto(tree.nodes[plan.parent])
            tree.grow(edit(tree.document, plan), plan.kind, plan.caret, plan.step, plan.serial).name = plan.name
            if not 0 <= plan.caret <= len(tree.document):
                raise ValueError(f"the caret of state {plan.serial} is not in its text")
            waiting += below[plan.serial][::-1]
        if node not in tree.nodes:
            raise ValueError(f"there is no state {node}")
        tree.goto(tree.nodes[node])
        tree.nodes = dict(sorted(tree.nodes.items()))
        return tree

    def mark(self, node: Node, mark: Mark) -> None:
        """In place of the mark that it had."""
        self.marks.pop(node.serial, None)
        if mark != PLAIN:
            self.marks[node.serial] = mark

    @property
    def pruned(self) -> frozenset[int]:
        """The numbers of the states below which nothing is shown."""
        return frozenset(number for number, mark in self.marks.items() if mark.pruned)

    def goto(self, target: Node) -> None:
        """Make ``target`` the current state."""
        self.document, self.node = self.at(target), target

    def holds(self, node: Node) -> bool:
        """Whether it is one of these states, not of another tree."""
        return self.nodes.get(node.serial) is node

    def at(self, target: Node) -> Document:
        """The document in a state. Raises ValueError for one that it does not hold."""
        if not self.holds(target):
            raise ValueError("that node belongs to another tree")
        down, node = [], target
        while node.document is None:
            assert node.parent is not None, "the root keeps its document"
            down.append(node)
            node = node.parent
        document = node.document
        for node in reversed(down):
            document = document.apply(node.edit)
        return document

    def path(self) -> list[Node]:
        """From the root to the current node."""
        return list(self.node.ancestors())[::-1]

    def caret_at(self, node: Node) -> int:
        """Where the caret belongs in ``node``, seen from here: where the way from there began, else as it was left."""
        child = next((below for below in self.node.ancestors() if below.parent is node), None)
        before = child.edit.before(child.kind, child.caret) if child is not None else None
        return node.caret if before is None else before

    def origin(self, index: int, start: int, end: int) -> Node:
        """The nearest state on the way here at which token ``index``, units [start, end), or what stands before it was
        written: the one at which it got the probability that it has.

        >>> from arplay.core.modalities.text import Text
        >>> from arplay.core.modalities.vocabulary import Token
        >>> tree = Tree(Text.of(b"AB"))
        >>> longer = tree.record(tree.document.put(2, Token(2, b"C"), "abc"), "picked", 3)
        >>> tree.origin(1, 1, 2) is tree.root, tree.origin(2, 2, 3) is longer
        (True, True)
        """
        return self.origins([(index, start, end)])[0]

    def origins(self, tokens: Sequence[tuple[int, int, int]]) -> list[Node]:
        """:meth:`origin` of each of these, (index, start, end), in one walk back."""
        found, left = [self.root] * len(tokens), list(range(len(tokens)))
        for node in self.node.ancestors():
            if not left:
                break
            here = [at for at in left if _wrote(node, *tokens[at])]
            for at in here:
                found[at] = node
            left = [at for at in left if found[at] is not node] if here else left
        return found

    def put_aside(self) -> Node | None:
        """The nearest state on the way here whose tail a pick or a sample replaced, or None."""
        aside = self.node.aside
        return aside.parent if aside is not None else None


def _wrote(node: Node, index: int, start: int, end: int) -> bool:
    """Whether this state wrote token ``index``, units [start, end), or something before it."""
    if node.step is not None and node.step.index >= index and not node.edit.takes_away:
        return node.step.index == index  # else it was written behind
    return not node.edit.untouched(((start, end),))
