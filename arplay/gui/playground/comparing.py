"""What the KV cache buys, measured: every live answer is kept, and repeated without a cache while the user pauses."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer

from arplay.core.modalities.base import Place
from arplay.core.timings import Timing, added, forecast, missing, of_answer
from arplay.engine.explore import Explored
from arplay.engine.load import Loaded
from arplay.engine.messages import Failed, Result
from arplay.engine.recompute import Recompute, Recomputed
from arplay.gui.bridge import Bridge
from arplay.gui.playground.state import State
from arplay.gui.view import View

PAUSE_MS = 300
LONGEST_SECONDS = 2.0
"""A pass without the cache cannot be interrupted: one that may take longer is run only when asked for."""


class Comparing(QObject):
    """Keeps ``timings`` of the playground's view. Measures by itself only while somebody watches, and never in Play."""

    def __init__(self, play: State, bridge: Bridge) -> None:
        super().__init__(play)
        self._play, self._bridge = play, bridge
        self._asked: int | None = None
        self._watched = False
        self._failed = False  # not tried again until it is asked for
        self._tried: set[int] = set()  # lengths measured since the last answer
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._quietly)
        play.changed.connect(self._on_view)

    def watch(self, watched: bool) -> None:
        self._watched = watched
        if watched:
            self._soon()
        else:
            self.stop()

    def stop(self) -> None:
        """Measure nothing more now; a forward under way comes to its end."""
        self._timer.stop()
        if self._asked is not None:
            self._bridge.cancel(self._asked)

    def clear(self) -> None:
        self._tried.clear()
        self._play.show(timings=())
        self._soon()

    def now(self) -> None:
        """Measure at the caret without the cache, however long it takes."""
        self._failed = False
        view = self._play.view
        if view.answer is None or view.stale or self._play.looking or not view.answer.position.context:
            self._play.reported.emit("there is no answer to compare with yet", "type something and wait for the chart")
        elif view.answer.distribution is None:
            self._play.reported.emit("nothing comes next here, so no step is to be measured", "rewind, or go back")
        else:
            self._ask(view, view.document.at(view.caret, view.answer.prefix.index))

    def note(self, result: Result) -> None:
        """Take note of what the worker says to the playground."""
        match result:
            case Loaded():
                self._asked, self._failed = None, False
                self._tried.clear()
                self._play.show(timings=(), recomputing=False)
            case Explored(answer=answer):
                self._tried.clear()
                self._keep(of_answer(answer))
                self._soon()

    def _on_recomputed(self, result: Result) -> None:
        self._asked = None
        if isinstance(result, Recomputed):
            context, seconds = result.context, result.seconds
            self._keep(Timing("uncached", context, context, seconds, 0, result.largest_difference))
        self._play.show(recomputing=False)
        if isinstance(result, Failed):
            self._failed = True
            self._play.reported.emit(result.cause, result.remedy)
        else:
            self._soon()

    def _keep(self, timing: Timing | None) -> None:
        if timing is not None:
            self._play.show(timings=added(self._play.view.timings, timing))

    def _soon(self) -> None:
        if self._watched:
            self._timer.start()

    def _on_view(self, view: View) -> None:
        if view.stale and self._asked is not None:
            self.stop()  # the user goes on

    def _quietly(self) -> None:
        """After a pause: the place that was just answered, then shorter contexts; those too long wait.

        A shorter one also teaches whether a longer one may be run.
        """
        view = self._play.view
        answer, loaded = view.answer, view.loaded
        idle = not (self._failed or view.stale or view.playing or self._play.looking) and self._asked is None
        if not idle or answer is None or loaded is None or not loaded.can.keeps:
            return
        context = answer.position.context
        shorter = () if answer.position.start else missing(view.timings, context)
        for length in (context, *shorter):
            expected = forecast(view.timings, length)
            index = length - len(answer.lead)
            if length in self._tried or not length or expected is None or expected > LONGEST_SECONDS:
                continue
            self._tried.add(length)
            if length == context and answer.distribution is not None:
                self._ask(view, view.document.at(view.caret, answer.prefix.index))
                return
            if 0 < index < len(answer.encoded):
                self._ask(view, view.document.at(min(view.caret, answer.encoded.span(index)[0]), index))
                return

    def _ask(self, view: View, place: Place) -> None:
        asked = partial(Recompute, document=view.document, place=place, reading=view.settings.reading)
        self._asked = self._bridge.ask(asked, self._on_recomputed)
        self._play.show(recomputing=True)
