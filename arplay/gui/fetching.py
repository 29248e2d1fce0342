"""What is known about models that are not here yet: a listing that was asked for, and the one being downloaded."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Signal

from arplay.engine.messages import Cancelled, Described, Failed, Fetched, Progress, Result
from arplay.gui.bridge import Bridge


class Fetching(QObject):
    """One download at a time. Its failures are values to show in place; they end nothing else that runs."""

    changed = Signal()
    described = Signal(object)
    """The :class:`arplay.models.cards.Card` of what was asked for."""
    fetched = Signal(str)
    failed = Signal(str, str)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._kinds: dict[int, Literal["describe", "fetch"]] = {}  # of the requests that have no final answer yet
        self.asked = ""
        """What is being described, or was last."""
        self.spec = ""
        """What is being downloaded, or was last."""
        self.progress: Progress | None = None
        self.problem: tuple[str, str] | None = None

    @property
    def describing(self) -> bool:
        return "describe" in self._kinds.values()

    @property
    def busy(self) -> bool:
        return "fetch" in self._kinds.values()

    def describe(self, name: str) -> None:
        """Ask for sizes and licence of ``org/name[@revision]``; ``described`` or ``failed`` follows."""
        self.asked, self.problem = name, None
        self._kinds = {number: kind for number, kind in self._kinds.items() if kind == "fetch"}
        self._kinds[self._bridge.describe(name)] = "describe"
        self.changed.emit()

    def get(self, spec: str) -> None:
        """Download a model; ``fetched`` or ``failed`` follows, or nothing where it is cancelled."""
        if self.busy:
            self.failed.emit(f"{self.spec} is being downloaded", "wait for it, or cancel it first")
            return
        self.spec, self.problem, self.progress = spec, None, None
        self._kinds[self._bridge.fetch(spec)] = "fetch"
        self.changed.emit()

    def cancel(self) -> None:
        """End what runs; what has come so far is kept for the next time."""
        for number in self._kinds:
            self._bridge.cancel(number)

    def forget_problem(self) -> None:
        self.problem = None

    def hear(self, result: Result) -> bool:
        """Whether ``result`` answers a request of this object; it is then dealt with."""
        kind = self._kinds.get(result.number)
        if kind is None:
            return False
        if isinstance(result, Progress):
            if kind == "fetch":
                self.progress = result
                self.changed.emit()
            return True
        del self._kinds[result.number]
        if kind == "fetch":
            self.progress = None
        match result:
            case Described(listing=listing):
                self.described.emit(listing)
            case Fetched(name=name):
                self.fetched.emit(name)
            case Failed():
                self.problem = (result.cause, result.remedy)
                self.failed.emit(result.cause, result.remedy)
            case Cancelled():
                pass
        self.changed.emit()
        return True
