"""The line below a heatmap's figures: how its text was read, how far that is, and the buttons that hold it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from arplay.core.format import rough
from arplay.gui.intents import Do
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, plain
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.push_button import offer, push_button, quiet_button

LONG_SECONDS, LATE_MS = 2.0, 700
"""A scoring can be held that takes longer by what is known of it, or goes on for so long by now."""
READING = "How this text is read: its context, the stride of its windows, and what stands before it"
GO_ON = "Go on scoring: nothing that is scored is read again"
HOLD = "Pause the scoring: what is scored stays"


class ScoringRow(QWidget):
    """``asked`` emits intents. The buttons keep their places, so that the line does not jump while a text is scored."""

    asked = Signal(object)
    late = Signal()
    """The buttons came without a new View."""

    def __init__(self) -> None:
        super().__init__()
        self._view, self._waited = View(), False
        self._late = QTimer(self, singleShot=True, interval=LATE_MS)
        self._late.timeout.connect(self._on_late)
        self.caption = Caption(lines=2)
        self.hold = quiet_button(HOLD, self._hold)
        self.end = quiet_button("Cancel the scoring", lambda: self.asked.emit(Do("cancel_scoring")))
        self.reading = push_button("Reading…", READING, self._read, role="chip", name="Reading settings")
        self._goes_on = False
        self._theme: Theme | None = None
        in_row((self.caption, 1), self.hold, self.end, self.reading, on=self, spacing=SPACE[0])
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hold.hide()
        self.end.hide()

    def show_view(self, view: View, words: str) -> None:
        """``words``: how the text was read; before them stands how far that is."""
        self.caption.show_text("  ·  ".join(part for part in (progress(view), words) if part))
        before, self._view = self._view, view
        offer(self.reading, view.no_model if view.run is not None else "")  # else it is for the first model
        if not view.scoring or view.playing or view.document is not before.document:
            self._late.stop()
            self._waited = False
        if view.scoring and not view.playing and not self._waited and not self._late.isActive():
            self._late.start()
        self._show_buttons()

    @property
    def holds(self) -> bool:
        """Whether what is scored now can be paused and cancelled."""
        view = self._view
        grows = view.ledger is not None and not view.ledger.complete and not view.scores_are_old
        long = grows and (self.hold.isVisibleTo(self) or (view.effort.left or 0.0) >= LONG_SECONDS)
        return view.scoring and (long or self._waited)

    def _on_late(self) -> None:
        self._waited = True
        self._show_buttons()
        self.late.emit()

    def _show_buttons(self) -> None:
        view, holds = self._view, self.holds
        self.hold.setVisible(bool(view.halted) or holds)
        self.end.setVisible(view.halted == "paused" or holds)
        if self._goes_on != bool(view.halted):
            self._goes_on = bool(view.halted)
            self._show_icons()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._show_icons()

    def _show_icons(self) -> None:
        if self._theme is not None:
            self.hold.setIcon(icon("play" if self._goes_on else "pause", self._theme))
            self.end.setIcon(icon("x-circle", self._theme))
        words = GO_ON if self._goes_on else HOLD
        self.hold.setToolTip(plain(words))
        self.hold.setAccessibleName("Resume scoring" if self._goes_on else "Pause scoring")

    def _hold(self) -> None:
        self.asked.emit(Do("resume_scoring" if self._goes_on else "pause_scoring"))

    def _read(self) -> None:
        self.asked.emit(Do("reading"))


def progress(view: View) -> str:
    """How far the scores in sight are; "" where they are whole."""
    ledger = view.ledger
    if ledger is None or ledger.complete or (view.halted and view.scores_are_old):
        return view.halted or "scoring…" * (view.scoring and not (ledger is not None and len(ledger)))
    done = f"{ledger.done:,} of {ledger.how_many}"
    if view.halted:
        return f"{view.halted}: of the first {done} tokens"
    left = view.effort.left
    return done if left is None else f"{done}, {rough(max(1.0, left))} left"
