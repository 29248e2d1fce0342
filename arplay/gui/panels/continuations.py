"""Continuations: many at once behind the caret, drawn as rollouts or searched by beams, and any of them written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import get_args

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from arplay.core.beam_tree import Leaf, kept
from arplay.core.beams import MOST_BEAMS, Rules, Stop
from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.engine.mapping import Mapped
from arplay.engine.rollouts import MOST_ROLLOUTS, Rolled
from arplay.engine.search import Searched
from arplay.gui import kinds
from arplay.gui.contract import Beams, Continue, Do, Maps, Panel, Report, Rollouts, View
from arplay.gui.theme import SPACE, Theme
from arplay.gui.widgets.beam_tree import BeamTree
from arplay.gui.widgets.caption import Caption, Label, plain, set_role
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.joint_map import JointMap
from arplay.gui.widgets.push_button import push_button, segment
from arplay.gui.widgets.rollout_rows import RolloutRows, told_of
from arplay.gui.widgets.rollout_tiles import RolloutTiles

NARROW, LOW = 420, 150
MOST_TOKENS = 4096
TOKENS, TO_THE_END = 32, "to the end"
WHOLE = 1000
"""Chains of a small table that are looked at with as many tokens as are proposed."""
_EMPTY = {
    "rollouts": "Run draws many continuations at once, each with a seed of its own, in one batch. None changes the "
    "text: a double-click, or Enter, writes one.",
    "beams": "Run searches the most probable continuation with several beams; Step looks at one expansion at a time. "
    "The tree shows what was pruned, and why.",
    "map": "Run looks at the most probable continuations first. Each is an area as large as its joint probability; a "
    "second click goes into one, Backspace comes back, Enter writes it.",
}
_STOPS: dict[Stop, tuple[str, str]] = {
    "soon": ("soon", "when the best running beam, as long as it is, is worse than the worst finished one"),
    "full": ("full", "as soon as there are as many finished chains as beams"),
    "never": ("never", "only when no running beam could still become better, however long"),
}


class ContinuationsPanel(Panel):
    name = "continuations"
    title = "Continuations"
    explanation = (
        "<p>What could follow, many times at once. <b>Rollouts</b> are samples from what the decoding leaves, each "
        "with the next seed: what one sample with this seed would be. <b>log p</b> = Σ log p(x<sub>i</sub> | "
        "x<sub>&lt;i</sub>) by the model itself, perplexity is exp(−log p / n).</p>"
        "<p><b>Beam search</b> keeps the best few chains (the beams) after each token. A finished chain scores "
        "log p / n<sup>penalty</sup>, so that long ones are not punished for their length alone. Pale tokens were "
        "pruned: point at one to see why. Beam groups search one after the other, and each pays for tokens that a "
        "former group took.</p>"
        "<p>The <b>map</b> has an area for each chain, as large as its joint probability "
        "p(x<sub>1</sub>…x<sub>n</sub> | prefix) = "
        "Π p(x<sub>i</sub> | x<sub>&lt;i</sub>); what was not looked at is one area. "
        "Of a small table all is there.</p>"
        "<p>Of a small table every chain is looked at, and you see whether greedy and the beams found the best: on "
        "<b>fork</b> (among the models, Ctrl+M) greedy and two beams miss it, and four find it.</p>"
    )

    def __init__(self) -> None:
        super().__init__()
        self.view = View()
        self._ran = False
        """It was run by the key, and has not ended yet."""
        self.rows, self.tree, self.map = RolloutRows(), BeamTree(), JointMap()
        self.tiles = RolloutTiles(self.rows)
        self.note, self.looked = Caption(), Caption()
        self.modes = [
            segment("Rollouts", "Draw many samples at once", self._draws, place=0, of=3, name="Rollouts"),
            segment("Beam search", "Search the most probable", self._searches, place=1, of=3, name="Beam search"),
            segment("Map", "All that may follow, by probability", self._maps, place=2, of=3, name="Map"),
        ]
        self.count = _box(8, MOST_ROLLOUTS, "How many continuations are drawn")
        self.tokens = _box(TOKENS, MOST_TOKENS, "Tokens of each at most")
        self.width_box = _box(4, MOST_BEAMS, "How many chains go on after each token")
        self.penalty = QDoubleSpinBox(minimum=-10, maximum=10, singleStep=0.1, value=1.0, decimals=2)
        self.budget = _box(100, 10_000, "How many places are looked at: a table is always looked at whole")
        self.deep = _box(4, 64, "Tokens of a chain at most")
        self.groups = _box(1, MOST_BEAMS, "Groups of beams that search one after the other")
        self.diversity = QDoubleSpinBox(minimum=0, maximum=100, singleStep=0.1, value=0.5, decimals=2)
        self.stop = QComboBox()
        for key in get_args(Stop):
            self.stop.addItem(_STOPS[key][0], key)
            self.stop.setItemData(self.stop.count() - 1, _STOPS[key][1], Qt.ItemDataRole.ToolTipRole)
        self.run = push_button("Run", "Begin at the caret", self._run, role="primary", name="Run or cancel")
        self.step = push_button("Step", "One expansion more", self._step, role="chip", name="One expansion more")
        words = "Write the chosen continuation behind the caret, token by token; each can be undone"
        self.write = push_button("Write it", words, self._write, role="chip", name="Write the chosen continuation")
        self.fields = [
            _Field("rollouts", self.count, "rollouts"),
            _Field("beams", self.width_box, "beams"),
            _Field("tokens", self.tokens, "rollouts beams"),
            _Field("tokens deep", self.deep, "map"),
            _Field("expansions", self.budget, "map"),
            _Field("length penalty", self.penalty, "beams"),
            _Field("stop", self.stop, "beams"),
            _Field("groups", self.groups, "beams"),
            _Field("diversity", self.diversity, "beams"),
        ]
        tips = {
            "length penalty": "A finished chain of n tokens scores log p / n^penalty: above 0 favours long ones",
            "diversity": "Nats that a token costs for each former group that took it at this step",
            "stop": "When the search ends",
        }
        for field in self.fields:
            field.made(tips.get(field.words, ""))
        self.empty = Label(role="caption", wrap=True)
        self.empty.setMargin(SPACE[2])
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.pages = QStackedWidget()
        for page in (self.empty, self.rows, self.tiles, self.tree, self.map):
            self.pages.addWidget(page)
        self._lay_out()
        for shown in (self.rows, self.tree, self.map):
            shown.looked_at.connect(self._show_looked)
            shown.chosen.connect(self._write)
        self.tiles.chosen.connect(self._write)
        self.groups.valueChanged.connect(self._fit)
        self.usual_tokens = self.tokens.value()
        self.mode = "rollouts"
        self._set_mode("rollouts")

    def _lay_out(self) -> None:
        self.head = Flow()
        modes = QWidget()
        pair = QHBoxLayout(modes)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.setSpacing(0)
        group = QButtonGroup(self)  # so that ← and → go from one to the other
        for button in self.modes:
            pair.addWidget(button)
            group.addButton(button)
        for part in (modes, *(field.whole for field in self.fields), self.run, self.step):
            self.head.add(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addWidget(self.head)
        column.addWidget(self.pages, 1)
        foot, said = QHBoxLayout(), QVBoxLayout()
        for words in (self.note, self.looked):
            said.addWidget(words)
        foot.addLayout(said, 1)
        foot.addWidget(self.write)
        column.addLayout(foot)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    # ---- what is shown

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        if view.info is not before.info:
            self._usual_tokens()
        if before.loaded is None and self.tried is None:  # what is there at first is what is to be seen
            come = {"rollouts": view.rolled, "beams": view.searched, "map": view.mapped}
            if new := next((mode for mode, found in come.items() if found is not None), ""):
                self._set_mode(new)
        changed = (
            view.rolled is not before.rolled, view.mapped is not before.mapped,
            view.searched is not before.searched, view.trying != before.trying, view.left_out != before.left_out,
            view.document is not before.document, view.caret != before.caret, view.loaded is not before.loaded,
        )  # fmt: skip
        if any(changed):
            self._show_all()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.rows.table.theme = self.tree.theme = self.map.theme = theme
        self.map.update()
        self.rows.viewport().update()
        self.tiles.viewport().update()
        self.tree.update()

    def _usual_tokens(self) -> None:
        """To the end of what has one, or as many as a small table can be looked at whole with, where the user chose no
        other number."""
        if (loaded := self.view.loaded) is None:
            return
        usual = self.tokens.value() == self.usual_tokens
        ends = loaded.vocabulary.length is not None
        self.tokens.setMinimum(0 if ends else 1)
        self.tokens.setSpecialValueText(TO_THE_END if ends else "")
        if usual and ends:
            self.usual_tokens = 0
        elif usual:
            most = int(math.log(WHOLE, max(2, len(loaded.vocabulary))))
            self.usual_tokens = most if most > 2 and not loaded.can.batch else TOKENS
        if usual:
            self.tokens.setValue(self.usual_tokens)

    @property
    def most_tokens(self) -> int:
        """Of a continuation."""
        length = self.view.loaded.vocabulary.length if self.view.loaded is not None else None
        return self.tokens.value() or length or TOKENS

    @property
    def tried(self) -> Rolled | Searched | Mapped | None:
        view = self.view
        return {"rollouts": view.rolled, "beams": view.searched, "map": view.mapped}[self.mode]

    @property
    def is_here(self) -> bool:
        """Whether what is shown belongs to this very place."""
        return self.tried is not None and self.view.tried_here(self.tried)

    def _show_all(self) -> None:
        view, tried, here = self.view, self.tried, self.is_here
        table = self.rows.table
        table.thumbnail = _thumbnail(view.rolled)
        table.show_rolled(view.rolled, not here)
        self.tree.show_search(view.searched, not here)
        self.map.show_map(view.mapped, not here)
        begun = tried is not None and (not isinstance(tried, Rolled) or any(each.steps for each in tried.rollouts))
        page = self._picture if begun else self.empty
        self.pages.setCurrentWidget(page)
        mode = next(button for button in self.modes if button.isChecked())
        self.setFocusProxy(page if begun and here else mode)
        self.empty.setText(_EMPTY[self.mode] if view.loaded is not None else "Choose a model first.")
        runs = view.trying == self.mode
        self.run.setText("Cancel" if runs else "Run")
        set_role(self.run, "" if runs else "primary")
        self.run.setEnabled(view.loaded is not None)
        self.step.setEnabled(view.loaded is not None and not view.trying and not (here and self._is_done()))
        self.note.show_text(self._noted(tried, here) if begun else "")
        self._show_looked()
        if self._ran and not view.trying:
            self._ran = False
            if begun and self.isAncestorOf(QApplication.focusWidget() or self):
                page.setFocus(Qt.FocusReason.OtherFocusReason)  # where one of them is chosen, and written with Enter

    def _is_done(self) -> bool:
        return isinstance(self.tried, Searched) and self.tried.done and self.tried.asked == self._rules_now()

    def _noted(self, tried: Rolled | Searched | Mapped | None, here: bool) -> str:
        """How far it is; where it belongs to another place, to which."""
        if tried is None:
            return ""
        parts = []
        if not here:
            view = self.view
            behind = {"rollouts": view.rolled_behind, "beams": view.searched_behind, "map": view.mapped_behind}[
                self.mode
            ]
            parts.append(f"of before: made behind {behind}, so it cannot be written here; Run makes it anew")
        if isinstance(tried, Rolled):
            ended = sum(bool(each.stopped) for each in tried.rollouts)
            longest = max(len(each.steps) for each in tried.rollouts)
            parts.append(f"{ended:,} of {len(tried.rollouts):,} ended, the longest has {longest:,} tokens")
        elif isinstance(tried, Mapped):
            much = "every chain is there" if tried.whole else "the most probable first"
            parts.append(f"{tried.expansions:,} places looked at, {len(tried.areas):,} areas: {much}")
        else:
            state = "the search is done" if tried.done else f"{len(tried.beams):,} beams go on"
            parts.append(f"{len(tried.expansions):,} expansions, {len(tried.finished):,} finished; {state}")
            if tried.whole is not None and tried.finished:
                parts.insert(len(parts) - 1, _judged(tried, self.tree.leaves))
        if self.view.left_out and not isinstance(tried, Mapped):
            full = f"the history is full: {self.view.left_out:,} tokens of these are here alone"
            parts.append(full)
        return "; ".join(parts)

    def _show_looked(self) -> None:
        """The chosen one, whole, and whether it can be written."""
        chosen, ids = "", self._chosen().ids
        tried = self.tried
        current = self.rows.current
        if self._picture is self.tiles and current is not None and ids:
            chosen = told_of(current)
        elif tried is not None and ids:
            writer = tried.document.writer()
            chosen = "".join([*(writer.write(id, tried.tokens) for id in ids), writer.end()])
        self.looked.show_text(f"chosen: {chosen}" if chosen else "")
        self.write.setEnabled(bool(ids) and self.is_here)

    def _chosen(self) -> Continue:
        """The current one: its ids, and its steps where it was drawn or searched."""
        if self.mode == "beams":
            return Continue(self.tree.chain, self.tree.steps, "searched")
        if self.mode == "map":
            return Continue(self.map.chain)
        current = self.rows.current
        return Continue(current.ids, current.steps) if current is not None else Continue(())

    # ---- what is asked

    def _run(self) -> None:
        if self.view.trying == self.mode:
            self.intent.emit(Do("stop_trying"))
        elif self.mode == "rollouts":
            self.intent.emit(Rollouts(self.count.value(), self.most_tokens))
        elif self.mode == "map":
            self.intent.emit(Maps(self.deep.value(), self.budget.value()))
        else:
            self._search(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in a field, or on the chosen kind, runs it; Esc ends what runs."""
        key, runs = event.key(), self.view.trying == self.mode
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not runs and self.run.isEnabled():
            self._ran = True
            self._run()
        elif key == Qt.Key.Key_Escape and runs:
            self.intent.emit(Do("stop_trying"))
        else:
            super().keyPressEvent(event)

    def _step(self) -> None:
        found, rules = self.view.searched, self._rules_now()
        goes_on = found is not None and self.is_here and found.asked == rules
        self._search(len(found.expansions) + 1 if goes_on and found is not None else 1)

    def _search(self, upto: int | None) -> None:
        try:
            self.intent.emit(Beams(self._rules(), upto))
        except Problem as problem:
            self.intent.emit(Report(problem.cause, problem.remedy))

    def _rules(self) -> Rules:
        """Raises Problem."""
        loaded = self.view.loaded
        eos = (loaded.eos,) if loaded is not None and loaded.eos is not None and self.view.settings.stop_at_eos else ()
        groups = self.groups.value()
        return Rules(
            self.width_box.value(), self.most_tokens, eos, self.penalty.value(), self.stop.currentData(), groups,
            self.diversity.value() if groups > 1 else 0.0,
        )  # fmt: skip

    def _rules_now(self) -> Rules | None:
        try:
            return self._rules()
        except Problem:
            return None

    def _write(self) -> None:
        chosen = self._chosen()
        if chosen.ids and self.is_here:
            self.intent.emit(chosen)

    def _draws(self) -> None:
        self._set_mode("rollouts")

    def _searches(self) -> None:
        self._set_mode("beams")

    def _maps(self) -> None:
        self._set_mode("map")

    def _set_mode(self, mode: str) -> None:
        self.mode = mode
        for button, name in zip(self.modes, _EMPTY, strict=True):
            button.setChecked(mode == name)
        self._fit()
        self._show_all()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A small panel has the buttons alone."""
        roomy = self.width() >= NARROW and self.height() >= LOW
        for field in self.fields:
            alone = field.words == "diversity" and self.groups.value() == 1
            field.whole.setVisible(roomy and self.mode in field.of.split() and not alone)
        self.step.setVisible(self.mode == "beams" and self.width() >= NARROW)
        self.write.setVisible(self.width() >= NARROW and self.height() >= LOW)
        for part in (self.note, self.looked):
            part.setVisible(self.height() >= LOW)

    # ---- all of it as a picture, not only what is in sight

    def chart_size(self) -> tuple[int, int] | None:
        size = self._picture.extent()
        return None if self.tried is None else (size.width(), size.height())

    @property
    def _picture(self) -> RolloutRows | RolloutTiles | BeamTree | JointMap:
        rollouts = self.rows if self.rows.table.thumbnail is None else self.tiles
        return self.tree if self.mode == "beams" else self.map if self.mode == "map" else rollouts

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        shown, size = self._picture, self._picture.extent()
        painter.save()
        painter.translate(area.topLeft())
        painter.scale(area.width() / size.width(), area.height() / size.height())
        shown.paint(painter, QRectF(0, 0, size.width(), size.height()))
        painter.restore()


@dataclass(eq=False)
class _Field:
    """A control with its name before it; ``of``: the modes that it belongs to."""

    words: str
    box: QWidget
    of: str

    def made(self, tip: str) -> None:
        self.whole = QWidget()
        row = QHBoxLayout(self.whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[0])
        name = Label(self.words, role="caption")
        name.setBuddy(self.box)
        row.addWidget(name)
        row.addWidget(self.box)
        self.box.setAccessibleName(self.words)
        if isinstance(self.box, QAbstractSpinBox):
            self.box.lineEdit().setTextMargins(SPACE[1], 0, SPACE[0], 0)
        for part in (name, self.box):
            if tip:
                part.setToolTip(plain(tip))


def _thumbnail(rolled: Rolled | None) -> Callable[[Sequence[int]], QImage] | None:
    """What draws its rollouts, where they are not told in words."""
    draw = None if rolled is None else kinds.of_document(rolled.document).thumbnail
    return None if draw is None or rolled is None else partial(draw, rolled.document, rolled.tokens)


def _box(value: int, most: int, tip: str) -> QSpinBox:
    box = QSpinBox(minimum=1, maximum=most, value=value)
    box.setToolTip(plain(tip))
    box.setGroupSeparatorShown(True)
    box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType if most > MOST_BEAMS else box.stepType())
    return box


def _judged(found: Searched, leaves: list[Leaf]) -> str:
    """Whether the beams, and greedy choosing, found the best chain of all; where it was lost, and how many find it."""
    assert found.whole is not None
    whole, count = found.whole, found.rules.width
    label = "".join(found.tokens.label(id) for id in whole.best.ids)
    beams, greedy = whole.is_best(found.finished[0].score), whole.is_best(whole.greedy.score)
    said = f"{count:,} beam{'s' * (count != 1)} {'found' if beams else 'missed'} it, "
    said += f"{'so did greedy' if beams == greedy else 'greedy found it' if greedy else 'greedy missed it'}"
    if not beams:
        said += f"; it was lost at its token {kept(leaves, whole.best.ids) + 1:,}"
    if not beams and whole.enough is not None:
        said += f"; {whole.enough:,} beams find it"
    return f"best of all {whole.chains:,} chains: {label}, score {number(whole.best.score, 3)}: {said}"
