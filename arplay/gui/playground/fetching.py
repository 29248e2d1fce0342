"""What is known about models that are not here yet: a listing that was asked for, and the one being downloaded."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from arplay.core.errors import Problem
from arplay.engine.downloads import Describe, Described, Fetch, Fetched
from arplay.engine.messages import Failed, Progress, Result
from arplay.gui.bridge import Bridge


class Fetching(QObject):
    """One download at a time. Its failures are values to show in place; they end nothing else that runs."""

    changed = Signal()
    described = Signal(object)
    """The :class:`arplay.models.store.cards.Card` of what was asked for."""
    fetched = Signal(str)
    failed = Signal(str, str)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._describing: int | None = None
        self._fetching: int | None = None
        self.asked = ""
        """What is being described, or was last."""
        self.spec = ""
        """What is being downloaded, or was last."""
        self.progress: Progress | None = None
        self.problem: tuple[str, str] | None = None

    @property
    def describing(self) -> bool:
        return self._describing is not None

    @property
    def busy(self) -> bool:
        return self._fetching is not None

    def describe(self, name: str) -> None:
        """Ask for sizes and licence of ``org/name[@revision]``; ``described`` or ``failed`` follows."""
        self.asked, self.problem = name, None
        self._describing = self._bridge.ask(partial(Describe, name=name), self._on_described)
        self.changed.emit()

    def get(self, spec: str) -> None:
        """Download a model; ``fetched`` or ``failed`` follows, or nothing where it is cancelled."""
        if self.busy:
            self.failed.emit(f"{self.spec} is being downloaded", "wait for it, or cancel it first")
            return
        self.spec, self.problem, self.progress = spec, None, None
        self._fetching = self._bridge.ask(partial(Fetch, name=spec), self._on_fetched)
        self.changed.emit()

    def cancel(self) -> None:
        """End what runs; what has come so far is kept for the next time."""
        for number in (self._describing, self._fetching):
            if number is not None:
                self._bridge.cancel(number)

    def refuse(self, problem: Problem) -> None:
        """Nothing can be asked about what was typed."""
        self.problem = (problem.cause, problem.remedy)
        self.changed.emit()

    def forget_problem(self) -> None:
        self.problem = None

    def _on_described(self, result: Result) -> None:
        if not result.is_last:
            return
        self._describing = None
        if isinstance(result, Described):
            self.described.emit(result.listing)
        self._on_last(result)

    def _on_fetched(self, result: Result) -> None:
        if isinstance(result, Progress):
            self.progress = result
            self.changed.emit()
            return
        self._fetching, self.progress = None, None
        if isinstance(result, Fetched):
            self.fetched.emit(result.name)
        self._on_last(result)

    def _on_last(self, result: Result) -> None:
        if isinstance(result, Failed):
            self.problem = (result.cause, result.remedy)
            self.failed.emit(result.cause, result.remedy)
        self.changed.emit()
