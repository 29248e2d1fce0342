"""How it is drawn and how Play goes on: seed, tokens to write, speed, and where to stop."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QPushButton, QSpinBox, QWidget

from arplay.core.modalities.base import TokenSet
from arplay.core.picking import MAX_SEED
from arplay.core.watch import Watch
from arplay.engine.write import FASTEST
from arplay.gui.settings import Settings
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.decoding.rules import RuleRow
from arplay.gui.widgets.lengths import Lengths
from arplay.gui.widgets.push_button import push_button

SEED = "The same seed makes the same choices at the same places. A whole number from 0"
REROLL = "Take the next seed and draw the last sampled token again (Ctrl+R)"


class Run(QWidget):
    """``changed`` tells the name of a setting and its new value."""

    changed = Signal(str, object)
    paced = Signal(int, float)
    """Tokens to write, and how many a second."""
    told = Signal(str, str)
    """A problem with what was written: cause and remedy."""
    reroll_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = Settings()
        self.seed = QLineEdit(self)
        self.seed.setAccessibleName("Seed")
        self.seed.setMinimumWidth(72)
        self.seed.editingFinished.connect(self._on_seed)
        self.reroll = button("Re-roll", REROLL, self)
        self.reroll.clicked.connect(self.reroll_asked)
        self.steps = _number(100_000, "How many tokens Play writes", self)
        self.steps.valueChanged.connect(self._on_steps)
        self.speed = _number(round(FASTEST), "How many tokens a second Play writes at most", self)
        self.speed.setToolTip(f"{self.speed.toolTip()}; {FASTEST:.0f}+: as fast as it goes")
        self.speed.valueChanged.connect(self._on_speed)
        self.lengths = Lengths("As fast as it goes: press Play, or P.")
        self.lengths.setContentsMargins(0, SPACE[0], 0, SPACE[0])
        self.lengths.chosen.connect(self._on_length)
        self.stop = QCheckBox("Stop at end-of-text", self)
        self.stop.setToolTip("Play ends when the model draws its end-of-text token")
        self.stop.toggled.connect(self._on_stop)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[0])
        grid.setVerticalSpacing(SPACE[0])
        for row, column, words, widget in (
            (0, 0, "Seed", self.seed),
            (2, 0, "Tokens to write", self.steps),
            (2, 1, "Per second", self.speed),
        ):
            label = Label(words, role="caption")
            label.setBuddy(widget)
            grid.addWidget(label, row, column)
            grid.addWidget(widget, row + 1, column)
        grid.addWidget(self.reroll, 1, 1)
        grid.addWidget(self.lengths, 4, 0, 1, 2, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.stop, 4, 0, 1, 2)
        grid.setRowMinimumHeight(4, self.stop.sizeHint().height() + SPACE[0])
        self.rule = RuleRow(self)
        self.rule.changed.connect(self._on_rules)
        self.rule.told.connect(self.told)
        grid.addWidget(self.rule, 5, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key goes through."""
        return [self.seed, self.reroll, self.steps, self.speed, *self.lengths.buttons, self.stop, *self.rule.stops]

    def show_settings(self, settings: Settings, reason: str | None) -> None:
        """``reason``: why the seed does not matter now, if that is so."""
        former, self._settings = self._settings, settings
        for widget, tip in ((self.seed, SEED), (self.reroll, REROLL)):
            widget.setEnabled(reason is None)
            widget.setToolTip(reason or tip)
        if not self.seed.hasFocus() or former.seed != settings.seed:
            self.seed.setText(str(settings.seed))
        for box, value in ((self.steps, settings.play_steps), (self.speed, round(settings.play_per_second))):
            if box.value() != value:  # else what is just being written would be lost
                box.blockSignals(True)
                box.setValue(value)
                box.blockSignals(False)
        self._name_speed()
        self.stop.blockSignals(True)
        self.stop.setChecked(settings.stop_at_eos)
        self.stop.blockSignals(False)
        self.rule.show_rules(settings.watch)

    def show_tokens(self, tokens: TokenSet | None) -> None:
        """What has usual lengths has no token that ends it, so both share a place."""
        self.lengths.show_tokens(tokens)
        self.stop.setVisible(not self.lengths.buttons)

    def set_theme(self, theme: Theme) -> None:
        self.reroll.setIcon(icon("dice-five", theme))

    def _on_steps(self, value: int) -> None:
        self.changed.emit("play_steps", value)

    def _name_speed(self) -> None:
        self.speed.setSuffix("+" if self.speed.value() == self.speed.maximum() else "")

    def _on_speed(self, value: int) -> None:
        self._name_speed()
        self.changed.emit("play_per_second", float(value))

    def _on_length(self, count: int) -> None:
        self.paced.emit(count, float(self.speed.maximum()))

    def _on_stop(self, on: bool) -> None:
        self.changed.emit("stop_at_eos", on)

    def _on_rules(self, rules: Watch) -> None:
        self.changed.emit("watch", rules)

    def _on_seed(self) -> None:
        text = self.seed.text().strip()
        if text.isascii() and text.isdigit() and int(text) <= MAX_SEED:
            if int(text) != self._settings.seed:
                self.changed.emit("seed", int(text))
            return
        self.told.emit(f"“{text}” is no seed", f"write a whole number from 0 to {MAX_SEED:,}")
        self.seed.setText(str(self._settings.seed))


def button(words: str, tip: str, parent: QWidget, role: str = "") -> QPushButton:
    made = push_button(words, tip, role=role, parent=parent)
    made.setIconSize(QSize(16, 16))
    return made


def _number(most: int, tip: str, parent: QWidget) -> QSpinBox:
    box = QSpinBox(parent)
    box.setRange(1, most)
    box.setToolTip(tip)
    box.setAccessibleName(tip)
    box.setKeyboardTracking(False)
    box.setProperty("role", "figure")
    box.lineEdit().setTextMargins(0, 0, SPACE[1], 0)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    return box
