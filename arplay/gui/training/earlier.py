"""The runs of before, each with what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from arplay.engine.trainer import TrainingState
from arplay.gui.theme import LIGHT, SPACE, Theme, icon
from arplay.gui.training import facts
from arplay.gui.training.run import is_live
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.layouts import FREE, in_column, in_row
from arplay.gui.widgets.scrolling import Scrolling

_NONE = "None yet. A run that you start is listed here: resume it, open its model, or look at its curve and snapshots."


class EarlierRuns(QFrame):
    """Each signal gives the folder of the run that is meant."""

    show_it = Signal(object)
    resume = Signal(object)
    open = Signal(object)
    forget = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._theme: Theme = LIGHT
        self.cards: list[RunCard] = []
        title = Label("Earlier runs", self, role="heading")
        self.none = Label(_NONE, self, role="caption", wrap=True)
        inside = QWidget()
        self._column = in_column(FREE, on=inside, margins=(0, 0, SPACE[1], 0), spacing=SPACE[2])
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[3], SPACE[3], SPACE[1], SPACE[3])
        column.setSpacing(SPACE[2])
        column.addWidget(title)
        column.addWidget(self.none)
        column.addWidget(Scrolling(inside), 1)

    def show_runs(self, states: Sequence[TrainingState]) -> None:
        for card in self.cards:
            card.setParent(None)
            card.deleteLater()
        self.cards = []
        going = next((state.folder.name for state in states if is_live(state)), "")
        for state in states:
            card = RunCard(state, going, self)
            card.set_theme(self._theme)
            self._column.insertWidget(len(self.cards), card)
            self.cards.append(card)
        self.none.setVisible(not states)

    def show_run(self, state: TrainingState) -> None:
        """The run that is going, as it stands now; the others do not change."""
        for card in self.cards:
            if card.folder == state.folder:
                card.show_run(state)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for card in self.cards:
            card.set_theme(theme)


class RunCard(QFrame):
    """``going``: the name of the run that is going. One is looked at at a time, so the others wait for its end."""

    def __init__(self, state: TrainingState, going: str, runs: EarlierRuns) -> None:
        super().__init__(runs)
        self.setProperty("role", "card")
        self._state, self._runs = state, runs
        name = Label(state.folder.name, self, role="heading")
        name.setToolTip(plain(str(state.folder)))
        self.said = Label(parent=self, role="caption", wrap=True)
        self.away = QToolButton(self)
        self.away.setProperty("role", "quiet")
        self.away.setIconSize(QSize(12, 12))
        self.away.setToolTip("Take it off this list; its folder stays")
        self.away.setAccessibleName(f"Take {state.folder.name} off the list")
        self.away.setVisible(not is_live(state))
        self.away.clicked.connect(self._on_away)
        first = in_row((name, 1), self.away)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE[1])
        self.resume, self.show_it, self.open = QPushButton("Resume"), QPushButton("Show"), QPushButton("Open")
        for button, tip, slot in (
            (self.resume, "Go on from the last checkpoint", self._on_resume),
            (self.show_it, "Curve, snapshots and batch of this run", self._on_show),
            (self.open, "Load its model in the playground", self._on_open),
        ):
            button.setAutoDefault(False)
            button.setToolTip(tip)
            button.clicked.connect(slot)
            buttons.addWidget(button)
        if is_live(state):
            self.show_it.setText("Go to it")
        elif going:
            for button in (self.resume, self.show_it):
                button.setEnabled(False)
                button.setToolTip(plain(f"{going} is still being trained: pause or cancel it first"))
        for button in (self.resume, self.show_it, self.open):
            button.setAccessibleName(f"{button.text()}: {state.folder.name}")
        buttons.addStretch(1)
        column = in_column(
            first, self.said, on=self, margins=(SPACE[2], SPACE[1], SPACE[1], SPACE[2]), spacing=SPACE[0]
        )
        column.addSpacing(SPACE[0])
        column.addLayout(buttons)
        self.show_run(state)

    def show_run(self, state: TrainingState) -> None:
        self._state = state
        self.said.setText(facts.summary(state))
        self.resume.setVisible(state.resumable)
        self.open.setVisible((state.folder / "config.json").is_file())

    @property
    def folder(self) -> Path:
        return self._state.folder

    def set_theme(self, theme: Theme) -> None:
        self.away.setIcon(icon("x", theme, "muted"))

    def _on_show(self) -> None:
        self._runs.show_it.emit(self.folder)

    def _on_resume(self) -> None:
        self._runs.resume.emit(self.folder)

    def _on_open(self) -> None:
        self._runs.open.emit(self.folder)

    def _on_away(self) -> None:
        self._runs.forget.emit(self.folder)
