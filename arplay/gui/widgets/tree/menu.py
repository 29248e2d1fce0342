"""What can be done with a branch: rename, star, prune, compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from arplay.core.format import number
from arplay.core.outline import Outline
from arplay.core.tree import LONGEST_NAME, PLAIN, Mark, Node

Marked = Callable[[tuple[Node, ...], Mark], None]


@dataclass(eq=False)
class Marks:
    """Those of a twig's states, equal ways being one. ``parent`` is asked for a name; ``mark`` sets what was chosen."""

    nodes: list[Node]
    all: dict[int, Mark]
    mark: Marked
    parent: QWidget

    @property
    def former(self) -> Mark:
        return next((self.all[node.serial] for node in self.nodes if node.serial in self.all), PLAIN)

    @property
    def can_be_pruned(self) -> bool:
        return bool(self.nodes) and self.nodes[0].parent is not None

    def rename(self) -> None:
        name, given = QInputDialog.getText(self.parent, "Rename", "Name of this state:", text=self.former.name)
        if given:
            self.mark((self.nodes[0],), replace(self.former, name=name.strip()[:LONGEST_NAME]))

    def star(self) -> None:
        self.mark((self.nodes[0],), replace(self.former, star=not self.former.star))

    def prune(self) -> None:
        self.mark(tuple(self.nodes), replace(self.former, pruned=not self.former.pruned))


def twig_menu(marks: Marks) -> QMenu:
    menu, former = QMenu(marks.parent), marks.former
    if marks.nodes:
        menu.addAction("&Rename… (F2)").triggered.connect(lambda: marks.rename())
        words = "Take away the &star (*)" if former.star else "Mark with a &star (*)"
        menu.addAction(words).triggered.connect(lambda: marks.star())
        if marks.can_be_pruned:
            words = "Bring &back (Del)" if former.pruned else "&Prune (Del; undo brings it back)"
            menu.addAction(words).triggered.connect(lambda: marks.prune())
        menu.addSeparator()
    return menu


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
