"""The next-token chart: p(next | prefix) over the whole vocabulary, before and after the decoding settings."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSpinBox

from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.format import in_unit, nats_or_bits, number
from arplay.core.picking import choose
from arplay.gui.contract import Panel
from arplay.gui.intents import HoldU, Take
from arplay.gui.panels.stepping import stepping
from arplay.gui.settings import Settings, Unit
from arplay.gui.theme import SMALL, SPACE, TITLE, Theme, interface_font
from arplay.gui.view import View
from arplay.gui.widgets.bars.bars import Axis, bars_of
from arplay.gui.widgets.bars.cumulative import CumulativeStrip, Strip, strip_of
from arplay.gui.widgets.bars.levels import Levels, binned
from arplay.gui.widgets.bars.painting import AXIS_HEIGHT, LEFT, LEGEND_HEIGHT, BarPainter, lengths_of
from arplay.gui.widgets.bars.view import ROW, BarView
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import in_column
from arplay.gui.widgets.push_button import push_button
from arplay.models.base import Info

MOST_HITS = 100
ROOM = 360
"""Pixels of height from which there is room for the shape of a distribution above its bars."""
MOST_ANIMATED = 10.0
"""Tokens a second of Play up to which bars move: faster ones would be painted several times each, for nobody."""
EXPORT_WIDTH = 760
_EXPORT_TOP = SPACE[2] + TITLE + SPACE[1] + SMALL + SPACE[2]

COMPLETE = "Everything is written: nothing comes next. Go back to see what the model expected at the last place."
NO_FIRST = (
    "The empty prefix has no distribution for this model: type something, or choose BOS or EOS as the first token."
)
WELCOME = (
    "Here stands what the model expects next: a bar for each of the most probable tokens, "
    "and one for all the others together.\n\nLoad a model and write a text to see it."
)
NO_FIRST_KEPT = "No distribution is kept of the empty prefix: what stands before the text is not scored."
REWIND, WAY_OUT = "Rewind takes back the last change, ", "Ctrl+N begins an empty text, Ctrl+M chooses {} model."
COVERED = "You are the model: bet in “Be the model” on what comes next. The chart is there once you reveal it."
ENTROPY = "Entropy of the model's own distribution: how undecided it is"
WAITING = "Waiting for the model's answer…"
NOT_NUMBERS = "The model's probabilities here are not numbers (NaN): use float32, or another model."


class NextTokenPanel(Panel):
    explanation = """
    <p>The model reads the <b>prefix</b> (all tokens before the caret) and gives every token <i>i</i> of its vocabulary
    a score, the logit z<sub>i</sub>. The softmax over the <b>whole</b> vocabulary makes them probabilities:</p>
    <p align="center">p<sub>i</sub> = exp(z<sub>i</sub>) / Σ<sub>j</sub> exp(z<sub>j</sub>)</p>
    <p>The <b>outline</b> is the model's own probability. The <b>fill</b> is what the decoding settings make of it;
    a dotted outline without fill is a token that they removed. The <b>dashed</b> bar is every token without a row,
    counted and summed, so that what you see always adds up to 1.</p>
    <p><b>Entropy</b> H = −Σ p<sub>i</sub> log p<sub>i</sub> says how undecided the model is; its perplexity
    e<sup>H</sup> (2<sup>H</sup> in bits) is the number of equally probable tokens that would be as hard to guess.</p>
    <p>The <b>stacked bar</b> lays the tokens side by side, the most probable first. Sampling draws u between 0 and 1
    and takes the token that u falls on: the inverse of the cumulative distribution.</p>
    <p>After a step the stacked bar keeps the distribution that the step was drawn from, while the bars show the next
    one; a share too thin to be seen is shown through a lens below it.</p>
    <p>Click a row, or choose with ↑ ↓ and press Enter or → to write it. ← goes back, Space samples, P plays, 1 to 9
    take the token of that rank, Shift+→ writes on to the next word, B tries another token for the last pick.</p>
    """

    waits_for = "answer"
    comes = "with the answer"  # it is what one waits for after a step

    def __init__(self) -> None:
        super().__init__()
        self._own: Distribution | None = None
        self._drawn: Distribution | None = None
        self._place: tuple[Info, int] | None = None
        """The model and the index of the answer that the axis was fitted to."""
        self.entropy = push_button(
            "H = —", "", self._other_unit, role="chip", name="Entropy; click to change between nats and bits"
        )
        self.facts = Caption(lines=2)
        self.facts.tip = "The size of the vocabulary, and what is done to the distribution before a token is chosen"
        self.count = QSpinBox()
        self.count.setRange(5, 200)
        self.count.setPrefix("top ")
        self.count.setKeyboardTracking(False)
        self.count.lineEdit().setTextMargins(SPACE[0], 0, 0, 0)
        self.count.setAccessibleName("Number of bars")
        self.count.setToolTip("How many of the most probable tokens get a bar of their own (5 to 200)")
        self.count.valueChanged.connect(self._count_changed)
        self.log = push_button(
            "log",
            "Linear axis: lengths are probabilities. Log axis: every gridline is a power of ten, so rare tokens show",
            self._axis_changed,
            role="chip",
            name="Logarithmic axis",
            checkable=True,
        )
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find any token…")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Find a token of the vocabulary")
        self.search.setToolTip(
            "Find any token of the vocabulary and see its rank and probability; write it as it is shown: ␣, ↵, ⟨E2⟩"
        )
        self.search.textChanged.connect(self._search_changed)
        self.search.installEventFilter(self)
        self.strip = CumulativeStrip()
        self.strip.held.connect(self._hold)
        self.levels = Levels()
        self.levels.hide()
        self.levels.chosen.connect(self._search_changed)
        self.bars = BarView()
        self.bars.taken.connect(self._take)
        self._arrange()
        self.show_view(self.view)

    def _arrange(self) -> None:
        top, second = QHBoxLayout(), QHBoxLayout()
        for row in (top, second):
            row.setSpacing(SPACE[1])
        top.addWidget(self.entropy)
        top.addWidget(self.facts, 1)
        second.addWidget(self.search, 1)
        second.addWidget(self.count)
        second.addWidget(self.log)
        in_column(top, second, self.strip, self.levels, (self.bars, 1), on=self, margins=SPACE[1], spacing=SPACE[1])
        self.setFocusProxy(self.bars)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 120)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        height = event.size().height()
        for widget in (self.search, self.count, self.log):
            widget.setVisible(height >= 240)
        for header in (self.entropy, self.facts):
            header.setVisible(height >= 160)
        self._fit_levels()

    def _fit_levels(self) -> None:
        self.levels.setVisible(self.levels.binned is not None and self.height() >= ROOM)

    # what is shown

    def show_view(self, view: View) -> None:
        old, self.view = self.view, view
        settings = view.settings
        fast = view.playing and settings.play_per_second > MOST_ANIMATED
        new_answer = view.answer is not old.answer or view.loaded is not old.loaded
        self.bars.animate = settings.animate and new_answer and not fast  # of a slider they follow the hand itself
        self._show_settings(settings)
        if view.answer is None or view.loaded is None:
            self._show_nothing(view)
            return
        shown = ("settings", "decoded", "stale", "step", "step_decoded", "selected", "held")
        if not new_answer and self._own and all(getattr(old, name) is getattr(view, name) for name in shown):
            return
        if view.stale and not new_answer and self._own:
            self.bars.wait()
            self._show_strip(view)
            return
        own = view.answer.distribution
        if own is None or bool(np.isnan(own.logprobs).any()):
            self._own = self._drawn = None
            complete = view.loaded is not None and view.answer.prefix.index == view.loaded.vocabulary.length
            nothing = COMPLETE if complete else NO_FIRST if view.run is None else NO_FIRST_KEPT
            self._explain(WAITING if view.stale else nothing if own is None else NOT_NUMBERS)
            return
        self._own = own
        self._drawn = self._decoded_distribution(view)
        self._show_bars(keep_choice=not new_answer)
        if new_answer and self.isVisible() and not view.playing:  # in Play all is painted together, which takes less
            self.bars.viewport().repaint()  # at once: it is what one waits for after a step
        self._show_header()
        self._show_strip(view)
        if view.stale:
            self.bars.wait()

    def _show_nothing(self, view: View) -> None:
        if view.covered:
            self._own = self._drawn = None
            self._explain(COVERED)
        elif view.problem and not view.busy:
            self._own = self._drawn = None
            told = ". ".join(capital(part) for part in view.problem) + "."
            self._explain(f"{told}\n\n{_way_out(view)}" if view.loaded is not None else told)
        elif view.loaded is None:
            self._own = self._drawn = None
            self._explain(view.work or WELCOME)
        elif self._own is None:
            self._explain(view.work or WAITING)
        else:
            self.bars.wait()

    def _explain(self, message: str) -> None:
        self.bars.show_message(message)
        self.strip.show_strip(Strip())
        self.levels.show_binned(None)
        self._fit_levels()
        self.entropy.setText("H = —")
        self.entropy.setToolTip(
            "Entropy: how undecided the model is about the next token. Here is no distribution yet."
        )
        self.facts.show_text("")

    def _show_settings(self, settings: Settings) -> None:
        for widget in (self.count, self.log):
            widget.blockSignals(True)
        if self.count.value() != settings.bars:
            self.count.setValue(settings.bars)
        self.log.setChecked(settings.log_axis)
        for widget in (self.count, self.log):
            widget.blockSignals(False)

    def _decoded_distribution(self, view: View) -> Distribution | None:
        """What is drawn from, over the same tokens; the model's own, as the same object, where no stage is used."""
        assert self._own is not None
        if view.decoded is None or view.decoded.own.size != self._own.size:
            return None
        return view.decoded.distribution

    def _show_header(self) -> None:
        assert self._own is not None
        entropy, unit = self._own.entropy, self.view.settings.unit
        if entropy is None:
            self.entropy.setText("H = —")
            self.entropy.setToolTip("The model told only some probabilities, so nobody knows the entropy")
        else:
            self.entropy.setText(f"H = {nats_or_bits(entropy, unit)}")
            power = f"{2 if unit == 'bits' else 'e'}^{number(in_unit(entropy, unit), 3)}"
            perplexity = number(math.exp(entropy), 2)
            self.entropy.setToolTip(
                f"{ENTROPY}. Perplexity of this step: {power} = {perplexity} equally probable tokens. "
                f"Click for {'nats' if unit == 'bits' else 'bits'}."
            )
        known = "" if self._own.full else f"only {len(self._own.logprobs):,} tokens are told"
        size = "" if self._own.open else f"{self._own.size:,} tokens"
        self.facts.show_text(" · ".join(filter(None, (size, known, self.view.settings.decoding.label))))

    def _show_bars(self, keep_choice: bool) -> None:
        view = self.view
        if self._own is None or view.loaded is None or view.answer is None:
            return
        settings, actual = view.settings, view.answer.prefix.actual
        wanted = self.search.text()
        self.levels.show_binned(binned(self._own, self._drawn, view.loaded.vocabulary, actual))
        self._fit_levels()
        part = None if self.levels.ids is None else list(self.levels.ids)
        found = view.loaded.vocabulary.find(wanted, MOST_HITS) if wanted else part
        if found is not None and not found:
            self.bars.show_message(f"No token of the vocabulary contains “{wanted}”. The text is written with several.")
            return
        stages = settings.decoding.label if settings.decoding.stages else ""
        n = settings.bars if found is None else len(found)
        bars = bars_of(self._own, self._drawn, view.loaded.vocabulary, n, actual, found, stages)
        lit = actual if view.selected is not None and view.selected == view.answer.prefix.index else None
        self.bars.source = (self._own, view.loaded.vocabulary)
        self.bars.decoded = view.decoded
        axis, index = Axis.fit(bars, settings.log_axis), view.answer.prefix.index
        if self._place is not None and abs(self._place[1] - index) <= 1 and self._place[0] is view.loaded.info:
            axis = axis.kept(self.bars.axis)  # one step on or back: the bars are read against the same scale
        self._place = (view.loaded.info, index)
        self.bars.show_bars(bars, axis, lit, keep_choice)

    def _show_strip(self, view: View) -> None:
        assert view.loaded is not None
        vocabulary = view.loaded.vocabulary
        after = view.step_decoded
        if view.held is not None and view.decoded is not None and self._drawn is not None:
            try:
                at_u = choose(view.decoded.candidates, view.held)
            except Problem:  # among tokens that nobody knows, which a step tells
                self.strip.show_strip(strip_of(self._drawn, vocabulary, None))
            else:
                self.strip.show_strip(replace(strip_of(self._drawn, vocabulary, at_u), held=True))
        elif view.step is not None and after is not None and after.own.size <= len(vocabulary):
            self.strip.show_strip(strip_of(after.distribution, vocabulary, view.step))
        elif self._drawn is not None:
            self.strip.show_strip(strip_of(self._drawn, vocabulary, None))
        else:
            self.strip.show_strip(Strip())

    def set_theme(self, theme: Theme) -> None:
        self.bars.theme = self.strip.theme = self.levels.theme = theme
        super().set_theme(theme)
        self.bars.viewport().update()
        self.strip.update()
        self.levels.update()

    # what the user does

    def _hold(self, u: float | None) -> None:
        self.intent.emit(HoldU(u))

    def _take(self, id: int) -> None:
        self.search.clear()
        self.intent.emit(Take(id))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (intent := stepping(event, self.view)) is not None:
            self.intent.emit(intent)
        else:
            super().keyPressEvent(event)

    def _other_unit(self) -> None:
        unit: Unit = "bits" if self.view.settings.unit == "nats" else "nats"
        self.change(unit=unit)

    def _count_changed(self, bars: int) -> None:
        self.change(bars=bars)

    def _axis_changed(self, log: bool) -> None:
        self.change(log_axis=log)

    def _search_changed(self) -> None:
        self._show_bars(keep_choice=False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """In the search field ↓ and Enter go to the hits, Esc gives up the search."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.bars.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    # export

    def chart_size(self) -> tuple[int, int] | None:
        shown = self.bars.bars
        if not shown.all_rows:
            return None
        head = _EXPORT_TOP + LEGEND_HEIGHT + AXIS_HEIGHT
        return EXPORT_WIDTH, int(head + (len(shown.all_rows) + 1) * ROW + 2 * SPACE[2])

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        size = self.chart_size()
        if size is None or self._own is None or self.view.loaded is None:
            return
        width, height = size
        painter.save()
        painter.translate(area.topLeft())
        scale = min(area.width() / width, area.height() / height)
        painter.scale(scale, scale)
        painter.fillRect(QRectF(0, 0, width, height), self.theme.color("surface"))
        self._paint_title(painter, width)
        shown, axis = self.bars.bars, self.bars.axis
        bars = BarPainter(painter, self.theme, shown, axis, lengths_of(shown, axis), width)
        bars.chart(QRectF(0, _EXPORT_TOP, width, height - SPACE[2] - _EXPORT_TOP), ROW)
        painter.restore()

    def _paint_title(self, painter: QPainter, width: float) -> None:
        assert self.view.loaded is not None
        left = SPACE[2]
        painter.setFont(interface_font(TITLE, bold=True))
        painter.setPen(self.theme.color("text"))
        title = f"p(next | {self.view.document.tail(self.view.caret)})"
        painter.drawText(QRectF(left, SPACE[2], width - 2 * left, TITLE + SPACE[1]), LEFT, title)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        line = f"{self.view.loaded.info.name} · {self.entropy.text()} · {self.facts.full}"
        painter.drawText(QRectF(left, SPACE[2] + TITLE + SPACE[1], width - 2 * left, SMALL + SPACE[1]), LEFT, line)


def _way_out(view: View) -> str:
    """What can be done where nothing is known of what comes next."""
    words = WAY_OUT.format("a" if view.run is not None else "another")
    return words if view.no_way_back else REWIND + words
