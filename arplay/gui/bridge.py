"""Where the worker thread meets Qt, and the one place that decides which results are stale."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from arplay.engine import state
from arplay.engine.job import Fetcher
from arplay.engine.load import Loaded, Unloaded
from arplay.engine.messages import Lane, Progress, Question, Request, Result
from arplay.engine.state import left_over
from arplay.engine.table import JOBS
from arplay.engine.worker import Worker
from arplay.gui.collecting import Collector

OnResult = Callable[[Result], None]


class Bridge(QObject):
    """Numbers requests, gives them to its worker, and tells results in the thread that made this object.

    A result is stale, and dropped, when a newer request of its lane was made, or when a model has been loaded into its
    slot that was asked for later, or unloaded. Two kinds are never stale: what a job says whose requests do not replace
    each other, and Loaded and Unloaded: they tell which model the slot now has, on which the answers that follow
    depend, even while another load runs. Each answer of the former model comes before Loaded.
    """

    result = Signal(object)
    """A :class:`arplay.engine.messages.Result` that nobody waits for."""

    _arrived = Signal(object)

    def __init__(
        self, parent: QObject | None = None, load: state.Loader | None = None, fetch: Fetcher | None = None
    ) -> None:
        super().__init__(parent)
        self._numbers = itertools.count(1)
        self._lane: dict[int, Lane] = {}  # of the requests that have no final result yet
        self._newest: dict[Lane, int] = {}
        self._waiting: dict[int, OnResult] = {}
        self._model: dict[int, int] = {}  # the request that loaded, or unloaded, the model of a slot last
        self._forgotten: set[int] = set()
        self._halted: set[int] = set()
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        collector = self._collector = Collector(self)
        worker = self._worker = Worker(self._arrived.emit, load, fetch)
        # same thread; once they ran the worker emits no more, so a deleted bridge is never used
        self.destroyed.connect(lambda: worker.close(0))
        self.destroyed.connect(lambda: collector.parent_ended())

    def ask(self, make: Callable[[int], Request], on_result: OnResult | None = None) -> int:
        """Number a request, give it to the worker and return its number; RuntimeError after :meth:`close`.

        What is said of it goes to ``on_result``, or where there is none to ``result``.
        """
        request = make(next(self._numbers))
        self._lane[request.number] = request.lane
        self._newest[request.lane] = request.number
        if on_result is not None:
            self._waiting[request.number] = on_result
        self._worker.submit(request)
        return request.number

    def cancel(self, number: int | None = None) -> None:
        """Cancel one request, or all of them."""
        self._worker.cancel(number)

    def waits_for(self, kind: type[Request]) -> bool:
        """Whether a request of that kind to the window's own model has no last result yet."""
        return Lane(kind, 0) in self._lane.values()

    def forget(self, number: int) -> None:
        """Cancel a request and tell nothing more of it, not even what is on its way."""
        if number in self._lane:
            self._forgotten.add(number)
            self._worker.cancel(number)

    def halt(self, number: int) -> None:
        """Cancel one request: how it ended is told, but nothing of its progress that is still on its way."""
        if number in self._lane:
            self._halted.add(number)
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
        stale = result.number in self._forgotten or self._stale(result)
        stale |= isinstance(result, Progress) and result.number in self._halted
        on_result = self._waiting.get(result.number)
        if isinstance(result, Loaded | Unloaded):
            self._model[self._lane[result.number].slot] = result.number
            self._collector.loaded(left_over())
        if result.is_last:
            self._lane.pop(result.number, None)
            self._forgotten.discard(result.number)
            self._halted.discard(result.number)
            self._waiting.pop(result.number, None)
        if stale:
            return
        if on_result is not None:
            on_result(result)
        else:
            self.result.emit(result)

    def _stale(self, result: Result) -> bool:
        lane = self._lane[result.number]
        if JOBS[lane.kind].already or isinstance(result, Loaded | Unloaded):
            return False
        of_former = issubclass(lane.kind, Question) and result.number < self._model.get(lane.slot, 0)
        return of_former or result.number < self._newest[lane]
