"""Scored texts as a report or as JSON lines, written by the worker: that takes seconds for a long one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.engine.job import Steps
from arplay.engine.load import Loaded
from arplay.engine.messages import Progress, Request, Result
from arplay.engine.state import State
from arplay.export import provenance, report, tables
from arplay.export.provenance import Provenance
from arplay.export.scales import Scale
from arplay.export.writers import to_json_line, write

MOST_TOKENS = 200_000
"""A record of each of more would be hundreds of megabytes."""


@dataclass(frozen=True, eq=False, slots=True)
class ScoredText:
    """``name``: where it is from."""

    name: str
    loaded: Loaded
    ledger: Ledger

    @property
    def record(self) -> tables.Record:
        """What ``arplay score --json`` tells of it."""
        info = provenance.model(self.loaded.info) | {"lossy": self.loaded.lossy or None}
        rows, sums = tables.tokens(self.ledger, self.loaded.vocabulary), tables.totals(self.ledger)
        return {"model": info, "tokens": rows, "totals": sums}

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
    check_length(request.texts)
    what, found, lines = f"writing {request.path.name}", list[report.Scoring](), list[str]()
    for at, text in enumerate(request.texts):
        yield Progress(request.number, what, at / len(request.texts))
        record = text.record
        if request.path.suffix.lower() == ".html":
            found.append(
                report.Scoring(text.name, text.ledger, text.loaded.vocabulary, text.origin, record, request.scale)
            )
        else:
            lines.append(to_json_line({"text": text.name, **record}))
    yield None
    whole = report.page(found) if found else "".join(lines)
    yield None
    write(request.path, whole)
    if request.path.is_file() and request.path.stat().st_size != len(whole.encode()):
        raise Problem(f"{request.path.name} is not as long as it was written", "check the disk, then export it again")
    return WroteReport(request.number, request.path)


def check_length(texts: Sequence[ScoredText]) -> None:
    """Raises Problem for more tokens than a report tells one by one."""
    count = sum(len(text.ledger) for text in texts)
    if count > MOST_TOKENS:
        cause = f"a report tells each token, and these are {count:,} (at most {MOST_TOKENS:,})"
        raise Problem(cause, "save the scores instead (File › Save scores as…), or export a plot")
