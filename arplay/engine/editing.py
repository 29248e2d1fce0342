"""A text before and after an edit: matched by the worker, since a long one takes a while."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.chain import Ledger
from arplay.core.edited import Edited, edited
from arplay.engine.job import Steps
from arplay.engine.messages import Request, Result
from arplay.engine.state import State


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
