"""States of the history that a text may be compared with, by what was done to them since, for a menu."""

from __future__ import annotations

from itertools import islice

from arplay.core.tree import TRIED, Node, Tree
from arplay.gui.widgets.labels import label

NEAR, BRANCHES, LONG = 8, 6, 48
"""Steps back that are listed, ends of other branches, and characters of each."""
TOKENS = ("picked", "sampled")


def choices(tree: Tree) -> list[tuple[str, Node]]:
    """Those that were marked, the text as it was opened, those before the last edits, and the ends of other branches.

    Tokens that were written one after the other are one step.
    """
    here = tree.node
    found: dict[Node, str] = {}

    def add(words: str, node: Node) -> None:
        if node is not here:
            found.setdefault(node, words if len(words) <= LONG else f"{words[: LONG - 1]}…")

    for serial, mark in tree.marks.items():
        if (mark.star or mark.name) and not mark.pruned and serial in tree.nodes:
            add(f"★ {mark.name or _said(tree.nodes[serial])}", tree.nodes[serial])
    add("As it was opened", here.opened)
    node = here
    for _ in range(NEAR):
        last, count = node, 1
        while node.parent is not None and node.kind in TOKENS and node.parent.kind == node.kind:
            node, count = node.parent, count + 1
        if node.parent is None:
            break
        add(f"Before {count:,} tokens" if count > 1 else f"Before: {_said(last)}", node.parent)
        node = node.parent
    way = set(here.ancestors())
    ends = (each for each in reversed(tree.nodes.values()) if not each.children and each.kind not in TRIED)
    for end in islice((each for each in ends if each not in way), BRANCHES):
        add(f"Another branch: …{_said(end)}", end)
    return [(words, node) for node, words in found.items()]


def _said(node: Node) -> str:
    words, is_text = node.said
    return label(words) if is_text else words
