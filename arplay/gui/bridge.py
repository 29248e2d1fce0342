"""Where the worker thread meets Qt, and the one place that decides which results are stale."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from arplay.core.document import Document
from arplay.core.reading import Reading
from arplay.engine import state
from arplay.engine.messages import (
    Describe,
    Device,
    Dtype,
    Explore,
    Fetch,
    Lesson,
    Load,
    Loaded,
    Recompute,
    Reconcile,
    Replay,
    Request,
    Result,
    Score,
    is_last,
)
from arplay.engine.worker import NEEDS_MODEL, Worker
from arplay.gui.collecting import Collector


class Bridge(QObject):
    """Numbers requests, gives them to its worker, and emits ``result`` in the thread that made this object.

    A result is stale, and dropped, when a newer request of its lane was made, or when a model has been loaded that
    was asked for later. Two kinds are never stale: what a fetch says (fetches do not replace each other), and Loaded:
    it tells which model the worker now has, on which the answers that follow depend, even while another load runs.
    Each answer of the former model comes before Loaded.
    """

    result = Signal(object)
    """A :data:`arplay.engine.messages.Result`."""

    _arrived = Signal(object)

    def __init__(
        self, parent: QObject | None = None, load: state.Loader | None = None, fetch: state.Fetcher | None = None
    ) -> None:
        super().__init__(parent)
        self._numbers = itertools.count(1)
        self._lane: dict[int, type[Request]] = {}  # of the requests that have no final result yet
        self._newest: dict[type[Request], int] = {}
        self._model = 0  # the request that loaded the current model
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        collector = self._collector = Collector(self)
        worker = self._worker = Worker(self._arrived.emit, load, fetch)
        # same thread; once they ran the worker emits no more, so a deleted bridge is never used
        self.destroyed.connect(lambda: worker.close(0))
        self.destroyed.connect(lambda: collector.parent_ended())

    def load(self, spec: str, device: Device = "auto", dtype: Dtype = "auto") -> int:
        return self.submit(lambda number: Load(number, spec, device, dtype))

    def explore(self, document: Document, caret: int, reading: Reading, index: int | None = None) -> int:
        return self.submit(lambda number: Explore(number, document, caret, reading, index))

    def score(self, document: Document, reading: Reading) -> int:
        return self.submit(lambda number: Score(number, document, reading))

    def reconcile(self, document: Document, reading: Reading) -> int:
        return self.submit(lambda number: Reconcile(number, document, reading))

    def recompute(self, document: Document, caret: int, reading: Reading, index: int | None = None) -> int:
        return self.submit(lambda number: Recompute(number, document, caret, reading, index))

    def fetch(self, name: str) -> int:
        return self.submit(lambda number: Fetch(number, name))

    def describe(self, name: str) -> int:
        return self.submit(lambda number: Describe(number, name))

    def replay(self, folder: str, text: str, place: int | None = None, after: int = -1) -> int:
        return self.submit(lambda number: Replay(number, folder, text, place, after))

    def lesson(self, text: str, reading: Reading) -> int:
        return self.submit(lambda number: Lesson(number, text, reading))

    def submit(self, make: Callable[[int], Request]) -> int:
        """Number a request, give it to the worker and return its number; RuntimeError after :meth:`close`."""
        request = make(next(self._numbers))
        self._lane[request.number] = type(request)
        self._newest[type(request)] = request.number
        self._worker.submit(request)
        return request.number

    def cancel(self, number: int | None = None) -> None:
        """Cancel one request, or all of them."""
        self._worker.cancel(number)

    def close(self, timeout: float = 5.0) -> bool:
        """Cancel everything and wait for the worker; nothing is emitted any more. False: the thread is stuck."""
        self._closed = True
        closed = self._worker.close(timeout)
        if closed:
            self._collector.end()
        return closed

    @Slot(object)
    def _deliver(self, result: Result) -> None:
        if self._closed:
            return
        stale = self._stale(result)
        if is_last(result):
            self._lane.pop(result.number, None)
        if isinstance(result, Loaded):
            self._model = result.number
            self._collector.whole()  # the former model may be part of a cycle
        if not stale:
            self.result.emit(result)

    def _stale(self, result: Result) -> bool:
        lane = self._lane[result.number]
        if lane is Fetch or isinstance(result, Loaded):
            return False
        return result.number < self._newest[lane] or (lane in NEEDS_MODEL and result.number < self._model)
