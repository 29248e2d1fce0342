"""What was tried behind a state without being written: rollouts and beams as states of the tree beside the others.

>>> import math
>>> from arplay.core.modalities.text import Text
>>> from arplay.core.modalities.vocabulary import Vocabulary
>>> from arplay.core.tree import Step
>>> tree, tokens = Tree(Text.of(b"B")), Vocabulary("abc", (b"A", b"B", b"C"))
>>> tried = Tried(tree, 1, tokens)
>>> a = tried.goes_on(tried.start, Step(0, 1, math.log(0.5), 0.5, 0.5, 1), "searched")
>>> ac = tried.goes_on(a, Step(2, 2, math.log(0.6), 0.6, 0.6, 1), "searched")
>>> again = Tried(tree, 1, tokens)
>>> again.goes_on(again.start, Step(0, 1, math.log(0.5), 0.5, 0.5, 1), "searched").node is a.node
True
>>> tree.document.data, ac.document.data, tree.count
(b'B', b'BAC', 3)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from arplay.core.modalities.base import Document, TokenSet
from arplay.core.tree import Kind, Node, Step, Tree

MOST_STATES = 50_000
"""Of a tree, from which on nothing that was only tried is added."""
_Key = tuple[object, object, object, object]


@dataclass(frozen=True, eq=False, slots=True)
class End:
    """Of a way of tokens: its last state, the document there, and the caret."""

    node: Node
    document: Document
    caret: int


class Tried:
    """Ways behind the current state of ``tree``, at ``caret``. What was tried there before is not added once more.

    ``new``: the states that were added and not yet taken away from there, oldest first; ``left_out``: tokens for which
    there was no room.
    """

    def __init__(self, tree: Tree, caret: int, tokens: TokenSet) -> None:
        self.tree, self._tokens = tree, tokens
        tree.seal()
        self.start = End(tree.node, tree.document, caret)
        self.new: list[Node] = []
        self.left_out = 0
        self._below: dict[int, dict[_Key, Node]] = {}

    def goes_on(self, end: End | None, step: Step, kind: Kind) -> End | None:
        """The end with one token more; None where there was no room."""
        found = None if end is None else self._next(end, step, kind, self.tree.count < MOST_STATES)
        self.left_out += found is None
        return found

    def way(self, steps: Iterable[Step], kind: Kind) -> list[Node]:
        """The states of tokens that are to be written, the current one first; there is always room."""
        end, found = self.start, [self.start.node]
        for step in steps:
            following = self._next(end, step, kind, True)
            assert following is not None
            end = following
            found.append(end.node)
        return found

    def _next(self, end: End, step: Step, kind: Kind, room: bool) -> End | None:
        edit, caret = end.document.take(end.caret, step.id, self._tokens)
        below = self._below.get(end.node.serial)
        if below is None:
            below = {_key(node.kind, node.edit, node.step): node for node in end.node.children}
            self._below[end.node.serial] = below
        key = _key(kind, edit, step)
        node, document = below.get(key), end.document.apply(edit)
        if node is None:
            if not room:
                return None
            node = below[key] = self.tree.hang(end.node, document, edit, kind, caret, step)
            self.new.append(node)
        return End(node, document, document.reached(caret, self._tokens))


def _key(kind: Kind, edit: object, step: Step | None) -> _Key:
    return kind, edit, None if step is None else step.u, None if step is None else step.seed
