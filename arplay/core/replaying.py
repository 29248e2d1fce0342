"""A recorded session drawn again: every token that was sampled, behind its own text, at the u that is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.decoding.stage import Grammar
from arplay.core.kept import Session
from arplay.core.modalities.base import Document, Place, TokenSet
from arplay.core.picking import choose
from arplay.core.position import Answer
from arplay.core.stepping import context_of, drawn_before
from arplay.core.tree import Node


@dataclass(frozen=True, slots=True)
class Replay:
    """``drawn``: how many tokens were drawn again. ``other``: of those that came out otherwise, the number of the
    state, the id that is recorded and the id now."""

    drawn: int
    other: tuple[tuple[int, int, int], ...]

    @property
    def same(self) -> bool:
        return not self.other


def replayed(
    session: Session,
    answered: Callable[[Document, Place, Pipeline, int], Answer],
    tokens: TokenSet,
    eos: int | None,
    grammar: Grammar | None = None,
) -> Replay:
    """``answered`` tells what comes next at a place of a document, and what a pipeline wants there besides, behind so
    many written tokens.

    The session stands where it stood afterwards. Raises Problem as ``answered`` and decoding do.
    """
    tree = session.tree
    here, other, drawn = tree.node, [], 0
    for node in _in_depth(tree.root):
        step, parent = node.step, node.parent
        if step is None or step.u is None or parent is None:
            continue
        caret = node.edit.before(node.kind, node.caret)
        assert caret is not None, "a token was written at a place"
        tree.goto(parent)
        pipeline = Pipeline(step.by)
        before = drawn_before(parent, caret) if pipeline.recalls else ()
        answer = answered(tree.document, tree.document.at(caret), pipeline, len(before))
        assert answer.distribution is not None, "a token was drawn here"
        ids = np.concatenate([np.array(answer.lead, np.int64), answer.prefix.ids])
        others, seed = dict(answer.others), step.seed or 0
        context = context_of(ids, answer.prefix.index, tokens, seed, eos, before, grammar, others)
        id = choose(decode(answer.distribution, pipeline, context).candidates, step.u).id
        drawn += 1
        if id != step.id:
            other.append((node.serial, step.id, id))
    tree.goto(here)
    return Replay(drawn, tuple(other))


def _in_depth(root: Node) -> list[Node]:
    """Each branch to its end: the next place is then mostly one token further."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += reversed(node.children)
    return found
