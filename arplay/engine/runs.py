"""Scoring runs in files: one is saved, and opened without its model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arplay.core.chain import Ledger
from arplay.engine.job import Steps
from arplay.engine.load import Loaded
from arplay.engine.messages import Progress, Request, Result
from arplay.engine.state import State
from arplay.export import scorefile
from arplay.models.scored_run import SAVED, SavedRun, text_tokens


def saved_run(loaded: Loaded, ledger: Ledger, name: str) -> SavedRun:
    """The run that a model made of the text ``name``. Raises Problem for what is no text."""
    ids = {"tokenizer": loaded.lead, "bos": (loaded.bos,), "eos": (loaded.eos,)}.get(ledger.first_token, ())
    lead = tuple(id for id in ids if id is not None) if ledger.before else ()
    return SavedRun(ledger, text_tokens(loaded.vocabulary), loaded.info, name, loaded.lossy, lead)


def in_place_of_model(number: int, run: SavedRun) -> Loaded:
    """The run as views know the model of a ledger: what it was, and what its tokens are."""
    last, rule = run.lead[-1] if run.lead else None, run.ledger.first_token
    lead = run.lead if rule == "tokenizer" else ()
    bos, eos = (last if rule == name else None for name in ("bos", "eos"))
    return Loaded(number, run.info, run.tokens, lead, bos, eos, SAVED, run.lossy)


@dataclass(frozen=True, slots=True)
class OpenRun(Request):
    """Read the run in a file. It needs no model, and does nothing to the one that is loaded."""

    path: Path


@dataclass(frozen=True, eq=False, slots=True)
class OpenedRun(Result):
    path: Path
    run: SavedRun


def open_run(state: State, request: OpenRun) -> Steps:
    yield Progress(request.number, f"opening {request.path.name}", None)
    run = scorefile.read(request.path)
    yield None
    _ = run.document  # made here, in the thread that has the time
    return OpenedRun(request.number, request.path, run)


@dataclass(frozen=True, eq=False, slots=True)
class SaveRun(Request):
    """Write a run into a file, all or nothing."""

    path: Path
    run: SavedRun


@dataclass(frozen=True, slots=True)
class WroteRun(Result):
    path: Path


def save_run(state: State, request: SaveRun) -> Steps:
    yield Progress(request.number, f"saving {request.path.name}", 0.0)
    for share in scorefile.writing(request.path, request.run):
        yield Progress(request.number, f"saving {request.path.name}", share)
    return WroteRun(request.number, request.path)
