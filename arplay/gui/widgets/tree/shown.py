"""What both pictures of the history are of: the outline, the words on it, and where one stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from arplay.core.format import nats_and_bits, percent
from arplay.core.outline import Outline
from arplay.core.tree import TRIED, Kind, Node
from arplay.export.colours import shades
from arplay.gui.widgets.history_rows import said

_TRIED: dict[Kind, str] = {"rolled": "rollout", "searched": "beam"}
LONGEST = 28
"""Characters of a branch that are shown where it was typed or opened."""


class Words:
    """What stands on a state, made once for each edit."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, str, bool]] = {}

    def of(self, node: Node) -> tuple[str, bool]:
        """The words, and whether they are text of the document."""
        known = self._known.get(node.serial)
        if known is not None and known[0] is node.edit:
            return known[1], known[2]
        text, is_text = said(node)
        if len(text) > LONGEST:
            text = f"…{text[1 - LONGEST :]}" if is_text else f"{text[: LONGEST - 1]}…"
        self._known[node.serial] = node.edit, text, is_text
        return text, is_text


@dataclass(eq=False)
class Shown:
    """``here``: the twig on which one stands; ``compared``: those that were marked to be compared;
    ``lit``: those that wrote the tokens that light up everywhere."""

    outline: Outline
    words: Words
    here: int
    names: dict[int, str] = field(default_factory=dict)
    """Names that the user gave, and a star where there is one, by the number of the state."""
    compared: tuple[int, ...] = ()
    lit: frozenset[int] = frozenset()

    @cached_property
    def on_way(self) -> set[int]:
        """The twigs on the way to where one stands."""
        return set(self.outline.way(self.here))

    @cached_property
    def gold(self) -> set[int]:
        return set(self.outline.gold)

    @cached_property
    def shade(self) -> list[int]:
        """The number of the colour of each twig; -1 where no surprisal is known."""
        logprob = self.outline.logprob
        found = shades(np.nan_to_num(-logprob))
        return [int(shade) if p == p else -1 for shade, p in zip(found, logprob.tolist(), strict=True)]

    @cached_property
    def probs(self) -> list[float]:
        return [math.exp(p) if p == p else math.nan for p in self.outline.logprob.tolist()]

    @property
    def state(self) -> Node:
        """Where one stands."""
        return self.outline.nodes[self.here][0]

    def of(self, former: Shown, twig: int) -> int:
        """What a twig of a former outline is now, else the nearest above it that is still there."""
        for above in reversed(former.outline.way(twig)):
            found = (self.outline.of.get(node.serial) for node in former.outline.nodes[above])
            if (now := next((one for one in found if one is not None), None)) is not None:
                return now
        return 0

    # ---- from one to another

    def onward(self, twig: int) -> int:
        """To the next on the way to where one stands, else to the first child."""
        below = self.outline.below[twig]
        return next((child for child in below if child in self.on_way), below[0] if below else twig)

    def end(self, twig: int) -> int:
        """On to where its way ends."""
        while (following := self.onward(twig)) != twig:
            twig = following
        return twig

    def beside(self, twig: int, step: int) -> int:
        """The next (``step`` 1) or former (-1) beside it, or beside the nearest above it that has one there."""
        at = twig
        while (parent := self.outline.parent[at]) >= 0:
            below = self.outline.below[parent]
            place = below.index(at) + step
            if 0 <= place < len(below):
                return below[place]
            at = parent
        return twig

    def spoken(self, twig: int) -> str:
        """What a screen reader says of it."""
        parent, below = self.outline.parent[twig], len(self.outline.below[twig])
        beside = self.outline.below[parent] if parent >= 0 else [twig]
        where = f"{beside.index(twig) + 1:,} of {len(beside):,} here" if len(beside) > 1 else ""
        parts = ["you are here" if twig == self.here else "", where, f"{below:,} go on from it" if below else "an end"]
        return "; ".join(filter(None, [self.told(twig).replace("\n", "; "), *parts]))

    # ---- in words

    def text(self, twig: int) -> tuple[str, bool]:
        nodes = self.outline.nodes[twig]
        return self.words.of(nodes[0]) if nodes else (self.outline.laid[twig].text, True)

    def name(self, twig: int) -> str:
        return next((self.names[node.serial] for node in self.outline.nodes[twig] if node.serial in self.names), "")

    def tried(self, twig: int) -> str:
        """Where nobody chose it yet: what tried it, in words; else empty."""
        kinds = {node.kind for node in self.outline.nodes[twig]}
        if not kinds or not kinds <= TRIED:
            return ""
        return ", ".join(words for kind, words in _TRIED.items() if kind in kinds)

    def tries(self, twig: int) -> str:
        """The same where it begins."""
        tried, parent = self.tried(twig), self.outline.parent[twig]
        return tried if parent < 0 or self.tried(parent) != tried else ""

    def told(self, twig: int) -> str:
        """All that is known of it, for the card."""
        outline, nodes = self.outline, self.outline.nodes[twig]
        text, is_text = self.text(twig)
        lines = [f"“{text}”" if is_text else text]
        if name := self.name(twig):
            lines.insert(0, name)
        rank, u = 0, None
        if nodes and nodes[0].step is not None:
            rank, u = nodes[0].step.rank, nodes[0].step.u
        elif twig in outline.laid:
            rank = outline.laid[twig].rank
        p = outline.logprob[twig]
        if p == p:
            lines.append(f"p = {percent(math.exp(p))}" + (f", rank {rank:,}" if rank else ""))
            lines.append(f"log p = {nats_and_bits(float(p))}")
        if tried := self.tried(twig):
            lines.append(f"of a {tried}, not chosen yet")
        if u is not None:
            lines.append(f"u = {u:.6f}")
        if len(outline.way(twig)) > 1:
            lines.append(f"Σ log p on the way here = {nats_and_bits(float(outline.total[twig]))}")
        if len(nodes) > 1:
            lines.append(f"{len(nodes)} equal ways, shown as one")
        if twig in self.gold:
            lines.append("on the gold text")
        if not nodes:
            lines.append("not written yet" if twig not in self.gold else "not written here")
        elif twig != self.here:
            lines.append("a click, or Enter, is there")
        return "\n".join(lines)
