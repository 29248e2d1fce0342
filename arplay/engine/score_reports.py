"""Scored texts as a report or as JSON lines, written by the worker: that takes seconds for a long one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from arplay.core.chain import Ledger
from arplay.engine.job import Steps
from arplay.engine.load import Loaded
from arplay.engine.messages import Progress, Request, Result
from arplay.engine.state import State
from arplay.export import provenance, report, tables
from arplay.export.provenance import Provenance
from arplay.export.scales import Scale
from arplay.export.writers import writing


@dataclass(frozen=True, eq=False, slots=True)
class ScoredText:
    """``name``: where it is from."""

    name: str
    loaded: Loaded
    ledger: Ledger

    @property
    def around(self) -> tables.Record:
        """What ``arplay score --json`` tells of it, but for its tokens."""
        info = provenance.model(self.loaded.info) | {"lossy": self.loaded.lossy or None}
        return {"model": info, "tokens": [], "totals": tables.totals(self.ledger)}

    @property
    def origin(self) -> Provenance:
        return Provenance(self.loaded.info, self.ledger.first_token, self.name)


@dataclass(frozen=True, eq=False, slots=True)
class WriteReport(Request):
    """Write the texts to a file: a page where it ends in .html, coloured by ``scale``, else a line of JSON for each."""

    path: Path
    texts: tuple[ScoredText, ...]
    scale: Scale


@dataclass(frozen=True, slots=True)
class WroteReport(Result):
    path: Path


def write_report(state: State, request: WriteReport) -> Steps:
    """A piece at a time: a long text is never there as a whole."""
    what, texts = f"writing {request.path.name}", request.texts
    if request.path.suffix.lower() == ".html":
        found = [
            report.Scoring(each.name, each.ledger, each.loaded.vocabulary, each.origin, each.around, request.scale)
            for each in texts
        ]
        pieces = report.pieces(found)
        expected = report.expected(found)
    else:
        lines = (report.line(each.name, each.around, each.ledger, each.loaded.vocabulary) for each in texts)
        pieces, expected = chain.from_iterable(lines), sum(4 + len(each.ledger) / tables.BLOCK for each in texts)
    for done, _ in enumerate(writing(request.path, pieces)):
        yield Progress(request.number, what, min(1.0, done / expected))
    return WroteReport(request.number, request.path)
