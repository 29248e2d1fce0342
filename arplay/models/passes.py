"""log p of every token of a long document by passes over its windows: no ranks, no entropies, and so far cheaper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import Distribution
from arplay.core.reading import Reading
from arplay.core.windows import windows_of
from arplay.models.base import Model

PASS_LOGITS = 1 << 24
"""What a transformer keeps at once (models/hf/causal_lm.py); of more it repeats the pass for every part."""


def in_windows(model: Model, ids: Sequence[int], lead: int, reading: Reading) -> NDArray[np.float64]:
    """log p (nats) of the tokens behind the first ``lead`` of ``ids``, shape (n,); NaN where nothing gives p(x_1).

    Every token counts once, in the windows that ``reading`` asks for.
    """
    chain, found = np.array(ids, np.int64), np.full(len(ids), np.nan)
    windows = windows_of(model.info.context, len(ids), reading, lead)
    for start, first, stop in windows.spans(len(ids)):
        found[first:stop] = _logprobs(model, windows.read(chain, start, stop).tolist())[first - stop :]
    return found[lead:]


def _logprobs(model: Model, ids: Sequence[int]) -> NDArray[np.float64]:
    """Of a window, shape (n,): by one pass, or by a session where the pass is too large."""
    if model.info.context is None or len(ids) * len(model.alphabet.vocabulary) <= PASS_LOGITS:
        return model.teacher_forced(ids)
    session = model.session()
    scored = session.extend(ids[:-1]).logprob
    return np.append(scored, Distribution.from_logits(session.logits()).logprobs[ids[-1]])
