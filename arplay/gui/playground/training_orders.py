"""Two small networks, trained in two orders of the document's tokens: asked for, told, ended."""

from __future__ import annotations

from functools import partial

from arplay.engine.messages import Failed, Progress, Result
from arplay.engine.two_orders import OrdersTrained, TrainOrders
from arplay.gui.bridge import Bridge
from arplay.gui.contract import Train
from arplay.gui.playground.state import State


class TrainingOrders:
    """One training at a time; what came of the last one stays in sight."""

    def __init__(self, play: State, bridge: Bridge) -> None:
        self._play, self._bridge = play, bridge
        self._asked: int | None = None

    def begin(self, intent: Train) -> None:
        self.stop()
        view = self._play.view
        if view.loaded is None:
            self._play.reported.emit("no model is loaded", "choose a model first")
            return
        ask = partial(
            TrainOrders, document=self._play.scored_document, names=intent.names, reading=view.settings.reading,
            seed=view.settings.seed,
        )  # fmt: skip
        self._asked = self._bridge.ask(ask, self._on_result)
        self._play.show(training=("starting to train", 0.0))

    def stop(self) -> None:
        if self._asked is not None:
            self._bridge.forget(self._asked)
            self._asked = None
            self._play.show(training=None)

    def _on_result(self, result: Result) -> None:
        with self._play.at_once():
            match result:
                case Progress(what=what, fraction=fraction):
                    self._play.show(training=(what, fraction or 0.0))
                case OrdersTrained():
                    self._play.show(trained=result)
                case Failed(cause=cause, remedy=remedy):
                    self._play.reported.emit(cause, remedy)
            if result.is_last:
                self._asked = None
                self._play.show(training=None)
