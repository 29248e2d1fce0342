"""What the views of training ask the worker, and the answers: none of them concerns the rest of the window."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from arplay.core.reading import Reading
from arplay.engine.one_batch import OneBatch
from arplay.engine.replay import Replay
from arplay.gui.bridge import Bridge


class SnapshotJobs(QObject):
    """``replayed`` emits every answer to the newest Replay, ``batch_losses`` that to the newest OneBatch, also
    failures."""

    replayed = Signal(object)
    batch_losses = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge

    def replay(self, folder: str, text: str, index: int | None, after: int) -> None:
        asked = partial(Replay, folder=folder, text=text, index=index, after=after)
        self._bridge.ask(asked, self.replayed.emit)

    def one_batch(self, text: str, reading: Reading) -> None:
        self._bridge.ask(partial(OneBatch, text=text, reading=reading), self.batch_losses.emit)
