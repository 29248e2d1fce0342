"""A job of the worker from outside the package in one file: how many tokens has a document?"""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.engine.job import Job, Line, Steps
from arplay.engine.messages import Progress, Question, Result
from arplay.engine.state import State


@dataclass(frozen=True, slots=True)
class Count(Question):
    document: Document


@dataclass(frozen=True, slots=True)
class Counted(Result):
    tokens: int


def count(state: State, request: Count, line: Line) -> Steps:
    """Runs in the worker's thread. It may be ended at each ``yield``; what it yields is told at once."""
    yield Progress(request.number, "counting", 0.5)
    encoded = state.encode(request.document, state.current().alphabet, special=False)
    if not len(encoded):
        raise Problem("there is nothing to count", "type something")
    return Counted(request.number, len(encoded))


COUNT = Job(count)
