"""The total of a text by another reading than the one in sight, which stays as it is."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.chain import Totals
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.messages import Question, Result
from arplay.engine.scoring import Known, scored_of
from arplay.engine.state import State
from arplay.models.base import Info


@dataclass(frozen=True, slots=True)
class Total(Question):
    """Score ``document`` as ``reading`` has it, of which only the sums are told."""

    document: Document
    reading: Reading = Reading()


@dataclass(frozen=True, eq=False, slots=True)
class Totaled(Result):
    document: Document
    info: Info
    reading: Reading
    totals: Totals


def total(state: State, request: Total) -> Steps:
    """What both readings have in common (the first window) is taken over from what is scored already."""
    aside = Known(work=state.kept(Known).work)
    made = scored_of(state, request.number, request.document, request.reading, growing=False, kept=aside)
    ledger, _ = yield from made
    return Totaled(request.number, request.document, state.current().info, request.reading, ledger.totals)
