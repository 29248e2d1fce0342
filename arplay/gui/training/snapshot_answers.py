"""What the snapshots said about the prompt so far, and what is still asked: no widgets, no waiting."""

from __future__ import annotations

from collections.abc import Iterable

from arplay.engine.replay import Replayed
from arplay.gui.training.asks import AskReplay
from arplay.gui.training.snapshots import Snapshot


class SnapshotAnswers:
    """``shown``: a snapshot for each step, all about one text and index. ``asked``: the question that is under way.

    The answers to another text or index are kept aside until all have come, so that the slider never runs over two
    texts at once; with nothing to show yet, and for snapshots that a live run has added, they are shown as they come.
    """

    def __init__(self) -> None:
        self.shown: dict[int, Snapshot] = {}
        self.asked: AskReplay | None = None
        self._aside: dict[int, Snapshot] | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """Those that can be shown, oldest first."""
        return tuple(sorted(self.shown))

    @property
    def newest(self) -> Snapshot:
        return self.shown[max(self.shown)]

    @property
    def stale(self) -> bool:
        """Whether what is shown answers an earlier question."""
        return self._aside is not None

    @property
    def answered(self) -> int:
        """How many snapshots have answered the question that is under way, or the last one."""
        return len(self.shown if self._aside is None else self._aside)

    def ask(self, ask: AskReplay) -> None:
        self.asked = ask
        self._aside = {} if ask.after < 0 and self.shown else None

    def take(self, answer: Replayed) -> None:
        """An answer; one that nobody asked for is of another run, and dropped."""
        if self.asked is not None:
            into = self.shown if self._aside is None else self._aside
            into[answer.step] = Snapshot(answer)

    def end(self) -> None:
        """All answers have come."""
        if self._aside is not None:
            self.shown, self._aside = self._aside, None
        self.asked = None

    def give_up(self) -> None:
        """The question failed. What is shown goes where it answers an earlier one."""
        if self._aside is not None:
            self.shown = {}
        self._aside = self.asked = None

    def keep(self, steps: Iterable[int]) -> None:
        """Forget snapshots that the run no longer has (it was resumed from before them)."""
        known = set(steps)
        self.shown = {step: snapshot for step, snapshot in self.shown.items() if step in known}
