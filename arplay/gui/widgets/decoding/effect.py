"""What moving a stage changes, and where a token went, in words."""

from __future__ import annotations

import numpy as np

from arplay.core.decoding.pipeline import Decoded
from arplay.core.decoding.trace import apart
from arplay.core.format import percent
from arplay.core.modalities.base import TokenSet
from arplay.gui.widgets.labels import label


def told_apart(former: Decoded, now: Decoded) -> str:
    """Tokens that come and go, and the mass that is placed elsewhere."""
    old, new = former.candidates, now.candidates
    come = len(np.setdiff1d(new.ids, old.ids, assume_unique=True))
    go = len(np.setdiff1d(old.ids, new.ids, assume_unique=True))
    changes = [f"{count:,} token{'s' * (count != 1)} {verb}" for count, verb in ((come, "come"), (go, "go")) if count]
    changes = [
        change.replace("1 token come", "1 token comes").replace("1 token go", "1 token goes") for change in changes
    ]
    if old.is_partial or new.is_partial:
        return ", ".join(changes) or "the same tokens may be drawn"
    moves = apart(old, new)
    if not changes and moves < 1e-12:
        return "changes nothing here"
    return ", ".join([*changes, f"{percent(moves)} of the mass moves"])


def whereabouts(decoded: Decoded, id: int, tokens: TokenSet) -> str:
    """The stage that cut a token, with what it missed; or that it may be drawn, and how probable it is."""
    name = f"“{label(tokens.label(id))}”"
    lost = decoded.lost(id)
    if lost is not None:
        stayed = f"the least that stayed has {percent(lost.least)}" if lost.kept else "nothing stayed"
        return f"{name}: {lost.label} cut it. There it had p {percent(lost.prob)}, rank {lost.rank:,}; {stayed}."
    logprob = decoded.distribution.logprob(id)
    if logprob is None:
        return f"{name}: the model did not tell its probability."
    rank = decoded.distribution.rank(id)
    place = "" if rank is None else f", rank {rank:,}"
    if logprob == -np.inf:
        return f"{name}: the model itself gives it no probability at all."
    return f"{name} may be drawn: p {percent(float(np.exp(logprob)))}{place}."
