"""Tokens that were tried behind one place of a document: a trie beside history, of which a path may be written.

History (core/tree.py) holds what was done to the document. Here is what might be done next, by hand, by drawing or by
a search, without the document changing: each node is one token behind those on the way to it.

>>> import math
>>> def step(id, index, prob, rank, u=None):
...     return Step(id, index, math.log(prob), prob, prob, rank, u)
>>> tried = Continuations(1)  # behind the B of the table abc, where p(A) is 0.5 and p(B) 0.3
>>> a = tried.add(ROOT, step(0, 1, 0.5, 1), Reason("picked"))
>>> b = tried.add(ROOT, step(1, 1, 0.3, 2, u=0.62), Reason("sampled"))
>>> ac = tried.add(a, step(2, 2, 0.6, 1), Reason("searched", 1, 4))
>>> tried.children(ROOT), tried.path(ac), tried.ids(ac)
((0, 1), (0, 2), (0, 2))
>>> round(math.exp(tried.logprob(ac)), 4)  # p(AC | B) = 0.5 x 0.6
0.3
>>> [tried[node].why for node in (a, b, ac)]
['picked by hand', 'sampled at u = 0.6200', 'number 1 of 4 that a search kept']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from arplay.core.modalities.base import TokenSet
from arplay.core.tree import Node, Step, Tree

ROOT = -1
"""The place itself, behind which no token was tried yet."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a token was tried: "picked" by hand, "sampled" at the u of its step, or "searched": the ``place``-th of
    ``of`` that a search kept.

    Raises ValueError for a place that is none of these.
    """

    kind: Literal["picked", "sampled", "searched"]
    place: int = 0
    of: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.place <= self.of if self.kind == "searched" else self.place == self.of == 0):
            raise ValueError(f"{self.kind} as number {self.place} of {self.of}")


@dataclass(frozen=True, slots=True)
class Continuation:
    """One token that was tried. ``step``: the token, its log p (nats), decoded p, rank and u. ``total``: the sum of log
    p over the path to it, in nats."""

    parent: int
    step: Step
    reason: Reason
    total: float

    @property
    def why(self) -> str:
        """The reason in words."""
        if self.reason.kind == "sampled":
            return f"sampled at u = {self.step.u:.4f}"
        if self.reason.kind == "searched":
            return f"number {self.reason.place:,} of {self.reason.of:,} that a search kept"
        return "picked by hand"


class Continuations:
    """The trie. Nodes are numbered from 0 in the order in which they were added, and never change; adding one costs the
    same however many there are. ``index``: tokens of the document before the place. A token may stand further on than
    the next index where the document itself has those between (pixels that are painted).
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self._nodes: list[Continuation] = []
        self._below: dict[int, dict[int, int]] = {}  # the children of a node by their ids, in the order of adding

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, node: int) -> Continuation:
        if not 0 <= node < len(self._nodes):
            raise IndexError(f"there is no continuation {node}, only {len(self._nodes):,}")
        return self._nodes[node]

    def add(self, parent: int, step: Step, reason: Reason) -> int:
        """The number of the node for ``step`` behind ``parent``; a token that was tried there before keeps its node,
        with the reason that it had first.

        Raises IndexError for a parent that there is not, ValueError for a step of an index that lies before, or whose u
        says something else than the reason.
        """
        index, total = (self.index, 0.0) if parent == ROOT else (self[parent].step.index + 1, self[parent].total)
        if step.index < index:
            raise ValueError(f"token {step.index} cannot follow here: the next one is {index}")
        if (step.u is not None) != (reason.kind == "sampled"):
            raise ValueError(f"{reason.kind} with u = {step.u}")
        below = self._below.setdefault(parent, {})
        if step.id not in below:
            below[step.id] = len(self._nodes)
            self._nodes.append(Continuation(parent, step, reason, total + step.logprob))
        return below[step.id]

    def child(self, parent: int, id: int) -> int | None:
        """The node of this token behind ``parent``, if it was tried."""
        return self._below.get(parent, {}).get(id)

    def children(self, parent: int) -> tuple[int, ...]:
        """All that was tried behind ``parent``, in the order of trying."""
        return tuple(self._below.get(parent, {}).values())

    def path(self, node: int) -> tuple[int, ...]:
        """The nodes from the first token to ``node``; none for the root."""
        found = []
        while node != ROOT:
            found.append(node)
            node = self[node].parent
        return tuple(reversed(found))

    def ids(self, node: int) -> tuple[int, ...]:
        """The tokens of :meth:`path`."""
        return tuple(self._nodes[each].step.id for each in self.path(node))

    def logprob(self, node: int) -> float:
        """log p of the whole path given what stands before it, in nats: the sum over its tokens (0 for the root)."""
        return 0.0 if node == ROOT else self[node].total


def commit(tree: Tree, caret: int, tried: Continuations, node: int, tokens: TokenSet) -> list[Node]:
    """Write the path to ``node`` into history, at ``caret`` in the current document, behind which it was tried.

    Each token is a state of its own, as if it had been picked or sampled alone, so each can be undone; the states.

    >>> import math
    >>> from arplay.core.modalities.text import Text
    >>> from arplay.core.modalities.vocabulary import Vocabulary
    >>> tried, tree = Continuations(1), Tree(Text.of(b"B"))
    >>> a = tried.add(ROOT, Step(0, 1, math.log(0.5), 0.5, 0.5, 1), Reason("picked"))
    >>> ac = tried.add(a, Step(2, 2, math.log(0.6), 0.6, 0.6, 1), Reason("picked"))
    >>> states = commit(tree, 1, tried, ac, Vocabulary("abc", (b"A", b"B", b"C")))
    >>> tree.document.data, [state.kind for state in states]
    (b'BAC', ['picked', 'picked'])
    >>> tree.goto(states[0]); tree.document.data
    b'BA'
    """
    states = []
    for each in tried.path(node):
        step = tried[each].step
        edit, caret = tree.document.take(caret, step.id, tokens)
        states.append(tree.record(edit, "picked" if step.u is None else "sampled", caret, step))
    return states
