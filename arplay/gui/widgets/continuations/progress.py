"""How far rollouts, a search or a map have come, in words."""

from __future__ import annotations

from arplay.core.beam_tree import Leaf, kept
from arplay.core.format import number
from arplay.engine.mapping import Mapped
from arplay.engine.rollouts import Rolled
from arplay.engine.search import Searched

Tried = Rolled | Searched | Mapped


def progress(tried: Tried, leaves: list[Leaf]) -> list[str]:
    """``leaves``: of the tree of a search."""
    if isinstance(tried, Rolled):
        ended = sum(bool(each.stopped) for each in tried.rollouts)
        longest = max(len(each.steps) for each in tried.rollouts)
        return [f"{ended:,} of {len(tried.rollouts):,} ended, the longest has {longest:,} tokens"]
    if isinstance(tried, Mapped):
        much = "every chain is there" if tried.whole else "the most probable first"
        return [f"{tried.expansions:,} places looked at, {len(tried.areas):,} areas: {much}"]
    state = "the search is done" if tried.done else f"{len(tried.beams):,} beams go on"
    far = f"{len(tried.expansions):,} expansions, {len(tried.finished):,} finished; {state}"
    return [_judged(tried, leaves), far] if tried.whole is not None and tried.finished else [far]


def _judged(found: Searched, leaves: list[Leaf]) -> str:
    """Whether the beams, and greedy choosing, found the best chain of all; where it was lost, and how many find it."""
    assert found.whole is not None
    whole, count = found.whole, found.rules.width
    label = "".join(found.tokens.label(id) for id in whole.best.ids)
    beams, greedy = whole.is_best(found.finished[0].score), whole.is_best(whole.greedy.score)
    said = f"{count:,} beam{'s' * (count != 1)} {'found' if beams else 'missed'} it, "
    said += f"{'so did greedy' if beams == greedy else 'greedy found it' if greedy else 'greedy missed it'}"
    if not beams:
        said += f"; it was lost at its token {kept(leaves, whole.best.ids) + 1:,}"
    if not beams and whole.enough is not None:
        said += f"; {whole.enough:,} beams find it"
    return f"best of all {whole.chains:,} chains: {label}, score {number(whole.best.score, 3)}: {said}"
