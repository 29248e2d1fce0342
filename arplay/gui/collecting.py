"""Cyclic garbage is collected in the window's thread alone.

Python collects in whichever thread happens to allocate. A widget or a QObject in a cycle would then be destroyed by the
worker, behind Qt's back, and the program crashes. So automatic collection is off while a worker runs, and a timer does
what it would have done.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

from arplay.models import devices

INTERVAL_MS = 500


class Collector:
    """From its making to its end or that of ``parent``; several at once share the work. Of the window's thread."""

    _running = 0

    def __init__(self, parent: QObject) -> None:
        self._timer = QTimer(parent)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()
        self._ended = False
        gc.disable()
        Collector._running += 1

    def end(self) -> None:
        self._timer.stop()
        self.parent_ended()

    def parent_ended(self) -> None:
        """The timer is gone. Python collects by itself again, if this was the last; a second time nothing happens."""
        if not self._ended:
            self._ended = True
            Collector._running -= 1
            if not Collector._running:
                gc.enable()

    def loaded(self, left_over: bool) -> None:
        """A model came with its libraries: leave what is alive out of later collections.

        Each full one would walk the libraries' half a million objects while the window stands still. They are walked
        once where a former model is ``left_over``: it may be part of a cycle that was alive then.
        """
        if left_over:
            gc.unfreeze()
            gc.collect()
            devices.release()
        else:
            gc.collect(1)
        gc.freeze()

    def _collect(self) -> None:
        """The oldest generation that is due, as Python itself chooses."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return
