"""What can be laid on a history without being in it: a gold text, and the tokens that may follow where one stands."""

from __future__ import annotations

import math

from arplay.core.chain import Ledger
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, TokenSet
from arplay.core.outline import Laid, Path
from arplay.core.tree import Node, Tree

MOST_GOLD = 2_000
"""Tokens of a gold text that are laid: more than are read in a picture, and at once."""

FORGET = 64
"""So many tokens are known by their ids at once."""


def gold(tree: Tree, document: Document, ledger: Ledger, tokens: TokenSet) -> tuple[Path, int]:
    """The scored tokens of ``document`` behind what the history began with, and how many more are not laid.

    Raises Problem where the document does not go on from there, or its first token there is not one of the model's.
    """
    caret, edit_of = len(tree.start), tree.start
    ends = [ledger.encoded.span(index)[1] for index in range(min(len(ledger), ledger.done))]
    begins = tree.start.file == document.file[: len(tree.start.file)] and len(document) > caret
    first = next((i + 1 for i, end in enumerate(ends) if end == caret), 0 if caret == 0 else -1)
    if not begins or first < 0 or first >= len(ends):
        cause = "this document does not go on, token by token, from what the history began with"
        raise Problem(cause, "open the beginning first, then the whole as the gold one")
    way = []
    for index in range(first, min(len(ends), first + MOST_GOLD)):
        id = int(ledger.ids[index])
        edit, caret = edit_of.take(caret, id, tokens)
        edit_of = edit_of.apply(edit)
        if index % FORGET == 0:  # ids before the caret change no edit behind it, and joining so many takes its time
            edit_of = edit_of.upto(caret)
        way.append(Laid(edit, tokens.label(id), float(ledger.logprob[index]), int(ledger.rank[index]), id))
    return (tree.root, tuple(way)), max(0, len(ends) - first - MOST_GOLD)


def single(
    node: Node, document: Document, caret: int, distribution: Distribution, tokens: TokenSet, k: int
) -> list[Path]:
    """The ``k`` most probable tokens behind the caret, each a way of one token behind ``node``."""
    found: list[Path] = []
    for rank, id in enumerate(distribution.top(k).tolist(), 1):
        logprob = distribution.logprob(id)
        known = math.nan if logprob is None else logprob
        found.append((node, (Laid(document.take(caret, id, tokens)[0], tokens.label(id), known, rank, id),)))
    return found
