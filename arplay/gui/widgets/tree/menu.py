"""What can be done with a branch: rename, star, prune, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from arplay.core.format import number
from arplay.core.outline import Outline
from arplay.core.tree import LONGEST_NAME, PLAIN, Mark, Node

Marked = Callable[[Node, Mark], None]


class TwigMenu(QMenu):
    """Of the states of a twig. ``parent`` is asked for a name; ``mark`` sets what was chosen."""

    def __init__(self, nodes: list[Node], marks: dict[int, Mark], mark: Marked, parent: QWidget) -> None:
        super().__init__(parent)
        self._nodes, self._mark = nodes, mark
        self._former = next((marks[node.serial] for node in nodes if node.serial in marks), PLAIN)
        if nodes:
            self.addAction("&Rename…").triggered.connect(self._rename)
            star = self.addAction("Take away the &star" if self._former.star else "Mark with a &star")
            star.triggered.connect(self._star)
            if nodes[0].parent is not None:
                prune = self.addAction("Bring &back" if self._former.pruned else "&Prune (undo brings it back)")
                prune.triggered.connect(self._prune)
            self.addSeparator()

    def _rename(self) -> None:
        name, given = QInputDialog.getText(self.parentWidget(), "Rename", "Name of this state:", text=self._former.name)
        if given:
            self._mark(self._nodes[0], replace(self._former, name=name.strip()[:LONGEST_NAME]))

    def _star(self) -> None:
        self._mark(self._nodes[0], replace(self._former, star=not self._former.star))

    def _prune(self) -> None:
        for node in self._nodes:  # equal ways go together
            self._mark(node, replace(self._former, pruned=not self._former.pruned))


def names(marks: dict[int, Mark]) -> dict[int, str]:
    """What stands beside the states."""
    said = {at: f"{'★ ' * mark.star}{mark.name}{' (pruned)' * mark.pruned}".strip() for at, mark in marks.items()}
    return {at: words for at, words in said.items() if words}


def compared(outline: Outline, a: int, b: int, text: Callable[[int], tuple[str, bool]]) -> str:
    """Two ways in a line: log p and perplexity of each, and where they part."""
    said = []
    for twig, name in ((a, "here"), (b, "there")):
        count, total, perplexity = outline.sums(twig)
        of = "no token has a known p" if perplexity is None else f"perplexity {number(perplexity)}"
        said.append(f"{name}: log p {number(total)} nats, {count:,} tokens, {of}")
    parting = outline.parting(a, b)
    where = f"they part behind “{text(parting)[0]}”" if parting not in (a, b) else "one goes on from the other"
    return "; ".join([*said, where])
