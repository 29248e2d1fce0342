"""A text and a loaded model, and what the commands ask of them: the engine's own jobs, run to their end here."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from arplay.commands.console import ProgressLine, note
from arplay.core.chain import Ledger
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, TokenSet
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.core.signs import safe
from arplay.core.timings import Timing, Timings, of_answer
from arplay.engine import jobs
from arplay.engine.fetch import fetch
from arplay.engine.messages import (
    Explore,
    Explored,
    Load,
    Loaded,
    Progress,
    Recompute,
    Recomputed,
    Result,
    Score,
    Scored,
)
from arplay.engine.recompute import recompute
from arplay.engine.state import Pace, State
from arplay.export import provenance
from arplay.export.tables import Record
from arplay.models import catalogue, documents
from arplay.models.base import Info, Session
from arplay.models.documents import Source

PLACES = 24
"""Lengths of the context at which :meth:`Work.timings` measures."""


COMPLETE = "give one in which something is open"
ALONE_SECONDS = 2.0
"""The longest chunk of a command: nobody waits for another answer, and Ctrl-C may take so long."""


def read_source(args: argparse.Namespace, prompt: str | None, file: Path | None, encoding: str | None) -> Source:
    """The document that a command is given for the model that the options name. Raises Problem."""
    source = documents.read(args.model or catalogue.DEFAULT, prompt, file, encoding)
    if source.remark:
        note(source.remark)
    return source


@dataclass(frozen=True, slots=True)
class Work:
    """A loaded model in the engine's state. One text at a time; each method runs one job to its end."""

    state: State
    loaded: Loaded
    reading: Reading

    @classmethod
    def load(cls, args: argparse.Namespace) -> Work:
        """Load the model that the options name. Raises Problem."""
        state = State(catalogue.load, fetch, pace=Pace(patience=ALONE_SECONDS))
        request = Load(0, args.model or catalogue.DEFAULT, args.device, args.dtype)
        with ProgressLine() as progress:
            loaded = _result(Loaded, jobs.load(state, request, progress), progress)
        chosen = (getattr(args, name, False) for name in ("special", "window_lead"))
        return cls(state, loaded, Reading(getattr(args, "first_piece", "auto"), *chosen))

    @property
    def info(self) -> Info:
        return self.loaded.info

    @property
    def model(self) -> Record:
        """The model for JSON, with how its tokenizer changes text (null where it does not)."""
        return provenance.model(self.info) | {"lossy": self.loaded.lossy or None}

    @property
    def vocabulary(self) -> TokenSet:
        return self.loaded.vocabulary

    def explore(self, document: Document) -> tuple[Answer, Distribution]:
        """What comes after the whole of ``document``. Raises Problem where there is no p(x_1)."""
        request = Explore(0, document, document.end, self.reading)
        with ProgressLine() as progress:
            answer = _result(Explored, jobs.explore(self.state, request), progress).answer
        if answer.distribution is None and answer.prefix.index == self.vocabulary.length:
            raise Problem(f"the document is complete: nothing comes after {answer.prefix.index:,}", COMPLETE)
        if answer.distribution is None:
            cause = "the first piece is unscored, so there is no distribution before it"
            raise Problem(cause, "give a text, or another --first-piece that this model has")
        if answer.position.start:
            note(f"the text is longer than the context; the model read its last {answer.position.context:,} pieces")
        return answer, answer.distribution

    def timings(self, document: Document) -> tuple[Answer, Timings]:
        """The answer after ``document``, and what answers cost at :data:`PLACES` places on the way there.

        At each a step with the cache and one forward without it. Raises Problem where the model keeps no cache.
        """
        if self.info.cache == "none":
            raise Problem("this model keeps no cache", "choose a model that does, such as smollm2")
        measured = list[Timing | None]()
        encoded = self.state.encode(document, self.state.current().alphabet, self.reading.special)
        if not len(encoded):
            raise Problem("there is nothing to measure in an empty text", "give a text")
        with ProgressLine() as progress:
            for index in np.unique(np.linspace(1, len(encoded), PLACES, dtype=np.int64)).tolist():
                progress(index / len(encoded), "measuring")
                for place in (index - 1, index):
                    step = Explore(0, document, document.place(encoded, place), self.reading)
                    answer = _result(Explored, jobs.explore(self.state, step), progress).answer
                    measured.append(of_answer(answer))
                again = Recompute(0, document, document.place(encoded, index), self.reading)
                whole = _result(Recomputed, recompute(self.state, again), progress)
                measured.append(
                    Timing("uncached", whole.context, whole.context, whole.seconds, 0, whole.largest_difference)
                )
        return answer, tuple(timing for timing in measured if timing is not None)

    def session(self) -> Session:
        """A session that stands where the last :meth:`explore` ended."""
        return self.state.prefixes.latest()

    def score(self, document: Document) -> Ledger:
        """The ledger of the whole of ``document``."""
        with ProgressLine() as progress:
            request = Score(0, document, self.reading)
            return _result(Scored, jobs.score(self.state, request), progress).ledger


def title(loaded: Loaded) -> list[str]:
    """The model in a line for terminals, and another where its tokenizer changes text."""
    info = loaded.info
    context = "any context" if info.context is None else f"context {info.context:,}"
    line = f"{info.name} ({info.family}, {info.parameters:,} parameters, {info.dtype} on {info.device}, {context})"
    return [safe(part) for part in (line, loaded.lossy) if part]


R = TypeVar("R", bound=Result)


def _result(kind: type[R], steps: Generator[object, None, Result], progress: ProgressLine) -> R:
    """Run a job to its end, telling progress."""
    while True:
        try:
            told = next(steps)
        except StopIteration as finished:
            assert isinstance(finished.value, kind)
            return finished.value
        if isinstance(told, Progress):
            progress(told.fraction, told.what)
