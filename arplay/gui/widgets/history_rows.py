"""The tree of states as rows of a table: flattened once, then only what is new is added."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QObject

from arplay.core.format import nats_and_bits, percent, percent_cell
from arplay.core.tree import TRIED, Node, Tree
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import Column, TableRows

_DONE = {
    "opened": "Opened",
    "typed": "Typed",
    "painted": "Painted",
    "pasted": "Pasted",
    "picked": "Picked",
    "sampled": "Sampled",
    "retokenised": "Re-tokenised",
    "rolled": "Rollout",
    "searched": "Beam",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A state, or ``several`` that were only tried, one behind the other, the last of which is ``node``."""

    node: Node
    indent: int
    several: tuple[Node, ...] = ()

    @property
    def said(self) -> tuple[str, bool]:
        """What it says, and whether that is text of the document (or words about it)."""
        if not self.several:
            return said(self.node)
        found = [node.said for node in self.several]
        return label("".join(words for words, _ in found)), all(is_text for _, is_text in found)

    @property
    def prob(self) -> float | None:
        """The model's own, of all tokens together; None for no token, NaN where nobody knows."""
        steps = [node.step for node in self.several or (self.node,)]
        return None if steps[-1] is None else math.prod(step.prob for step in steps if step is not None)


def flatten(root: Node, path: Collection[int] = ()) -> list[Row]:
    """Oldest first. The newest child goes on straight, the others stand before it, one step further in.

    What was only tried, and is not on the ``path`` to where one stands (ids of its nodes), goes on nothing straight,
    and is one row as far as it does not part.
    """
    rows: list[Row] = []
    waiting = [(root, 0)]
    while waiting:
        node, indent = waiting.pop()
        several = [node]
        if _is_aside(node, path):
            while len(node.children) == 1 and node.children[0].kind == node.kind and _is_aside(node.children[0], path):
                node = node.children[0]
                several.append(node)
        rows.append(Row(node, indent, tuple(several) if len(several) > 1 else ()))
        straight = next((child for child in reversed(node.children) if not _is_aside(child, path)), None)
        if straight is not None:
            waiting.append((straight, indent))
        waiting += [(child, indent + 1) for child in reversed(node.children) if child is not straight]
    return rows


def _is_aside(node: Node, path: Collection[int]) -> bool:
    return node.kind in TRIED and id(node) not in path


def said(node: Node) -> tuple[str, bool]:
    """What a state says, and whether that is text of the document (or words about it)."""
    words, is_text = node.said
    return label(words) if is_text else words, is_text


class HistoryRows(TableRows):
    """Follows a tree that grows."""

    columns = (
        Column(
            "What was done",
            "Every state of the text, from the oldest to the newest; a branch that was left is indented.",
            kind="words",
        ),
        Column("p", "The probability that the model itself gave to the token, before the decoding settings.", 60),
        Column("u", "The random number between 0 and 1 that chose the token; a pick by hand has none.", 60),
    )
    rows: list[Row]

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows = []
        self.path: set[int] = set()
        self.lit: frozenset[int] = frozenset()
        """Numbers of the states that wrote the tokens that light up everywhere."""
        self._on_tried: set[int] = set()
        self.node: Node | None = None
        self._tree: Tree | None = None
        self._row: dict[int, int] = {}
        self._count = 0

    def follow(self, tree: Tree | None, node: Node | None) -> None:
        """Show ``tree`` as it is now, with ``node`` as the current state."""
        before, former = self._tree, self._on_tried
        new = self._continuation(tree, node) if tree is before and tree is not None else []
        if node is not None and self.node is not None and node.parent is self.node and tree is before:
            self.path.add(id(node))
            self._on_tried |= {id(node)} if node.kind in TRIED else set()
        else:
            way = list(node.ancestors()) if node is not None else []
            self.path, self._on_tried = {id(one) for one in way}, {id(one) for one in way if one.kind in TRIED}
        self.node = node
        if new:
            first = len(self.rows)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._row |= {id(row.node): first + i for i, row in enumerate(new)}
            self.rows += new
            self._count += len(new)
            self.endInsertRows()
        elif tree is not before or tree is None or self._count != tree.count or self._on_tried != former:
            self._rebuild(tree)
        self.changed()

    def row_of(self, node: Node | None) -> int | None:
        return self._row.get(id(node))

    def _rebuild(self, tree: Tree | None) -> None:
        self.beginResetModel()
        self._tree = tree
        self.rows = flatten(tree.root, self.path) if tree is not None else []
        self._row = {id(node): i for i, row in enumerate(self.rows) for node in row.several or (row.node,)}
        self._count = tree.count if tree is not None else 0
        self.endResetModel()

    def _continuation(self, tree: Tree, node: Node | None) -> list[Row]:
        """The rows of all new nodes, if they just go on from the last row; otherwise nothing."""
        chain: list[Node] = []
        while node is not None and id(node) not in self._row:
            chain.append(node)
            node = node.parent
        straight = node is self.rows[-1].node and all(len(one.children) == 1 for one in (*chain[1:], node))
        if not chain or not straight or chain[0].children or self._count + len(chain) != tree.count:
            return []
        return [Row(one, self.rows[-1].indent) for one in reversed(chain)]

    def text(self, row: int, column: int) -> str:
        each = self.rows[row]
        return (each.said[0], _percent(each.prob), _u(each))[column]

    def tip(self, row: int, column: int) -> str:
        return _tip(self.rows[row])

    def spoken(self, row: int, column: int) -> str:
        return ("Current state. " if self.rows[row].node is self.node else "") + _tip(self.rows[row])


def _percent(prob: float | None) -> str:
    return "" if prob is None else percent_cell(None if math.isnan(prob) else prob)


def _u(row: Row) -> str:
    step = row.node.step
    return "" if row.several or step is None or step.u is None else f"{step.u:.3f}"


def _tip(row: Row) -> str:
    node, (text, is_text) = row.node, row.said
    parts = [f"{_DONE[node.kind]} “{text}”" if is_text else text]
    if row.several:
        logprob = sum(one.step.logprob for one in row.several if one.step is not None)
        parts.append(f"{len(row.several):,} tokens together: log p = {nats_and_bits(logprob)}")
    elif node.step is not None:
        rank = f", rank {node.step.rank}" if node.step.rank else ""
        known = f"p = {percent(node.step.prob)}, log p = {nats_and_bits(node.step.logprob)}{rank}"
        parts.append("the server told no probability" if math.isnan(node.step.prob) else known)
        if node.step.cut:
            parts.append(f"cut by {node.step.cut}, picked by hand")
        if node.step.u is not None:
            parts.append(f"u = {node.step.u:.6f}")
    if node.cut:
        parts.append("the text that followed was put aside")
    return "; ".join(parts) + ". Click to go there."
