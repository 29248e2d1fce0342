"""The decoding controls: which tokens may be drawn, and the buttons that draw them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.decoding.rows import USUAL
from arplay.core.decoding.stage import Field
from arplay.core.decoding.stages import STAGES
from arplay.core.format import percent
from arplay.core.picking import MAX_SEED
from arplay.gui.contract import Change, Do, Panel, View
from arplay.gui.theme import SMALL, SPACE, Theme, icon
from arplay.gui.widgets.caption import Caption, Label
from arplay.gui.widgets.dial import Dial, Scale
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.push_button import push_button

_RARE = frozenset(STAGES) - {row.stage for row in USUAL}
"""Stages without a dial, which are laid out by name only."""
PRESETS = (
    ("Model's own", "No stage at all: draw from what the model itself believes", Pipeline()),
    ("Balanced", "Temperature 0.8 and top-p 0.95: lively, rarely odd", Pipeline.of(temperature=0.8, top_p=0.95)),
    (
        "Creative",
        "Temperature 1.2 and min-p 0.05: bold, without the absurd tail",
        Pipeline.of(temperature=1.2, min_p=0.05),
    ),
    ("Focused", "Temperature 0.7 and top-k 40: stays with the likely", Pipeline.of(temperature=0.7, top_k=40)),
)

GREEDY_REASON = "Greedy always takes the most probable token, so nothing else matters. Choose “Sample” to use this."
SEED = "The same seed makes the same choices at the same places. A whole number from 0"
REROLL = "Take the next seed and draw the last sampled token again (Ctrl+R)"
STEP = "Choose one token by these settings and write it (Space, or Ctrl+Space in the text)"
NOTHING = "This model has no distribution for an empty text: type something, or choose BOS or EOS as first token"
USUAL_TRACES = 4
WIDE = 600
"""Pixels from which the controls have three columns."""

EXPLANATION = """
    <p>The model gives p(next | prefix) over its whole vocabulary. Decoding decides how one token is chosen from it.
    The stages work in this order, and what each leaves is renormalised:</p>
    <p>{stages}</p>
    <p><b>Sampling</b> lays the tokens side by side from the most to the least probable and draws u from [0, 1): the
    token whose share u falls into is chosen. u depends on the seed and the position alone, so <i>Rewind</i> and
    <i>Step</i> repeat the choice, and <i>Re-roll</i> takes the next seed.</p>
    """


class DecodingPanel(Panel):
    """Everything here changes what is drawn, never what the model believes."""

    name = "decoding"
    title = "Decoding"

    waits_for = "answer"

    def __init__(self) -> None:
        super().__init__()
        self._view = View()
        self.setAccessibleName("Decoding controls")
        stages = (f"<b>{stage.title}</b>: {stage.formula}" for stage in STAGES.values())
        self.explanation = EXPLANATION.format(stages="<br>\n".join(stages))
        content = QWidget()
        self._parts = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self._parts.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        self._parts.setSpacing(SPACE[1])
        column, beside = _column(self._parts), _column(self._parts)
        column.addLayout(self._build_mode())
        column.addLayout(self._build_presets())
        self.dials: dict[str, Dial] = {}
        for name, stage in STAGES.items():
            if name in _RARE:
                continue
            for field in (each for each in stage.fields[:1] if isinstance(each, Field)):
                off = not field.low < field.neutral < field.high
                dial = self.dials[name] = Dial(stage.title, stage.does, _scale(field), says_off=off, parent=content)
                dial.setObjectName(name)
                dial.changed.connect(self._on_dial)
                column.addWidget(dial)
        self.trace = Label(role="caption", wrap=True)
        self.trace.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.trace.setMinimumHeight(USUAL_TRACES * (SMALL + 3))  # nothing below moves while a stage comes or goes
        self.trace.setToolTip("What each stage left of the vocabulary here, and the probability that it removed")
        beside.addWidget(self.trace)
        beside.addLayout(self._build_run())
        beside.addWidget(self.stop)
        for part in (column, beside):
            part.addStretch(1)
        self.drawn = Caption()
        self.drawn.tip = "The last step: u, the token it fell on, and that token's share of the cumulative distribution"
        buttons = QWidget()
        last = QVBoxLayout(buttons)
        last.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[1])
        last.setSpacing(SPACE[1])
        last.addWidget(self.drawn)
        last.addLayout(self._build_buttons())
        last.addStretch(1)
        self._whole = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.setSpacing(0)
        self._whole.addWidget(_Scrolling(content), 2)
        self._whole.addWidget(_Scrolling(buttons))
        self.set_theme(self.theme)
        self.show_view(self._view)

    def veiled(self) -> QWidget:
        return self.trace

    def minimumSizeHint(self) -> QSize:
        """The buttons keep their room longest; whatever has none scrolls."""
        return QSize(200, 120)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where it is wide, the controls stand beside each other."""
        super().resizeEvent(event)
        wide = self.width() >= WIDE
        for box in (self._parts, self._whole):
            box.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._whole.setStretch(1, int(wide))

    def sizeHint(self) -> QSize:
        return QSize(250, 640)

    # ---- building

    def _build_mode(self) -> QHBoxLayout:
        self.modes = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(0)
        for at, (words, side, tip) in enumerate(
            (
                ("Sample", "left", "Draw the next token at random, as probable as it is"),
                ("Greedy", "right", "Always take the most probable token"),
            )
        ):
            button = _button(words, tip, self, "segment")
            button.setCheckable(True)
            button.setProperty("side", side)
            self.modes.addButton(button, at)
            row.addWidget(button, 1)
        self.modes.idClicked.connect(self._on_mode)
        return row

    def _build_presets(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(SPACE[0])
        self.presets: list[QPushButton] = []
        for at, (words, tip, _) in enumerate(PRESETS):
            chip = _button(words, tip, self, "chip")
            chip.setCheckable(True)
            chip.clicked.connect(self._on_preset)
            self.presets.append(chip)
            grid.addWidget(chip, at // 2, at % 2)
        return grid

    def _build_run(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE[0])
        grid.setVerticalSpacing(SPACE[0])
        self.seed = QLineEdit(self)
        self.seed.setToolTip(SEED)
        self.seed.setAccessibleName("Seed")
        self.seed.setMinimumWidth(72)
        self.seed.editingFinished.connect(self._on_seed)
        self.reroll = _button("Re-roll", REROLL, self)
        self.reroll.clicked.connect(self._on_reroll)
        self.steps = _number(1, 100_000, "How many tokens Play writes", self)
        self.steps.valueChanged.connect(self._on_steps)
        self.speed = _number(1, 200, "How many tokens a second Play writes at most", self)
        self.speed.valueChanged.connect(self._on_speed)
        self.stop = QCheckBox("Stop at end-of-text", self)
        self.stop.setToolTip("Play ends when the model draws its end-of-text token")
        self.stop.toggled.connect(self._on_stop)
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
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _build_buttons(self) -> QGridLayout:
        self.step = _button("Step", STEP, self, "primary")
        self.rewind = _button("Rewind", "Take the last token back (←, or Alt+← in the text)", self)
        self.play = _button("Play", "Go on sampling (P, or Ctrl+P)", self)
        self.step.setMinimumHeight(38)
        for button, slot in ((self.step, self._on_step), (self.rewind, self._on_rewind), (self.play, self._on_play)):
            button.clicked.connect(slot)
        grid = QGridLayout()
        grid.setSpacing(SPACE[1])
        grid.addWidget(self.step, 0, 0, 1, 2)
        grid.addWidget(self.rewind, 1, 0)
        grid.addWidget(self.play, 1, 1)
        return grid

    # ---- showing

    def show_view(self, view: View) -> None:
        former, self._view = self._view, view
        settings, decoding = view.settings, view.settings.decoding
        greedy = decoding.has("greedy")
        self.modes.button(int(greedy)).setChecked(True)
        for chip, (_, _, preset) in zip(self.presets, PRESETS, strict=True):
            chip.setChecked(preset == decoding)
        for key, dial in self.dials.items():
            dial.show_value(float(decoding.value(key)))
            dial.set_reason(GREEDY_REASON if greedy else None)
        for widget, tip in ((self.seed, SEED), (self.reroll, REROLL)):
            widget.setEnabled(not greedy)
            widget.setToolTip(GREEDY_REASON if greedy else tip)
        if not self.seed.hasFocus() or former.settings.seed != settings.seed:
            self.seed.setText(str(settings.seed))
        for box, value in ((self.steps, settings.play_steps), (self.speed, round(settings.play_per_second))):
            if box.value() != value:  # else what is just being written would be lost
                box.blockSignals(True)
                box.setValue(value)
                box.blockSignals(False)
        self.stop.blockSignals(True)
        self.stop.setChecked(settings.stop_at_eos)
        self.stop.blockSignals(False)
        nothing = not view.stale and view.answer is not None and view.answer.distribution is None
        self.step.setEnabled(not nothing)
        self.step.setToolTip(NOTHING if nothing else STEP)
        self.play.setEnabled(view.playing or not nothing)
        self.rewind.setEnabled(view.caret > 0)
        if former.playing != view.playing:
            self._name_play()
        self.trace.setText(_trace_words(view))
        self.drawn.show_text(_drawn_words(view))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.reroll.setIcon(icon("dice-five", theme))
        self.rewind.setIcon(icon("arrow-left", theme))
        self.step.setIcon(icon("skip-forward", theme, "on_accent"))
        self._name_play()

    def _name_play(self) -> None:
        self.play.setText("Pause" if self._view.playing else "Play")
        self.play.setIcon(icon("pause" if self._view.playing else "play", self.theme))

    # ---- what the user does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_P:
            self._on_play()
        elif key == Qt.Key.Key_Left:
            self._on_rewind()
        elif key == Qt.Key.Key_Space:
            self._on_step()
        else:
            super().keyPressEvent(event)

    def _change(self, **fields: Any) -> None:
        settings = replace(self._view.settings, **fields)
        if settings != self._view.settings:
            self.intent.emit(Change(settings))

    def _on_mode(self, at: int) -> None:
        decoding = self._view.settings.decoding
        self._change(decoding=decoding.put("greedy") if at else decoding.without("greedy"))

    def _on_preset(self) -> None:
        at = self.presets.index(self.sender())  # type: ignore[arg-type]
        self.presets[at].setChecked(PRESETS[at][2] == self._view.settings.decoding)  # it shows what is set
        self._change(decoding=PRESETS[at][2])

    def _on_dial(self, value: float) -> None:
        self._change(decoding=self._view.settings.decoding.put(self.sender().objectName(), value))

    def _on_seed(self) -> None:
        text = self.seed.text().strip()
        if text.isascii() and text.isdigit() and int(text) <= MAX_SEED:
            if int(text) != self._view.settings.seed:
                self._change(seed=int(text))
            return
        self.seed.setText(str(self._view.settings.seed))

    def _on_steps(self, value: int) -> None:
        self._change(play_steps=value)

    def _on_speed(self, value: int) -> None:
        self._change(play_per_second=float(value))

    def _on_stop(self, on: bool) -> None:
        self._change(stop_at_eos=on)

    def _on_step(self) -> None:
        self.intent.emit(Do("step"))

    def _on_rewind(self) -> None:
        self.intent.emit(Do("rewind"))

    def _on_reroll(self) -> None:
        self.intent.emit(Do("reroll"))

    def _on_play(self) -> None:
        self.intent.emit(Do("pause" if self._view.playing else "play"))


def _scale(field: Field) -> Scale:
    low = field.low if field.least is None else field.least
    most = min(field.high, 1_000_000) if field.usual else None
    return Scale(low, field.usual or field.high, field.neutral, field.decimals, field.bend, most)


def _trace_words(view: View) -> str:
    if view.decoded is None:
        return "What each stage leaves is told here once a model is loaded." if view.loaded is None else ""
    if not view.decoded.traces:
        own = view.decoded.own
        if own.full:
            return f"No stage: all {own.size:,} tokens may be drawn."
        return f"Only the {len(own.logprobs):,} best tokens are told: a draw among the others writes nothing."
    return "\n".join(
        f"{trace.label}: {trace.kept:,} kept" + (f", {percent(trace.removed)} removed" if trace.removed else "")
        for trace in view.decoded.traces
    )


def _drawn_words(view: View) -> str:
    if view.step is None or view.loaded is None:
        return ""
    name, step = view.loaded.vocabulary.label(view.step.id), view.step
    return f"u = {step.u:.4f} → {label(name)} ({step.low:.4f} – {step.high:.4f})"


def _column(parts: QBoxLayout) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(SPACE[1])
    parts.addLayout(column, 1)
    return column


class _Scrolling(QScrollArea):
    """As high as ``content`` wants to be where there is room; else it scrolls."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._content = content
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)

    def sizeHint(self) -> QSize:
        return self._content.sizeHint()  # Qt's own is of a time before the style sheet

    def minimumSizeHint(self) -> QSize:
        return QSize(1, 1)


def _button(words: str, tip: str, parent: QWidget, role: str = "") -> QPushButton:
    button = push_button(words, tip, role=role, parent=parent)
    button.setIconSize(QSize(16, 16))
    return button


def _number(low: int, high: int, tip: str, parent: QWidget) -> QSpinBox:
    box = QSpinBox(parent)
    box.setRange(low, high)
    box.setToolTip(tip)
    box.setAccessibleName(tip)
    box.setKeyboardTracking(False)
    box.setProperty("role", "figure")
    box.lineEdit().setTextMargins(0, 0, SPACE[1], 0)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    return box
