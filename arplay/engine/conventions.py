"""One text by all the usual conventions: what each would call its perplexity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.conventions import CONVENTIONS, Convention, Floats, Pass, Sum, of_ledger
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Encoded, Unit
from arplay.core.reading import Reading
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Question, Result
from arplay.engine.scoring import ledger_of
from arplay.engine.state import State, logprobs
from arplay.models.base import Info, Model, lead

OWN = "windows"
"""The name of arplay's own convention."""


@dataclass(frozen=True, slots=True)
class Compare(Question):
    """Score ``document`` by arplay's own convention, and by each of :data:`arplay.core.conventions.CONVENTIONS`."""

    document: Document
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Figures:
    """A text by one convention. ``found`` is None where it cannot be followed: ``why`` says so.

    ``first_token``: what became of the first one. ``windows`` were read, of ``context`` tokens at most, ``read``
    together; ``stride`` is None where the convention has none. ``units``: those that the sum is about, and ``counts``:
    what else NLL may be divided by, by name.
    """

    name: str
    title: str
    explanation: str
    found: Sum | None
    whole: bool
    first_token: str
    context: int
    stride: int | None
    units: int
    counts: tuple[tuple[str, int], ...]
    windows: int = 0
    read: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Compared(Result):
    """The first of ``figures`` are arplay's own."""

    document: Document
    info: Info
    unit: Unit
    figures: tuple[Figures, ...]


def compare(state: State, request: Compare) -> Steps:
    """One convention after the other; what two of them read alike is read once. Raises Problem."""
    model, reading = state.current(), request.reading
    ledger = yield from ledger_of(state, request.number, request.document, reading)
    encoded = ledger.encoded
    readings = [_Reading(model, each, encoded, ledger, reading) for each in CONVENTIONS]
    figures, known = [own(ledger)], dict[tuple[int, ...], Floats]()
    whole, done = max(1, sum(each.read for each in readings)), 0
    for each in readings:
        parts = []
        for one in each.passes:
            key = *each.lead, one.start, one.stop
            if key not in known:
                known[key] = yield from logprobs(model.session(), each.chain[one.start : one.stop], state.pace)
            parts.append(known[key][one.first - one.start :])
            done += one.read
            yield Progress(request.number, each.convention.title, done / whole)
        figures.append(each.figures(parts))
    unit = state.tokens.unit
    return Compared(request.number, request.document, model.info, unit, tuple(figures))


def own(ledger: Ledger) -> Figures:
    """arplay's own, which a ledger knows without a model."""
    return Figures(
        OWN,
        "arplay, overlapping windows",
        "Every token counts once, with at least context − stride tokens before it where the text has so many.",
        of_ledger(ledger),
        ledger.complete,
        ledger.first_token,
        ledger.windows.window,
        ledger.windows.stride,
        ledger.totals.units,
        ledger.totals.counts,
        *ledger.windows.cost(ledger.before + len(ledger)),
    )


def planned(ledger: Ledger) -> int:
    """About how many tokens a comparison reads."""
    length = ledger.before + len(ledger)
    return 2 * length + min(length, ledger.windows.window) + ledger.windows.cost(length).read


class _Reading:
    """How one convention reads one document."""

    def __init__(
        self, model: Model, convention: Convention, encoded: Encoded, ledger: Ledger, reading: Reading
    ) -> None:
        self.convention, self._windows, self._encoded = convention, ledger.windows, encoded
        self.lead: tuple[int, ...] = ()
        self.why, self.first_token = "", ""
        for rule in convention.first or (reading.first_token,):
            try:
                self.lead, self.first_token = lead(model.alphabet, model.can.starts_empty, rule)
                self.why = ""
                break
            except Problem as problem:
                self.why = problem.cause
        if self.convention.first and not self.why:
            self.lead += model.alphabet.lead
        self.chain = np.concatenate([np.array(self.lead, np.int64), encoded.ids])
        endless = not (reading.context or model.info.context)  # the chain may be longer than the ledger's
        self.context = max(1, len(self.chain)) if endless else self._windows.window
        stride = self._windows.stride
        self.passes: list[Pass] = [] if self.why else convention.passes(len(self.chain), self.context, stride)

    @property
    def read(self) -> int:
        return sum(one.read for one in self.passes)

    def figures(self, parts: list[Floats]) -> Figures:
        made = self.convention
        stride = self._windows.stride if made.strides else None
        found = None if self.why else made.total(self.passes, parts)
        counts = dict(self._encoded.counts)
        if made.splits and "words" in counts:
            counts["words"] = self._encoded.split_words
        return Figures(
            made.name, made.title, made.explanation, found, made.whole, self.first_token, self.context, stride,
            self._encoded.units, tuple(counts.items()), len(self.passes), self.read, self.why,
        )  # fmt: skip
