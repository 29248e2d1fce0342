"""A set of texts: read from files, cut out of records, and scored one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, TokenSet
from arplay.core.reading import Reading
from arplay.engine.job import Steps, part_of
from arplay.engine.messages import Progress, Question, Request, Result
from arplay.engine.scoring import Known, scored_of
from arplay.engine.state import State
from arplay.models import documents
from arplay.models.recordsfile import Field, records
from arplay.textfile import read_text


@dataclass(frozen=True, slots=True)
class Item:
    """A text of a set: a file, which is in ``encoding`` where that is given, or its UTF-8 ``data``."""

    name: str
    path: Path | None = None
    data: bytes = b""
    encoding: str | None = None

    def document(self, state: State) -> tuple[Document, str]:
        """What it is, and in words what reading changed of it. Raises Problem."""
        tokens = state.tokens
        reader = documents.reader_of(tokens)
        if self.path is None:
            return reader.typed(self.data, tokens), ""
        return reader.read(self.path, self.encoding, tokens), reader.said(self.path, tokens)


@dataclass(frozen=True, slots=True)
class ScoreSet(Question):
    """Score these texts; ``first``: the number of the first one in the whole set, which has ``of``."""

    items: tuple[Item, ...]
    reading: Reading = Reading()
    first: int = 0
    of: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class ScoredOne(Result):
    """The text ``at`` of the set is scored, or ``problem`` (cause, remedy) says why it cannot be.

    ``changed``: what reading its file changed of it.
    """

    at: int
    document: Document | None = None
    ledger: Ledger | None = None
    problem: tuple[str, str] | None = None
    changed: str = ""

    @property
    def is_last(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ScoredSet(Result):
    """All of them were worked at."""


def score_set(state: State, request: ScoreSet) -> Steps:
    """A text that cannot be read or scored does not end the others."""
    state.current()  # without one none of them is begun
    count = request.of or len(request.items)
    kept = Known()  # the scores in sight keep what they know
    for at, item in enumerate(request.items, request.first):
        what = f"scoring {at + 1:,} of {count:,} texts"
        yield Progress(request.number, what, at / count)
        try:
            document, changed = item.document(state)
            steps = scored_of(state, request.number, document, request.reading, growing=False, kept=kept)
            ledger, _ = yield from part_of(steps, request.number, what, at / count, 1 / count)
        except Problem as problem:
            yield ScoredOne(request.number, at, problem=(problem.cause, problem.remedy))
        else:
            yield ScoredOne(request.number, at, document, ledger, changed=changed)
    return ScoredSet(request.number)


@dataclass(frozen=True, slots=True)
class ReadFile(Request):
    """A large file as a document for models with these tokens; ``raw``: as it is, with its markup."""

    path: Path
    encoding: str | None
    raw: bool
    tokens: TokenSet | None


@dataclass(frozen=True, eq=False, slots=True)
class FileRead(Result):
    """``changed``: what reading changed of it, in words."""

    path: Path
    encoding: str | None
    document: Document
    changed: str


def read_file(state: State, request: ReadFile) -> Steps:
    path, tokens = request.path, request.tokens
    yield Progress(request.number, f"reading {path.name}", None)
    reader = documents.reader_of(tokens)
    if request.raw:
        document, changed = documents.as_it_is(path, request.encoding, tokens), ""
    else:
        document, changed = reader.read(path, request.encoding, tokens), reader.said(path, tokens)
    return FileRead(request.number, path, request.encoding, document, changed)


@dataclass(frozen=True, slots=True)
class ReadFields(Request):
    """Which fields of the records of a file hold texts?"""

    path: Path


@dataclass(frozen=True, slots=True)
class FieldsRead(Result):
    path: Path
    count: int
    fields: tuple[Field, ...]


def read_fields(state: State, request: ReadFields) -> Steps:
    yield Progress(request.number, f"reading {request.path.name}", None)
    found = records(read_text(request.path), request.path.name)
    yield None
    return FieldsRead(request.number, request.path, len(found.rows), found.fields)


@dataclass(frozen=True, slots=True)
class ReadField(Request):
    """The text of one field of each record, of all these files."""

    paths: tuple[Path, ...]
    field: str


@dataclass(frozen=True, slots=True)
class FieldRead(Result):
    """``without``: how many records have no such text. ``refused``: why files gave nothing at all."""

    paths: tuple[Path, ...]
    items: tuple[Item, ...]
    without: int
    refused: tuple[str, ...] = ()


def read_field(state: State, request: ReadField) -> Steps:
    """Raises Problem where no file has such a text."""
    items, without, refused, problem = list[Item](), 0, list[str](), None
    for at, path in enumerate(request.paths):
        yield Progress(request.number, f"reading {path.name}", at / len(request.paths))
        try:
            found = records(read_text(path), path.name)
            texts = found.texts(request.field)
        except Problem as why:
            problem = why
            refused.append(why.cause if path.name in why.cause else f"{path.name}: {why.cause}")
            continue
        items += (Item(f"{path.name}:{number}", None, data) for number, data in texts)
        without += len(found.rows) - len(texts)
    if not items and problem is not None:
        raise problem
    return FieldRead(request.number, request.paths, tuple(items), without, tuple(refused))
