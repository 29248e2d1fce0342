"""The tree of states as rows of a table: flattened once, then only what is new is added."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from arplay.core.format import nats_and_bits, percent, percent_cell
from arplay.core.tree import Node, Tree
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.labels import label

Index = QModelIndex | QPersistentModelIndex
_HEADERS = ("What was done", "p", "u")
_HEADER_TIPS = (
    "Every state of the text, from the oldest to the newest; a branch that was left is indented.",
    "The probability that the model itself gave to the token, before the decoding settings.",
    "The random number between 0 and 1 that chose the token; a pick by hand has none.",
)
_DONE = {
    "opened": "Opened",
    "typed": "Typed",
    "painted": "Painted",
    "picked": "Picked",
    "sampled": "Sampled",
    "retokenised": "Re-tokenised",
}


@dataclass(frozen=True, slots=True)
class Row:
    node: Node
    indent: int


def flatten(root: Node) -> list[Row]:
    """Oldest first. The newest child goes on straight, the older ones stand before it, one step further in."""
    rows: list[Row] = []
    waiting = [Row(root, 0)]
    while waiting:
        row = waiting.pop()
        rows.append(row)
        if row.node.children:
            *older, newest = row.node.children
            waiting.append(Row(newest, row.indent))
            waiting += [Row(node, row.indent + 1) for node in reversed(older)]
    return rows


def said(node: Node) -> tuple[str, bool]:
    """What a row says, and whether that is text of the document (or words about it)."""
    words, is_text = node.said
    return label(words) if is_text else words, is_text


class HistoryRows(QAbstractTableModel):
    """Columns: what was done, p, u. Follows a tree that grows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self.path: set[int] = set()
        self.node: Node | None = None
        self._tree: Tree | None = None
        self._row: dict[int, int] = {}

    def follow(self, tree: Tree | None, node: Node | None) -> None:
        """Show ``tree`` as it is now, with ``node`` as the current state."""
        before = self._tree
        if tree is not before or tree is None:
            self._rebuild(tree)
        elif len(self.rows) != tree.count:
            new = self._continuation(tree, node)
            if new:
                first = len(self.rows)
                self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
                self._row |= {id(row.node): first + i for i, row in enumerate(new)}
                self.rows += new
                self.endInsertRows()
            else:
                self._rebuild(tree)
        if node is not None and self.node is not None and node.parent is self.node and tree is before:
            self.path.add(id(node))
        else:
            self.path = {id(one) for one in node.ancestors()} if node is not None else set()
        self.node = node
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, 2))

    def row_of(self, node: Node | None) -> int | None:
        return self._row.get(id(node))

    def _rebuild(self, tree: Tree | None) -> None:
        self.beginResetModel()
        self._tree = tree
        self.rows = flatten(tree.root) if tree is not None else []
        self._row = {id(row.node): i for i, row in enumerate(self.rows)}
        self.endResetModel()

    def _continuation(self, tree: Tree, node: Node | None) -> list[Row]:
        """The rows of all new nodes, if they just go on from the last row; otherwise nothing."""
        chain: list[Node] = []
        while node is not None and id(node) not in self._row:
            chain.append(node)
            node = node.parent
        straight = node is self.rows[-1].node and all(len(one.children) == 1 for one in (*chain[1:], node))
        if not chain or not straight or chain[0].children or len(self.rows) + len(chain) != tree.count:
            return []
        return [Row(one, self.rows[-1].indent) for one in reversed(chain)]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(_HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return _HEADERS[section]
            if role == Qt.ItemDataRole.ToolTipRole:
                return _HEADER_TIPS[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
                return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node = self.rows[index.row()].node
        if role == Qt.ItemDataRole.DisplayRole:
            return (said(node)[0], _percent(node), _u(node))[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(_tip(node))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ("Current state. " if node is self.node else "") + _tip(node)
        return None


def _percent(node: Node) -> str:
    if node.step is None:
        return ""
    return percent_cell(None if math.isnan(node.step.prob) else node.step.prob)


def _u(node: Node) -> str:
    return "" if node.step is None or node.step.u is None else f"{node.step.u:.3f}"


def _tip(node: Node) -> str:
    text, is_text = said(node)
    parts = [f"{_DONE[node.kind]} “{text}”" if is_text else text]
    if node.step is not None:
        rank = f", rank {node.step.rank}" if node.step.rank else ""
        known = f"p = {percent(node.step.prob)}, log p = {nats_and_bits(node.step.logprob)}{rank}"
        parts.append("the server told no probability" if math.isnan(node.step.prob) else known)
        if node.step.u is not None:
            parts.append(f"u = {node.step.u:.6f}")
    if node.cut:
        parts.append("the text that followed was put aside")
    return "; ".join(parts) + ". Click to go there."
