"""Continuations: many at once behind the caret, drawn as rollouts or searched by beams, and any of them written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QHideEvent, QImage, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from arplay.core.beams import Rules
from arplay.core.errors import Problem
from arplay.engine.mapping import Mapped
from arplay.engine.rollouts import Rolled
from arplay.engine.search import Searched
from arplay.gui import kinds
from arplay.gui.canvases.kind import Voice
from arplay.gui.contract import Panel
from arplay.gui.intents import Beams, Continue, Do, Maps, Report, Rollouts
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.beam_tree import BeamTree
from arplay.gui.widgets.caption import Caption, Label, set_role
from arplay.gui.widgets.continuations.fields import Fields
from arplay.gui.widgets.continuations.progress import Tried, progress
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.joint_map import JointMap
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.push_button import offer, push_button, segments
from arplay.gui.widgets.rollout_rows import RolloutRows, told_of
from arplay.gui.widgets.rollout_tiles import RolloutTiles

NARROW, LOW = 420, 150


@dataclass(frozen=True, slots=True)
class Way:
    """A way to look ahead: its button, what an empty panel says, and the field of :class:`View` that has its result."""

    words: str
    tip: str
    empty: str
    result: str

    def of(self, view: View) -> Tried | None:
        found: Tried | None = getattr(view, self.result)
        return found


RUNS, DONE = "Once what runs has ended", "This search has come to its end"
WAYS = {
    "rollouts": Way(
        "Rollouts",
        "Draw many samples at once",
        "Run draws many continuations at once, each with a seed of its own, in one batch. None changes the text: a "
        "double-click, or Enter, writes one.",
        "rolled",
    ),
    "beams": Way(
        "Beam search",
        "Search the most probable",
        "Run searches the most probable continuation with several beams; Step looks at one expansion at a time. The "
        "tree shows what was pruned, and why.",
        "searched",
    ),
    "map": Way(
        "Map",
        "All that may follow, by probability",
        "Run looks at the most probable continuations first. Each is an area as large as its joint probability; a "
        "second click goes into one, Backspace comes back, Enter writes it.",
        "mapped",
    ),
}


class ContinuationsPanel(Panel):
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
        "<p>What can be heard is heard with L, before it is written.</p>"
        "<p>Of a small table every chain is looked at, and you see whether greedy and the beams found the best: on "
        "<b>fork</b> (among the models, Ctrl+M) greedy and two beams miss it, and four find it.</p>"
    )

    def __init__(self) -> None:
        super().__init__()
        self._ran = False
        """It was run by the key, and has not ended yet."""
        self.rows, self.tree, self.map = RolloutRows(), BeamTree(), JointMap()
        self.tiles = RolloutTiles(self.rows)
        self.note, self.looked = Caption(), Caption()
        self.fields = Fields()
        self.modes = segments(self, ((key, way.words, way.tip) for key, way in WAYS.items()), self._set_mode)
        self.run = push_button("Run", "Begin at the caret", self._run, role="primary", name="Run or cancel")
        self.step = push_button("Step", "One expansion more", self._step, role="chip", name="One expansion more")
        words = "Write the chosen continuation behind the caret, token by token; each can be undone"
        self.write = push_button("Write it", words, self._write, role="chip", name="Write the chosen continuation")
        self.voice: Voice | None = None
        words = "Hear the chosen continuation behind what stands before it; nothing is written (key L, also to stop)"
        self.hear = push_button("Hear it", words, self._hear, role="chip", name="Hear the chosen continuation")
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
        self.tiles.listened.connect(self._hear)
        self.fields.groups.valueChanged.connect(self._fit)
        self.mode = "rollouts"
        self._set_mode("rollouts")

    def _lay_out(self) -> None:
        self.head = Flow()
        modes = QWidget()
        in_row(*self.modes.values(), on=modes, spacing=0)
        for part in (modes, *self.fields.all, self.fields.lengths, self.run, self.step):
            self.head.add(part)
        column = in_column(
            self.head, (self.pages, 1), on=self, margins=(SPACE[1], SPACE[0], SPACE[1], SPACE[0]), spacing=SPACE[0]
        )
        foot, said = QHBoxLayout(), QVBoxLayout()
        for words in (self.note, self.looked):
            said.addWidget(words)
        foot.addLayout(said, 1)
        foot.addWidget(self.hear)
        foot.addWidget(self.write)
        column.addLayout(foot)

    # ---- what is shown

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        if view.info is not before.info and view.loaded is not None:
            self.fields.suggest_tokens(view.loaded)
            voice = kinds.of_tokens(view.loaded.vocabulary).voice
            self.voice = None if voice is None else voice()
            self._fit()
        new = next((key for key, way in WAYS.items() if way.of(view) is not None), "")
        if new and before.loaded is None and self.found is None:  # what is there at first is what is to be seen
            self._set_mode(new)
        changed = (
            view.rolled is not before.rolled, view.mapped is not before.mapped,
            view.searched is not before.searched, view.trying != before.trying, view.left_out != before.left_out,
            view.document is not before.document, view.caret != before.caret, view.loaded is not before.loaded,
            view.work != before.work,
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

    @property
    def found(self) -> Tried | None:
        """What is in sight."""
        return WAYS[self.mode].of(self.view)

    @property
    def is_here(self) -> bool:
        """Whether what is shown belongs to this very place."""
        return self.found is not None and self.view.tried_here(self.found)

    def _show_all(self) -> None:
        view, tried, here = self.view, self.found, self.is_here
        table = self.rows.table
        table.thumbnail = _thumbnail(view.rolled)
        table.show_rolled(view.rolled, not here)
        self.tree.show_search(view.searched, not here)
        self.map.show_map(view.mapped, not here)
        begun = tried is not None and (not isinstance(tried, Rolled) or any(each.steps for each in tried.rollouts))
        page = self._picture if begun else self.empty
        self.pages.setCurrentWidget(page)
        self.setFocusProxy(page if begun and here else self.modes[self.mode])
        self.empty.setText(view.no_model or WAYS[self.mode].empty)
        runs = view.trying == self.mode
        self.run.setText("Cancel" if runs else "Run")
        set_role(self.run, "" if runs else "primary")
        offer(self.run, view.no_model)
        offer(self.step, view.no_model or (DONE if here and self._is_done() else RUNS * bool(view.trying)))
        self.note.show_text(self._noted(tried, here) if begun and tried is not None else "")
        self._show_looked()
        if self._ran and not view.trying:
            self._ran = False
            if begun and self.isAncestorOf(QApplication.focusWidget() or self):
                page.setFocus(Qt.FocusReason.OtherFocusReason)  # where one of them is chosen, and written with Enter

    def _is_done(self) -> bool:
        return isinstance(self.found, Searched) and self.found.done and self.found.asked == self._rules_now()

    def _noted(self, tried: Tried, here: bool) -> str:
        """How far it is; where it belongs to another place, to which."""
        parts = progress(tried, self.tree.leaves)
        if not here:
            behind = getattr(self.view, f"{WAYS[self.mode].result}_behind")
            parts.insert(0, f"of before: made behind {behind}, so it cannot be written here; Run makes it anew")
        if self._picture is self.tiles:
            parts.append("below each: log p, nats")
        if self.view.left_out and not isinstance(tried, Mapped):
            parts.append(f"the history is full: {self.view.left_out:,} tokens of these are here alone")
        return "; ".join(parts)

    def _show_looked(self) -> None:
        """The chosen one, whole, and whether it can be written."""
        chosen, ids = "", self._chosen().ids
        tried = self.found
        current = self.rows.current
        if self._picture is self.tiles and current is not None and ids:
            chosen = told_of(current)
        elif tried is not None and ids:
            writer = tried.document.writer()
            chosen = "".join([*(writer.write(id, tried.tokens) for id in ids), writer.end()])
        self.looked.show_text(f"chosen: {chosen}" if chosen else "")
        self.write.setEnabled(bool(ids) and self.is_here)
        self.hear.setEnabled(bool(ids))

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
            self.intent.emit(Rollouts(self.fields.count.value(), self.fields.most_tokens(self.view.loaded)))
        elif self.mode == "map":
            self.intent.emit(Maps(self.fields.deep.value(), self.fields.budget.value()))
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
        return self.fields.rules(self.view.loaded, self.view.settings.stop_at_eos)

    def _rules_now(self) -> Rules | None:
        try:
            return self._rules()
        except Problem:
            return None

    def _write(self) -> None:
        chosen = self._chosen()
        if chosen.ids and self.is_here:
            self.intent.emit(chosen)

    def _hear(self) -> None:
        ids, tried, voice = self._chosen().ids, self.found, self.voice
        if voice is None or tried is None or not ids:
            return
        if voice.sounds:
            voice.stop()
            return
        try:
            voice.hear(tried.document, tried.place, ids)
        except Problem as problem:
            self.intent.emit(Report(problem.cause, problem.remedy))

    def hideEvent(self, event: QHideEvent) -> None:
        if self.voice is not None:
            self.voice.stop()

    def _set_mode(self, mode: str) -> None:
        self.mode = mode
        self.modes[mode].setChecked(True)
        self._fit()
        self._show_all()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A small panel has the buttons alone."""
        roomy = self.width() >= NARROW and self.height() >= LOW
        self.fields.show_way(self.mode if roomy else "")
        self.step.setVisible(self.mode == "beams" and self.width() >= NARROW)
        self.write.setVisible(roomy)
        self.hear.setVisible(roomy and self.voice is not None)
        for part in (self.note, self.looked):
            part.setVisible(self.height() >= LOW)

    # ---- all of it as a picture, not only what is in sight

    def chart_size(self) -> tuple[int, int] | None:
        size = self._picture.extent()
        return None if self.found is None else (size.width(), size.height())

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


def _thumbnail(rolled: Rolled | None) -> Callable[[Sequence[int]], QImage] | None:
    """What draws its rollouts, where they are not told in words."""
    draw = None if rolled is None else kinds.of_document(rolled.document).thumbnail
    return None if draw is None or rolled is None else partial(draw, rolled.document, rolled.tokens)
