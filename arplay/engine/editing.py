"""A text before and after an edit: matched by the worker, since a long one takes a while."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.chain import Ledger
from arplay.core.edited import Edited, edited
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.engine.job import Steps, part_of
from arplay.engine.messages import Question, Request, Result
from arplay.engine.scoring import Known, scored_of
from arplay.engine.state import State
from arplay.models.base import Info


@dataclass(frozen=True, slots=True)
class ScoreBase(Question):
    """Score a text that something else was made of, beside the one in sight."""

    document: Document
    reading: Reading = Reading()


@dataclass(frozen=True, eq=False, slots=True)
class BaseScored(Result):
    """``info``: of the model that scored it."""

    ledger: Ledger
    info: Info


def score_base(state: State, request: ScoreBase) -> Steps:
    """The scores in sight keep what they know. Raises Problem for what cannot be read."""
    info, what = state.current().info, "scoring the base text"
    steps = scored_of(state, request.number, request.document, request.reading, growing=False, kept=Known())
    ledger, _ = yield from part_of(steps, request.number, what, 0.0, 1.0)
    return BaseScored(request.number, ledger, info)


@dataclass(frozen=True, slots=True)
class MatchEdit(Request):
    """What stands in both of these whole ledgers, which one model made?"""

    base: Ledger
    now: Ledger


@dataclass(frozen=True, eq=False, slots=True)
class EditMatched(Result):
    edited: Edited


def match_edit(state: State, request: MatchEdit) -> Steps:
    """Raises Problem for documents of two kinds."""
    yield None
    found = edited(request.base, request.now)
    found.add_up()
    return EditMatched(request.number, found)
