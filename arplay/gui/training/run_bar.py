"""The head of a run: what is being done, how far it is, how good it is, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QProgressBar, QToolButton, QVBoxLayout, QWidget

from arplay.engine.trainer import TrainingState
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.training import facts
from arplay.gui.training.losses import LossUnit
from arplay.gui.training.run import is_live
from arplay.gui.widgets.caption import Caption, Label, plain, set_role
from arplay.gui.widgets.figure_row import FigureRow
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.push_button import push_button


class RunBar(QFrame):
    """Each signal is a wish; the bar shows what came of it with the next state."""

    back = Signal()
    pause = Signal()
    resume = Signal()
    cancel = Signal()
    open = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.state: TrainingState | None = None
        self.go_back = QToolButton(self)
        self.go_back.setProperty("role", "quiet")
        self.go_back.setIconSize(QSize(18, 18))
        self.go_back.setToolTip("All runs, and a new one; this run goes on")
        self.go_back.setAccessibleName("All runs, and a new one")
        self.go_back.clicked.connect(self.back)
        self.name = Label(parent=self, role="title")
        self.status = Caption()
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the run")
        self.figures = FigureRow()
        self.facts = Caption()
        self.open_it = push_button("Open in the playground", "", self.open)
        self.main = push_button("Pause", "", self._on_main)
        self.stop = push_button("Cancel…", "Stop at once, without a checkpoint", self.cancel)
        self._lay_out()

    def _lay_out(self) -> None:
        first = in_row(self.go_back, self.name, (self.status, 1), self.open_it, self.stop, self.main, spacing=SPACE[1])
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[2], SPACE[2], SPACE[2], SPACE[1])
        column.setSpacing(SPACE[1])
        column.addLayout(first)
        column.addWidget(self.bar)
        column.addWidget(self.figures)
        column.addWidget(self.facts)

    def show_run(self, state: TrainingState, unit: LossUnit) -> None:
        self.state = state
        name = self.fontMetrics().elidedText(state.folder.name, Qt.TextElideMode.ElideMiddle, 170)
        self.name.setText(name)
        self.name.setToolTip(plain(str(state.folder)))
        self.status.show_text(facts.status(state))
        share, live = facts.share(state), is_live(state)
        self.bar.setRange(0, 0 if share is None and live else 1000)
        if share is not None or not live:
            self.bar.setValue(round(1000 * (share or 0.0)))
        self.figures.show_figures(facts.figures(state, unit))
        self.figures.setVisible(live or bool(state.reports))  # their place is kept until the first report
        self.facts.show_text(" · ".join(state.facts))
        self.facts.setVisible(live or bool(state.facts))
        self._show_buttons(state, live)

    def _show_buttons(self, state: TrainingState, live: bool) -> None:
        there = (state.folder / "config.json").is_file()
        self.open_it.setEnabled(there)
        self.open_it.setToolTip(_open_tip(there, live))
        self.stop.setVisible(live)
        if self.main.hasFocus() and not (live or state.resumable):
            (self.open_it if there else self.go_back).setFocus()  # else it falls on whatever comes next
        self.main.setVisible(live or state.resumable)
        self.main.setText("Pausing…" if state.status == "pausing" else "Pause" if live else "Resume")
        self.main.setToolTip(
            "Write a checkpoint and stop; nothing is lost" if live else "Go on from the last checkpoint"
        )
        set_role(self.main, "" if live else "primary")
        set_role(self.open_it, "primary" if state.status == "done" else "")

    def set_theme(self, theme: Theme) -> None:
        self.go_back.setIcon(icon("arrow-left", theme))
        self.figures.theme = theme
        self.figures.update()

    def _on_main(self) -> None:
        """While it is pausing, nothing: disabled, the button would hand the keyboard on to Cancel."""
        if not is_live(self.state):
            self.resume.emit()
        elif self.state is not None and self.state.status != "pausing":
            self.pause.emit()


def _open_tip(there: bool, live: bool) -> str:
    if not there:
        return "The folder holds a model as soon as the first snapshot is taken"
    return "Load the model as its newest snapshot has it" if live else "Load the model"
