"""Models that are not here yet: what one is, and getting it, both by child processes that are only looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

from arplay import paths
from arplay.engine.job import Line, Pause, Steps, Stopped
from arplay.engine.messages import Progress, Request, Result
from arplay.engine.state import State
from arplay.models.store.cards import Card

FETCH_SECONDS = 0.2
"""How often a child is looked at."""


@dataclass(frozen=True, slots=True)
class Fetch(Request):
    """Get a model into the user's cache: one of the catalogue, or of a hub as ``org/name[@revision]``."""

    name: str


@dataclass(frozen=True, slots=True)
class Describe(Request):
    """What is it, and how much would :class:`Fetch` bring? Asks the hub for its models."""

    name: str


@dataclass(frozen=True, slots=True)
class Fetched(Result):
    name: str


@dataclass(frozen=True, slots=True)
class Described(Result):
    listing: Card


def fetch(_: State, request: Fetch, line: Line) -> Steps:
    """Get a model into the cache; the work is done by child processes that are only looked at here."""
    last = None
    with contextlib.closing(line.fetch(request.name, paths.models() / request.name, line.cancelled)) as fetching:
        for progress in fetching:
            if progress != last:
                yield replace(progress, number=request.number)
            last = progress
            yield Pause(FETCH_SECONDS)
    if last is None or last.fraction != 1.0:
        raise Stopped
    return Fetched(request.number, request.name)


def describe(_: State, request: Describe, line: Line) -> Steps:
    """What a model is and what fetching it would bring; a hub is asked by a child that is only looked at here."""
    from arplay.engine import hub_fetch
    from arplay.models import catalogue

    yield Progress(request.number, f"asking for {request.name}", None)
    if request.name in {known.spec for known in catalogue.entries()}:
        return Described(request.number, catalogue.card(request.name))
    with contextlib.closing(hub_fetch.describe(request.name, line.cancelled, pause=0)) as asking:
        while True:
            try:
                next(asking)
            except StopIteration as end:
                if end.value is None:
                    raise Stopped from None
                return Described(request.number, end.value)
            yield Pause(FETCH_SECONDS)


def download(name: str, folder: Path, cancelled: Callable[[], bool]) -> Generator[Progress, None, None]:
    """Get a model of the catalogue into ``folder``, or one of a hub into the hub's cache; each step is a look."""
    from arplay.engine import fetch, hub_fetch

    if name in fetch.RECIPES:
        return fetch.fetch(name, folder, cancelled, pause=0)  # whoever runs the job waits, where another can wake it
    return hub_fetch.fetch(name, cancelled, pause=0)
