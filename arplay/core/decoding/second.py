"""Stages that weigh the model's distribution against a second one: of another prompt, or of another model.

Whoever runs models computes the second one (``Context.others``), as :attr:`Pipeline.wants` says which.
"""

from __future__ import annotations

import numpy as np

from arplay.core.decoding.candidates import Candidates, Floats
from arplay.core.decoding.stage import Context, Field, Stage, Words
from arplay.core.errors import Problem

LEAST = -745.0
"""log of about the smallest number that a 64-bit float holds: what is less probable counts as this, or a token that the
second distribution excludes would win for ever."""


def guidance(candidates: Candidates, context: Context, scale: float, against: str) -> Candidates:
    """log q of the second prompt is taken away from log p, and the difference counts ``scale`` times.

    >>> from arplay.core.distribution import Distribution
    >>> context = Context(others={("guidance", ""): Distribution(2, np.log([0.5, 0.5]))})
    >>> made = guidance(Candidates(2, np.log([0.75, 0.25])), context, 2, "")
    >>> np.exp(made.logprobs).round(3)  # 9/16 and 1/16, renormalised
    array([0.9, 0.1])
    """
    candidates.must_be_full("guidance")
    second = _second(context, "guidance", against)[candidates.ids]
    return candidates.scored(scale * candidates.scores + (1 - scale) * second)


def contrastive(candidates: Candidates, context: Context, alpha: float, amateur: str) -> Candidates:
    """Of the tokens with p of at least ``alpha`` times the largest, log p less what the weaker model says.

    >>> from arplay.core.distribution import Distribution
    >>> context = Context(others={("contrastive", "small"): Distribution(3, np.log([0.8, 0.1, 0.1]))})
    >>> made = contrastive(Candidates(3, np.log([0.6, 0.3, 0.1])), context, 0.4, "small")
    >>> made.ids, np.exp(made.logprobs).round(3)  # 0.6 / 0.8 and 0.3 / 0.1, renormalised
    (array([0, 1]), array([0.2, 0.8]))
    """
    candidates.must_be_full("contrastive decoding")
    left = candidates.where(candidates.scores >= candidates.best + np.log(alpha))
    return left.scored(left.scores - _second(context, "contrastive", amateur)[left.ids])


def _second(context: Context, stage: str, of: str) -> Floats:
    """log q by id. Raises Problem where there is none."""
    found = context.others.get((stage, of))
    if found is None:
        raise Problem(f"{stage} has no second distribution here", "ask for what comes next once more, or switch it off")
    if isinstance(found, tuple):
        raise Problem(*found)
    if not found.full:
        raise Problem(f"{stage} needs every token's second probability", "use a model that tells all")
    floored: Floats = np.maximum(found.logprobs, LEAST)
    return floored


GUIDANCE = Stage(
    "guidance",
    "Guidance",
    "What sets the text apart from another prompt counts more: the second prompt followed by what was written.",
    "log p<sub>i</sub> becomes log q<sub>i</sub> + s (log p<sub>i</sub> − log q<sub>i</sub>), q of the other.",
    "Sanchez et al. 2023; Ho and Salimans 2022",
    (
        Field("scale", 0, 20, 1, "from 0 to 20; 1 is off", usual=3, default=1.5),
        Words("against", "the second prompt; none for no prompt at all", str),
    ),
    guidance,
    recalls=True,
    beside=True,
)
CONTRASTIVE = Stage(
    "contrastive",
    "Contrastive decoding",
    "What the model knows better than a weaker one of the same tokens counts more.",
    "Where p<sub>i</sub> ≥ α · max p, log p<sub>i</sub> becomes log p<sub>i</sub> − log q<sub>i</sub>, q of the weaker "
    "model; others are removed.",
    "Li et al. 2022",
    (
        Field("alpha", 0, 1, 0, "above 0 to 1, or 0 for off", above_low=True, least=0.01, usual=1, default=0.1),
        Words("amateur", "the name or path of the weaker model", str),
    ),
    contrastive,
    beside=True,
)
