"""A history as a picture shows it: equal ways once, what was pruned left out, straight ways as one run.

>>> from arplay.core.modalities.text import Text
>>> from arplay.core.modalities.vocabulary import Token
>>> from arplay.core.tree import Step, Tree
>>> tree = Tree(Text.of(b"B"))
>>> def write(letter, p):
...     at = len(tree.document)
...     edit = tree.document.put(at, Token(letter, b"ABC"[letter : letter + 1]), "abc")
...     return tree.record(edit, "sampled", at + 1, Step(letter, at, math.log(p), p, p, 1, 0.5))
>>> for _ in range(2):  # the same way twice, then another one
...     tree.goto(tree.root); _ = write(0, 0.5); _ = write(2, 0.6)
>>> tree.goto(tree.root); _ = write(2, 0.2)
>>> outline = Outline(tree)
>>> outline.parent, [len(nodes) for nodes in outline.nodes]
([-1, 0, 0, 1], [1, 2, 1, 2])
>>> outline.runs
[[0], [1, 3], [2]]
>>> outline.total.round(3).tolist()
[0.0, -0.693, -1.609, -1.204]
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from arplay.core.tree import Node, Tree


@dataclass(frozen=True, slots=True)
class Laid:
    """A token that is laid on the tree without being in it. ``edit``: what the same token in it would have done."""

    edit: object
    text: str
    logprob: float
    rank: int = 0
    id: int = -1


Path = tuple[Node, tuple[Laid, ...]]
"""Behind a state, one token after the other."""


class Outline:
    """Twigs, numbered from 0; parents come before their children. Each stands for the ``nodes`` that are equal there.

    ``laid``: what was laid on it, where there is such a thing. ``logprob`` (n,) in nats, NaN where no token was
    written or nobody knows; ``total`` (n,): the sum of those on the way, in nats. ``left_out``: pruned states that are
    not shown.
    """

    def __init__(
        self,
        tree: Tree,
        pruned: Collection[int] = (),
        gold: Path | None = None,
        pale: Sequence[Path] = (),
    ) -> None:
        self.nodes: list[list[Node]] = []
        self.parent: list[int] = []
        self.below: list[list[int]] = []
        self.laid: dict[int, Laid] = {}
        self.gold: list[int] = []
        self.of: dict[int, int] = {}
        """The twig of each state by its number."""
        self._edit: list[object] = []
        self._edits: dict[int, dict[object, int]] = {}
        """Of twigs that several go on from, those below by what was done: where one does, a look at it is enough."""
        self._grow(tree, set(pruned))
        self.left_out = tree.count - len(self.of)
        if gold is not None and gold[0].serial in self.of:
            self.gold = self._lay(gold)
        for path in pale:
            if path[0].serial in self.of:
                self._lay(path)
        self._measure()
        self._join()

    def __len__(self) -> int:
        return len(self.nodes)

    def _grow(self, tree: Tree, pruned: set[int]) -> None:
        """A pruned state is shown all the same where one stands on it."""
        if pruned:
            pruned = pruned - {node.serial for node in tree.node.ancestors()}
        add, of = self._add, self.of
        of[tree.root.serial] = add(-1, tree.root.edit, tree.root)
        waiting = [tree.root]
        while waiting:
            node = waiting.pop()
            at = of[node.serial]
            for child in node.children:
                if pruned and child.serial in pruned:
                    continue
                twig = self._find(at, child.edit)
                if twig is None:
                    twig = add(at, child.edit, child)
                else:
                    self.nodes[twig].append(child)
                of[child.serial] = twig
            waiting += [child for child in reversed(node.children) if child.serial in of]

    def _add(self, parent: int, edit: object, node: Node | None) -> int:
        twig = len(self.nodes)
        self.nodes.append([] if node is None else [node])
        self.parent.append(parent)
        self.below.append([])
        self._edit.append(edit)
        if parent >= 0:
            self.below[parent].append(twig)
            if parent in self._edits:
                self._edits[parent][edit] = twig
        return twig

    def _find(self, at: int, edit: object) -> int | None:
        """What goes on from a twig by this edit."""
        below = self.below[at]
        if len(below) < 2:
            return below[0] if below and self._edit[below[0]] == edit else None
        if at not in self._edits:
            self._edits[at] = {self._edit[twig]: twig for twig in below}
        return self._edits[at].get(edit)

    def _lay(self, path: Path) -> list[int]:
        at, way = self.of[path[0].serial], []
        for token in path[1]:
            twig = self._find(at, token.edit)
            if twig is None:
                twig = self._add(at, token.edit, None)
            self.laid.setdefault(twig, token)
            way.append(twig)
            at = twig
        return way

    def _measure(self) -> None:
        logprob, total = [math.nan] * len(self), [0.0] * len(self)
        for twig, parent in enumerate(self.parent):
            if self.nodes[twig]:
                step = self.nodes[twig][0].step
                known = math.nan if step is None else step.logprob
            else:
                known = self.laid[twig].logprob
            logprob[twig] = known
            before = total[parent] if parent >= 0 else 0.0
            total[twig] = before + known if known == known else before
        self.logprob, self.total = np.array(logprob), np.array(total)

    def _join(self) -> None:
        """Runs: a twig and the only one below it, as long as there is only one. The root is a run of its own."""
        self.runs: list[list[int]] = []
        self.run_of = [0] * len(self)
        self.run_parent: list[int] = []
        for twig, parent in enumerate(self.parent):
            alone = parent > 0 and len(self.below[parent]) == 1
            if alone and bool(self.nodes[parent]) == bool(self.nodes[twig]):
                self.run_of[twig] = self.run_of[parent]
                self.runs[self.run_of[twig]].append(twig)
            else:
                self.run_of[twig] = len(self.runs)
                self.runs.append([twig])
                self.run_parent.append(-1 if parent < 0 else self.run_of[parent])

    def way(self, twig: int) -> list[int]:
        """The twigs from the root to this one."""
        found = []
        while twig >= 0:
            found.append(twig)
            twig = self.parent[twig]
        return found[::-1]

    def sums(self, twig: int) -> tuple[int, float, float | None]:
        """Of the way to a twig: tokens of which a probability is known, their log p together (nats), perplexity."""
        known = [p for p in self.logprob[self.way(twig)].tolist() if p == p]
        total = sum(known)
        return len(known), total, math.exp(-total / len(known)) if known else None

    def parting(self, a: int, b: int) -> int:
        """The last twig that the ways to both share."""
        on = set(self.way(a))
        while b not in on:
            b = self.parent[b]
        return b
