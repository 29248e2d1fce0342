"""A set of texts that are scored one after the other, each with what it costs. It outlives the text in the editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.engine.load import Loaded
from arplay.engine.messages import Cancelled, Failed, Progress, Result
from arplay.engine.text_set import (
    FieldRead,
    FieldsRead,
    FileRead,
    Item,
    ReadField,
    ReadFields,
    ReadFile,
    ScoredOne,
    ScoredSet,
    ScoreSet,
)
from arplay.gui.bridge import Bridge
from arplay.gui.playground.state import State
from arplay.textfile import NOT_UTF8

MOST = 10_000


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """A text of the set, with what is known of it by now."""

    item: Item
    document: Document | None = None
    ledger: Ledger | None = None
    problem: tuple[str, str] | None = None
    changed: str = ""

    @property
    def in_other_encoding(self) -> bool:
        """It may be read once its encoding is known."""
        return self.problem is not None and self.item.path is not None and NOT_UTF8 in self.problem[0]

    @property
    def is_done(self) -> bool:
        return self.ledger is not None or self.problem is not None


class TextSet(QObject):
    """``rows`` are replaced, never changed. All scores in it are by one model, read in one way."""

    changed = Signal()
    fields = Signal(object)
    """The :class:`FieldsRead` of a file of records that is to be opened."""
    file_read = Signal(object)
    """The :class:`FileRead` of a large file that is to be opened."""
    not_read = Signal(object, object, bool)
    no_records = Signal(object, str)
    """The path of a file that has none after all, and why."""
    taken = Signal(object)
    """The :class:`FieldRead` of it."""

    def __init__(self, play: State, bridge: Bridge, tell: Callable[[Progress | None], None]) -> None:
        super().__init__(play)
        self._play, self._bridge, self._tell = play, bridge, tell
        self._number: int | None = None
        self._reading: Reading | None = None
        self.rows: tuple[Row, ...] = ()
        self.loaded: Loaded | None = None
        """What the scores are by."""
        self.progress: Progress | None = None

    @property
    def runs(self) -> bool:
        return self._number is not None

    @property
    def done(self) -> int:
        return sum(row.is_done for row in self.rows)

    @property
    def scored(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.ledger is not None)

    def add(self, items: Sequence[Item]) -> None:
        """They are scored after those that are there."""
        if len(self.rows) + len(items) > MOST:
            self._play.reported.emit(f"a set has at most {MOST:,} texts", "arplay score takes more")
            items = items[: MOST - len(self.rows)]
        runs = self.runs
        self.pause()
        self.rows += tuple(Row(item) for item in items)
        if items or runs:
            self.go_on()

    def clear(self) -> None:
        self.pause()
        self.rows, self.loaded = (), None
        self.changed.emit()

    def remove(self, at: int) -> None:
        """Take one text out; the file stays."""
        runs = self.runs
        self.pause()
        self.rows = self.rows[:at] + self.rows[at + 1 :]
        if runs:
            self.go_on()
        else:
            self.changed.emit()

    def read_as(self, encoding: str) -> None:
        """Read all that is not UTF-8 as this."""
        self.pause()
        self.rows = tuple(
            Row(replace(row.item, encoding=encoding)) if row.in_other_encoding else row for row in self.rows
        )
        self.go_on()

    def pause(self) -> None:
        """What is scored stays; the text that is being scored is begun anew."""
        if self._number is not None:
            self._bridge.forget(self._number)
            self._end()

    @property
    def lacks(self) -> tuple[str, str] | None:
        """Why nothing can be scored here, and what to do about that; None where it can."""
        view = self._play.view
        if view.loaded is not None and view.run is None and view.loaded.can.no_scores:
            return view.loaded.can.no_scores, "choose another model in the Model menu"
        return view.lacks_model

    def go_on(self) -> None:
        """Score what is not scored yet; all of it anew where the model, or how it reads, is another one by now."""
        view = self._play.view
        if self.lacks is not None or view.loaded is None or self.runs:
            if self.lacks is not None and not self.runs:
                self._play.reported.emit(*self.lacks)
            self.changed.emit()
            return
        if self.loaded is None or view.info is not self.loaded.info or view.settings.reading != self._reading:
            self.rows = tuple(Row(row.item) for row in self.rows)
        self.loaded, self._reading = view.loaded, view.settings.reading
        first = next((at for at, row in enumerate(self.rows) if not row.is_done), len(self.rows))
        if first < len(self.rows):
            asked = partial(
                ScoreSet, items=tuple(row.item for row in self.rows[first:]), reading=self._reading, first=first,
                of=len(self.rows),
            )  # fmt: skip
            self._number = self._bridge.ask(asked, self._on_result)
        self.changed.emit()

    def read_file(self, path: Path, encoding: str | None, raw: bool) -> None:
        """``file_read`` follows, or ``not_read`` with the same values."""
        loaded = self._play.view.loaded
        asked = partial(ReadFile, path=path, encoding=encoding, raw=raw, tokens=loaded.vocabulary if loaded else None)
        self._bridge.ask(asked, partial(self._on_file, path, encoding, raw))

    def _on_file(self, path: Path, encoding: str | None, raw: bool, result: Result) -> None:
        self._tell(result if isinstance(result, Progress) else None)
        if isinstance(result, FileRead):
            self.file_read.emit(result)
        elif isinstance(result, Failed):
            self.not_read.emit(path, encoding, raw)

    def read_fields(self, path: Path) -> None:
        self._bridge.ask(partial(ReadFields, path=path), partial(self._on_fields, path))

    def read_field(self, paths: Sequence[Path], field: str) -> None:
        """Of all of them; ``taken`` follows."""
        self._bridge.ask(partial(ReadField, paths=tuple(paths), field=field), self._on_records)

    def _on_fields(self, path: Path, result: Result) -> None:
        self._tell(result if isinstance(result, Progress) else None)
        match result:
            case FieldsRead(fields=(_, *_)):
                self.fields.emit(result)
            case FieldsRead():
                self.no_records.emit(path, "no record of it holds a text")
            case Failed(cause=cause):
                self.no_records.emit(path, cause)

    def _on_records(self, result: Result) -> None:
        self._tell(result if isinstance(result, Progress) else None)
        match result:
            case FieldRead():
                self.taken.emit(result)
            case Failed(cause=cause, remedy=remedy):
                self._play.reported.emit(cause, remedy)

    def _on_result(self, result: Result) -> None:
        match result:
            case Progress():
                self.progress = result
                self.changed.emit()
            case ScoredOne(at=at):
                told = {name: getattr(result, name) for name in ("document", "ledger", "problem", "changed")}
                new = replace(self.rows[at], **told)
                self.rows = (*self.rows[:at], new, *self.rows[at + 1 :])
                self.changed.emit()
            case ScoredSet() | Cancelled():
                self._end()
            case Failed(cause=cause, remedy=remedy):
                self._end()
                self._play.reported.emit(cause, remedy)

    def _end(self) -> None:
        self._number, self.progress = None, None
        self.changed.emit()
