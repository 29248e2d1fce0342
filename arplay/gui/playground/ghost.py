"""Ghost text: how greedy decoding would go on behind the end of the text. It is no part of the document."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.modalities.base import TokenSet
from arplay.core.stepping import goes_on
from arplay.core.tree import Step
from arplay.engine.messages import Failed, Result
from arplay.engine.rollouts import Roll, Rolled
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Continue
from arplay.gui.playground.recording import Recording
from arplay.gui.playground.state import State
from arplay.gui.playground.trying import Trying
from arplay.gui.view import View

PAUSE_MS = 300
TOKENS = 12
ON_SERVER = "No ghost text: this model is on a server, which would be asked anew for each of its tokens"
NOTHING = "No ghost text here: greedy decoding writes nothing more"
ELSEWHERE = "Ghost text comes with the caret at the end of the text: elsewhere the text itself stands behind it"


class Ghost(QObject):
    """Asks after a pause, and forgets with any change, except one that writes what the ghost says."""

    def __init__(self, play: State, bridge: Bridge, recording: Recording, trying: Trying) -> None:
        super().__init__(play)
        self._play, self._bridge, self._trying = play, bridge, trying
        self._asked: int | None = None
        self._steps: tuple[Step, ...] = ()
        self._of: View | None = None
        self._hidden = False  # there is none behind this text: Esc, or nothing comes
        self._awaited = False  # its first word is to be written as soon as it comes
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._ask)
        recording.changed.connect(self._on_document)
        play.changed.connect(self._on_view)

    def stop(self) -> None:
        self._timer.stop()
        self._awaited = False
        if self._asked is not None:
            self._bridge.forget(self._asked)
            self._asked = None

    def hide(self) -> None:
        """Until the text changes."""
        self.stop()
        self._hidden = True
        self._show(())

    def accept(self) -> None:
        """Write its first word, as greedy decoding would have; one that is on its way is waited for."""
        if not self._steps and self._hidden:
            self._play.refused.emit(NOTHING)
        elif not self._steps and self._wanted(self._play.view):
            self._awaited = True
            if self._asked is None:
                self._timer.start(0)
        if not self._steps or self._play.view.loaded is None:
            return
        count = first_word(self._steps, self._play.view.loaded.vocabulary)
        word = self._steps[:count]
        self.stop()
        self._trying.write(Continue(tuple(step.id for step in word), word))

    def _on_document(self) -> None:
        """Another document: it is told in the same View as the ghost that is left."""
        view, written = self._play.view, self._written(self._play.view)
        self.stop()
        self._of, self._hidden = view, False
        self._show(self._steps[len(written) :] if written else ())
        self._wait(view)

    def _on_view(self, view: View) -> None:
        if self._of is None or not _alike(self._of, view):
            self.stop()
            former, self._of, self._hidden = self._of, view, False
            if former is not None and view.settings.ghost and not view.playing:
                self._tell_why_not(former, view)
            if self._steps:
                QTimer.singleShot(0, self, partial(self._show, ()))  # behind this View
        self._wait(view)

    def _wait(self, view: View) -> None:
        there = self._steps or self._hidden or self._asked is not None or self._timer.isActive()
        if self._wanted(view) and not there:
            self._timer.start(PAUSE_MS)

    @staticmethod
    def _wanted(view: View) -> bool:
        return view.settings.ghost and view.loaded is not None and len(view.document) > 0 and not _why_not(view)

    def _tell_why_not(self, former: View, view: View) -> None:
        """Once it is switched on, or another model is there."""
        if not former.settings.ghost or former.info is not view.info:
            why = _why_not(view)
            if why and (not former.settings.ghost or why == ON_SERVER):
                self._play.refused.emit(why)

    def _written(self, view: View) -> tuple[int, ...]:
        """The ids by which the text became longer, where they are those of the ghost; () where it did not."""
        node, ids = view.node, list[int]()
        while node is not None and self._of is not None and node is not self._of.node:
            if node.step is None or len(ids) >= len(self._steps):
                return ()
            ids.insert(0, node.step.id)
            node = node.parent
        same = node is not None and tuple(ids) == tuple(step.id for step in self._steps[: len(ids)])
        return tuple(ids) if same and view.caret == len(view.document) else ()

    def _ask(self) -> None:
        view = self._play.view
        if view.stale or view.playing or view.trying or view.busy:
            self._timer.start(PAUSE_MS)
        elif view.answer is not None and view.problem is None and not _why_not(view):
            if view.loaded is None or self._play.looking:
                self._hidden = True
                return
            asked = partial(
                Roll,
                document=view.document,
                place=view.document.at(view.caret),
                pipeline=Pipeline("greedy"),
                seeds=(view.settings.seed,),
                count=TOKENS,
                reading=view.settings.reading,
                stop_at=view.loaded.eos,
            )
            self._asked = self._bridge.ask(asked, self._on_result)

    def _on_result(self, result: Result) -> None:
        if isinstance(result, Rolled):
            self._show(result.rollouts[0].steps)
            if self._awaited and self._whole_word(result):
                self.accept()
                if not result.is_last:  # the rest was only begun: it comes anew, as a whole
                    self._show(())
                    self._wait(self._play.view)
                return
        elif isinstance(result, Failed):
            self._play.refused.emit(f"No ghost text: {result.cause}")
        if result.is_last:
            awaited, self._awaited = self._awaited, False
            self._asked, self._hidden = None, not self._steps
            if awaited and self._hidden:
                self._play.refused.emit(NOTHING)

    def _whole_word(self, result: Rolled) -> bool:
        """Whether no more tokens can come that would make its first word longer."""
        loaded, steps = self._play.view.loaded, self._steps
        return loaded is not None and (result.is_last or first_word(steps, loaded.vocabulary) < len(steps))

    def _show(self, steps: tuple[Step, ...]) -> None:
        self._steps = steps
        loaded, text = self._play.view.loaded, ""
        if loaded is not None:
            writer = self._play.document.writer()
            text = "".join(writer.write(step.id, loaded.vocabulary) for step in steps)
        if text != self._play.view.ghost:
            self._play.show(ghost=text)


def _why_not(view: View) -> str:
    """Why there is no ghost with this model, or at this place; empty where there may be one."""
    if view.loaded is not None and view.loaded.can.partial:
        return ON_SERVER
    return "" if view.caret == len(view.document) else ELSEWHERE


def _alike(former: View, view: View) -> bool:
    """Whether one ghost is that of both."""
    same = former.document is view.document and former.info is view.info
    settings, others = former.settings, view.settings
    return same and (settings.reading, settings.ghost) == (others.reading, others.ghost)


def first_word(steps: tuple[Step, ...], tokens: TokenSet) -> int:
    """How many of these tokens make up the first word; one that stands for itself is a word of its own."""
    word = ""
    for count, step in enumerate(steps):
        more = tokens.writes(step.id) or "\N{REPLACEMENT CHARACTER}"
        if tokens.is_special(step.id) or not goes_on(word, more):
            return max(1, count)
        word += more
    return len(steps)
