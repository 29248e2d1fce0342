"""Decoding: the stages that a distribution goes through, in the user's order, and the buttons that draw from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from arplay.core.decoding.layouts import Presets
from arplay.core.decoding.pipeline import MOST_STAGES, Decoded
from arplay.core.decoding.rows import Row, Rows, pipeline_of
from arplay.core.decoding.stages import STAGES
from arplay.core.errors import Problem
from arplay.gui.canvases.text import transfer
from arplay.gui.contract import Panel
from arplay.gui.intents import Change, Do, PeekRewind, Report
from arplay.gui.panels.stepping import stepping
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, Label
from arplay.gui.widgets.decoding import add_menu
from arplay.gui.widgets.decoding.effect import told_apart
from arplay.gui.widgets.decoding.presets import PresetMenu
from arplay.gui.widgets.decoding.run import Run, button
from arplay.gui.widgets.decoding.stage_list import StageList
from arplay.gui.widgets.decoding.stage_row import tab_chain
from arplay.gui.widgets.decoding.whereabouts import Whereabouts
from arplay.gui.widgets.dial import Dial
from arplay.gui.widgets.labels import capital, label
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.menu_button import give_menu
from arplay.gui.widgets.peek import Peek
from arplay.gui.widgets.push_button import offer
from arplay.gui.widgets.scrolling import Fitting

GREEDY = Row("greedy", ())
GREEDY_REASON = "Greedy always takes the most probable token, so nothing else matters. Choose “Sample” to use this."
STEP = "Choose one token by these settings and write it (Space, or Ctrl+Space in the text)"
NOTHING = "This model has no distribution for an empty text: type something, or choose BOS or EOS as first token"
WRITTEN = "Everything is written: nothing comes next"
FULL = f"There are {MOST_STAGES} stages, as many as there can be: remove one first"
ADD = "Put one more stage at the end; move it by its handle, or with Alt+↑ and Alt+↓"
WIDE = 600
"""Pixels from which the controls have three columns."""

EXPLANATION = """
    <p>The model gives p(next | prefix) over its whole vocabulary. Decoding decides how one token is chosen from it.
    The stages work one after the other, in the order in which you lay them out, and what is left is renormalised.
    Below each stands what it did here. There are:</p>
    <p>{stages}</p>
    <p><b>Sampling</b> lays the tokens side by side from the most to the least probable and draws u from [0, 1): the
    token whose share u falls into is chosen. u depends on the seed and the position alone, so <i>Rewind</i> and
    <i>Step</i> repeat the choice, and <i>Re-roll</i> takes the next seed.</p>
    """


class DecodingPanel(Panel):
    """Everything here changes what is drawn, never what the model believes."""

    waits_for = "answer"

    def __init__(self) -> None:
        super().__init__()
        self._moved: tuple[str, Decoded] | None = None
        self._added = False
        self.setAccessibleName("Decoding controls")
        self.setAcceptDrops(True)
        stages = (
            f"<b>{stage.title}</b>: {stage.formula}" + (f" ({stage.source})" if stage.source else "")
            for stage in STAGES.values()
        )
        self.explanation = EXPLANATION.format(stages="<br>\n".join(stages))
        content = QWidget()
        self._parts = QBoxLayout(QBoxLayout.Direction.TopToBottom, content)
        self._parts.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        self._parts.setSpacing(SPACE[1])
        column, beside = _column(self._parts), _column(self._parts)
        column.addLayout(self._build_mode())
        column.addLayout(self._build_menus())
        self.stages = StageList(content)
        self.stages.changed.connect(self._on_rows)
        self.stages.cancelled.connect(self._on_cancel)
        column.addWidget(self.stages)
        self.effect = Label(role="caption", wrap=True)
        self.effect.setToolTip("What the last move of a stage changed here")
        self.effect.hide()
        column.addWidget(self.effect)
        self.where = Whereabouts()
        beside.addWidget(self.where)
        self.run = Run()
        self.run.changed.connect(self._on_run)
        self.run.paced.connect(self._on_pace)
        self.run.reroll_asked.connect(self._on_reroll)
        self.run.told.connect(self._on_told)
        beside.addWidget(self.run)
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
        self._whole.addWidget(Fitting(content), 2)
        self._whole.addWidget(Fitting(buttons))
        self.set_theme(self.theme)
        self.show_view(self.view)

    def veiled(self) -> QWidget:
        return self.where.told

    @property
    def dials(self) -> dict[str, Dial]:
        """The first number of each stage that stands here, by the stage's name."""
        return {row.stage.name: row.inputs[0] for row in self.stages.rows if isinstance(row.inputs[0], Dial)}

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
            mode = button(words, tip, self, "segment")
            mode.setCheckable(True)
            mode.setProperty("side", side)
            self.modes.addButton(mode, at)
            row.addWidget(mode, 1)
        self.modes.idClicked.connect(self._on_mode)
        return row

    def _build_menus(self) -> QHBoxLayout:
        self.presets = PresetMenu(self)
        self.presets.chosen.connect(self._on_preset)
        self.presets.kept.connect(self._on_kept)
        self.presets.told.connect(self._on_told)
        self.add = button("Add stage…", ADD, self, "chip")
        menu = QMenu(self.add)
        add_menu.fill(menu)
        menu.triggered.connect(self._on_add)
        give_menu(self.add, menu)
        row = in_row((self.presets, 1), (self.add, 1), spacing=SPACE[0])
        return row

    def _build_buttons(self) -> QGridLayout:
        self.step = button("Step", STEP, self, "primary")
        self.rewind = button("Rewind", "Take the last token back (←, or Alt+← in the text)", self)
        self.play = button("Play", "Go on sampling (P, or Ctrl+P)", self)
        self.step.setMinimumHeight(38)
        Peek(self.rewind).changed.connect(lambda on: self.intent.emit(PeekRewind(on)))
        for each, slot in ((self.step, self._on_step), (self.rewind, self._on_rewind), (self.play, self._on_play)):
            each.clicked.connect(slot)
        grid = QGridLayout()
        grid.setSpacing(SPACE[1])
        grid.addWidget(self.step, 0, 0, 1, 2)
        grid.addWidget(self.rewind, 1, 0)
        grid.addWidget(self.play, 1, 1)
        return grid

    # ---- showing

    def show_view(self, view: View) -> None:
        former, self.view = self.view, view
        settings, layout = view.settings, view.settings.layout
        greedy = settings.decoding.has("greedy")
        reason = GREEDY_REASON if greedy else None
        self.modes.button(int(greedy)).setChecked(True)
        tokens = None if view.loaded is None else view.loaded.vocabulary
        anew = self.stages.show_rows(_shown(layout), reason)
        self.stages.show_traces(view.decoded, view.undecoded, settings.unit)
        self.stages.show_waits(_lacking(view), view.doing)
        self.presets.show_layout(layout, settings.presets, tokens)
        offer(self.add, "" if len(layout) < MOST_STAGES else FULL)
        self.run.show_settings(settings, reason)
        self.run.show_tokens(tokens)
        if anew:
            self._chain()
            if self._added:
                self._added = False
                self.stages.rows[-1].inputs[0].field.setFocus(Qt.FocusReason.OtherFocusReason)
        nothing = _nothing(view)
        offer(self.step, nothing)
        offer(self.play, "" if view.playing else nothing)
        offer(self.rewind, view.no_way_back)
        self.setFocusProxy(self.step if self.step.isEnabled() else self.modes.button(0))
        if former.playing != view.playing:
            self._name_play()
        self._show_effect(view)
        self.where.show_decoded(view.decoded, tokens)
        self.drawn.show_text(_drawn_words(view))

    def _show_effect(self, view: View) -> None:
        """Of a move: once what it came to is there, and as long as that is what is seen."""
        if self._moved is None:
            return
        words, before = self._moved
        if view.decoded is None or view.decoded.own is not before.own:
            self._tell_effect("")
        elif view.decoded is not before:
            self._tell_effect(f"{words}: {told_apart(before, view.decoded)}")
        else:
            return
        self._moved = None

    def _tell_effect(self, words: str) -> None:
        self.effect.setText(words)
        self.effect.setVisible(bool(words))

    def _chain(self) -> None:
        """The Tab key goes through the stages as they stand."""
        rows = [stop for row in self.stages.rows for stop in row.stops]
        last = [self.where.field, *self.run.stops, self.step, self.rewind, self.play]
        tab_chain([*self.modes.buttons(), self.presets, self.add, *rows, *last])

    def _on_cancel(self) -> None:
        self.intent.emit(Do("cancel"))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.stages.set_theme(theme)
        self.run.set_theme(theme)
        self.rewind.setIcon(icon("arrow-left", theme))
        self.step.setIcon(icon("skip-forward", theme, "on_accent"))
        self._name_play()

    def _name_play(self) -> None:
        self.play.setText("Pause" if self.view.playing else "Play")
        self.play.setIcon(icon("pause" if self.view.playing else "play", self.theme))

    # ---- what the user does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (intent := stepping(event, self.view)) is not None:
            self.intent.emit(intent)
        else:
            super().keyPressEvent(event)

    def _change(self, **fields: Any) -> None:
        settings = replace(self.view.settings, **fields)
        if settings != self.view.settings:
            self.intent.emit(Change(settings))

    def _lay(self, rows: Rows) -> None:
        self._change(rows=rows, decoding=pipeline_of(rows))

    @property
    def _greedy(self) -> Rows:
        return (GREEDY,) if self.view.settings.decoding.has("greedy") else ()

    def _on_mode(self, at: int) -> None:
        rows = _shown(self.view.settings.layout)
        self._lay((*rows, GREEDY) if at else rows)

    def _on_preset(self, rows: Rows) -> None:
        self._tell_effect("")
        self._lay(rows)

    def _on_kept(self, presets: Presets) -> None:
        self._change(presets=presets)

    def _on_told(self, cause: str, remedy: str) -> None:
        self.intent.emit(Report(cause, remedy))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Stages in a file; whatever else is dropped is the window's."""
        if _stages_file(event) is not None:
            transfer.take(event)
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _stages_file(event)
        if path is None:
            event.ignore()
            return
        transfer.take(event)
        try:
            self.presets.read(path)
        except Problem as problem:
            self.intent.emit(Report(problem.cause, problem.remedy))

    def _on_rows(self, rows: Rows, moved: str) -> None:
        """``moved``: what was put where."""
        decoded, layout = self.view.decoded, (*rows, *self._greedy)
        same = moved and pipeline_of(layout) == self.view.settings.decoding
        self._tell_effect(f"{moved}: changes nothing here" if same else "")
        self._moved = (moved, decoded) if moved and not same and decoded is not None else None
        self._lay(layout)

    def _on_add(self, action: QAction) -> None:
        self._added = True  # its row comes with the next View
        self._lay((*_shown(self.view.settings.layout), add_menu.useful(action.data()), *self._greedy))

    def _on_run(self, name: str, value: object) -> None:
        self._change(**{name: value})

    def _on_pace(self, steps: int, per_second: float) -> None:
        self._change(play_steps=steps, play_per_second=per_second)

    def _on_reroll(self) -> None:
        self.intent.emit(Do("reroll"))

    def _on_step(self) -> None:
        self.intent.emit(Do("step"))

    def _on_rewind(self) -> None:
        self.intent.emit(Do("rewind"))

    def _on_play(self) -> None:
        self.intent.emit(Do("pause" if self.view.playing else "play"))


def _stages_file(event: QDropEvent) -> Path | None:
    urls = event.mimeData().urls()
    path = Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
    return path if path is not None and path.suffix == ".json" else None


def _shown(layout: Rows) -> Rows:
    """Without greedy, which is a mode here."""
    return tuple(row for row in layout if STAGES[row.stage].fields)


def _nothing(view: View) -> str:
    """Why nothing can be drawn, if that is known."""
    if view.lacks_model is not None or view.stale or view.loaded is None:
        return view.no_model
    if view.undecoded is not None:
        return f"{capital(view.undecoded.cause)}: {view.undecoded.remedy}"
    if view.answer is None or view.answer.distribution is not None:
        return ""
    return WRITTEN if view.answer.prefix.index == view.loaded.vocabulary.length else NOTHING


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


def _lacking(view: View) -> frozenset[str]:
    """The stages whose second prompt or model has said nothing yet, while the worker is asked."""
    if not view.stale or view.loaded is None:
        return frozenset()
    known = dict(view.answer.others) if view.answer is not None else {}
    return frozenset(want[0] for want in view.settings.decoding.wants if want not in known)
