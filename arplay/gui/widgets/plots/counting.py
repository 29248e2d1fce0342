"""Counts a plot in the window's thread, a block of tokens at a time: a long text never keeps the window waiting."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from arplay.core.chain import Ledger
from arplay.core.profiles import BLOCK
from arplay.export.plots import How, Kind

PACE_MS = 500
"""While a text is being scored, its plot is drawn again no sooner."""


class Counting(QObject):
    """``told``: there is more to show. What a growing ledger has new is added to what was counted before."""

    told = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.kind: Kind | None = None
        self.how = How()
        self.ledger: Ledger | None = None
        self.tally: Any = None
        self.done = 0
        self._steps = QTimer(self, singleShot=True, interval=0)
        self._steps.timeout.connect(self._step)
        self._pace = QTimer(self, singleShot=True, interval=PACE_MS)
        self._pace.timeout.connect(self._tell_late)
        self._late = False

    @property
    def ready(self) -> bool:
        """Whether all that is done of the ledger is counted."""
        return self.ledger is not None and self.done == self.ledger.done

    def show(self, ledger: Ledger | None, kind: Kind, how: How) -> bool:
        """Count this; what is counted of it already stays. Whether it is begun anew, and takes a moment."""
        old = self.ledger
        grows = old is not None and ledger is not None and _grows(old, ledger) and ledger.done >= self.done
        anew = (kind, how) != (self.kind, self.how) or not grows
        if anew:
            self.tally, self.done = None if ledger is None else kind.begins(ledger, how), 0
            self._pace.stop()
        self.kind, self.how, self.ledger = kind, how, ledger
        self._step()
        return anew and ledger is not None and not self.ready

    def finish(self) -> None:
        """Count the rest now: it is to be exported."""
        while not self.ready and self.ledger is not None:
            self._add()

    def rest(self) -> None:
        """Nobody looks."""
        self._steps.stop()

    def go_on(self) -> None:
        """Somebody does again."""
        if self.ledger is not None and not self.ready:
            self._steps.start()

    def _add(self) -> None:
        assert self.ledger is not None
        stop = min(self.done + BLOCK, self.ledger.done)
        self.tally.add(self.ledger, self.done, stop)
        self.done = stop

    def _step(self) -> None:
        if self.ledger is not None and not self.ready:
            self._add()
        if self.ledger is not None and not self.ready:
            self._steps.start()
        elif self.ledger is None or self.ledger.complete or not self._pace.isActive():
            self._tell()
        else:
            self._late = True

    def _tell(self) -> None:
        self._late = False
        if self.ledger is not None and not self.ledger.complete:
            self._pace.start()
        self.told.emit()

    def _tell_late(self) -> None:
        if self._late and self.ready:
            self._tell()


def _grows(old: Ledger, new: Ledger) -> bool:
    """Whether ``new`` is a later ledger of the same scoring."""
    return new is old or (new.encoded is old.encoded and np.may_share_memory(new.logprob, old.logprob))
