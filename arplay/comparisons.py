"""Two models in Python side by side: what a number type, or a quantisation, changed."""

from __future__ import annotations

from arplay.api import Model
from arplay.engine.alone import ended
from arplay.engine.divergence import Diverged, divergence_of
from arplay.models.documents import Given, document


def divergence(one: Model, other: Model, text: Given) -> Diverged:
    """Whole distributions of two models of the same tokens at every token of ``text``.

    ``rows`` of the answer has, in arrays of a value a token, ``kl``, KL(one || other) in nats, ``tv``, the total
    variation, and ``logprob``, ``rank`` and ``best`` of both (:class:`arplay.core.divergence.Rows`). Both read it as
    ``one.reading`` says. Raises Problem for models of other tokens, and for one that tells only some of them.

    >>> from arplay import load
    >>> exact = load("english", dtype="float32")
    >>> found = divergence(exact, load("english", dtype="bfloat16"), "It was a dark night.")
    >>> bool(0 < found.rows.kl.max() < 0.01), int(found.rows.other_best.sum())
    (True, 0)
    """
    given = document(text, one.backend.alphabet)
    steps = divergence_of(one._state, other._state, 0, given, one.reading)
    return ended(Diverged, steps, one._on_progress)
