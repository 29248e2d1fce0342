"""Saved scoring runs: the scores in the window go into a file, and one that is opened stands in the model's place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from arplay.core import measures
from arplay.core.errors import Problem
from arplay.engine.messages import Failed, Progress, Result
from arplay.engine.runs import OpenedRun, OpenRun, SaveRun, WroteRun, saved_run
from arplay.engine.score_reports import ScoredText, WriteReport, WroteReport
from arplay.export.scales import Scale
from arplay.export.writers import write
from arplay.gui.bridge import Bridge
from arplay.gui.playground.state import State

NOT_YET = ("the text is not scored to its end", "wait for it, then save the scores")


class Runs(QObject):
    """Read and written by the worker; a failure changes nothing."""

    opened = Signal(object)
    """An :class:`OpenedRun`, which is to be shown."""
    saved = Signal(str)
    """The name of the file, also of a report."""

    def __init__(self, play: State, bridge: Bridge, tell: Callable[[Progress | None], None]) -> None:
        super().__init__(play)
        self._play, self._bridge, self._tell = play, bridge, tell
        self._opening: int | None = None

    def open(self, path: Path) -> None:
        """``opened`` follows, or what is wrong with the file is reported."""
        self.stop()
        self._opening = self._bridge.ask(partial(OpenRun, path=path), self._on_opened)

    def stop(self) -> None:
        """Something else is opened: what is being read is not wanted any more."""
        if self._opening is not None:
            self._bridge.forget(self._opening)
            self._opening = None
            self._tell(None)

    def save(self, path: Path) -> None:
        """``saved`` follows, or what is wrong is reported."""
        view, ledger = self._play.view, self._play.ledger
        if view.loaded is None or ledger is None or not ledger.complete:
            self._play.reported.emit(*NOT_YET)
            return
        try:
            run = view.run or saved_run(view.loaded, ledger, view.excerpt_of or view.name or "text")
        except Problem as problem:
            self._play.reported.emit(problem.cause, problem.remedy)
            return
        self._bridge.ask(partial(SaveRun, path=path, run=run), self._on_result)

    def report(self, path: Path) -> None:
        """A page of the scores in sight, or a line of JSON, by the ending of ``path``."""
        view, ledger = self._play.view, self._play.ledger
        if view.loaded is None or ledger is None or not ledger.complete:
            self._play.reported.emit(*NOT_YET)
            return
        name = view.run.name if view.run is not None else view.excerpt_of or view.name or "the text in the window"
        self.write((ScoredText(name, view.loaded, ledger),), path)

    def write(self, texts: tuple[ScoredText, ...], path: Path) -> None:
        """The same of these texts."""
        settings = self._play.view.settings
        scale = Scale(measures.of(settings.colour_by), settings.rank_bounds)
        self._bridge.ask(partial(WriteReport, path=path, texts=texts, scale=scale), self._on_result)

    def write_text(self, path: Path, content: Callable[[], str | bytes]) -> None:
        """A small file, at once; Problem of making its content is told as one of writing it."""
        try:
            write(path, content())
        except Problem as problem:
            self._play.reported.emit(problem.cause, problem.remedy)
        else:
            self.saved.emit(path.name)

    def _on_opened(self, result: Result) -> None:
        if result.is_last:
            self._opening = None
        self._on_result(result)

    def _on_result(self, result: Result) -> None:
        self._tell(result if isinstance(result, Progress) else None)
        match result:
            case OpenedRun():
                self.opened.emit(result)
            case WroteRun(path=path) | WroteReport(path=path):
                self.saved.emit(path.name)
            case Failed(cause=cause, remedy=remedy):
                self._play.reported.emit(cause, remedy)
