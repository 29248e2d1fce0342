"""Words, lines, sentences and paragraphs of the text as rows (of a picture its rows): what each costs."""

from __future__ import annotations

import time

from PySide6.QtCore import QModelIndex, QTimer
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from arplay.core.distribution import LN2
from arplay.core.format import in_unit, number, part_percent
from arplay.core.parts import Growing
from arplay.core.word_edges import KIND
from arplay.engine.word_edges import Edged
from arplay.export.parts import Divided
from arplay.gui import kinds
from arplay.gui.intents import CorrectSpaces, Select, StopAsking
from arplay.gui.pace import takes
from arplay.gui.panels.filled import FilledPanel
from arplay.gui.stale import NOT_SCORED, no_scores
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.choice import Choice
from arplay.gui.widgets.layouts import FREE, in_row
from arplay.gui.widgets.push_button import TIP, offer, push_button
from arplay.gui.widgets.sheet import OnSheet
from arplay.gui.widgets.words.sheet import WordSheet
from arplay.gui.widgets.words.table import Sums, WordRows

EMPTY = "Go on: words, lines and sentences of a text get a row each here, and so do the rows of a picture."
NO_PARTS = "A {} has no words, lines or rows: it is in the heatmap and in the ledger, token by token."
CORRECT = (
    "Reads the text once more for log p of each word itself: a token that begins with a space also tells that the word "
    "before has ended, which is moved to that word"
)
OLD = "what was corrected before was of another text, model or reading"
SLICE = 0.006
"""Seconds that finding the parts may hold up the window at a time."""


class WordsPanel(OnSheet, FilledPanel):
    explanation = (
        "<p>log p of a stretch of text is the sum over its tokens: <b>log p(word | before) = Σ log p(x<sub>i</sub> | "
        "x<sub>&lt;i</sub>)</b>. Here each word, line, sentence or paragraph is a row (of a picture each of its rows); "
        "a token belongs to the one in which it begins, so that the rows add up to the whole text.</p>"
        "<p>Click a row: its tokens light up everywhere. Select several (Shift, Ctrl) for their sums. A heading "
        "sorts.</p>"
        "<p>The white space before a word is a part of it, as most tokens bring their space along. Such a token says "
        "two things: the word before has ended, and how this one begins. <b>Correct spaces</b> moves the first to the "
        "word before (Pimentel and Meister 2024): with B the tokens that begin a word or end the text,<br>"
        "log p(word) = Σ log p(x<sub>i</sub>) + log P(B | before, word) − log P(B | before).<br>"
        "Only so do the probabilities of all words that may come sum to 1. Both values are shown.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self._kind = ""
        self._offered: tuple[str, ...] = ()
        self._sent: tuple[int, int] | None = None
        self._shows = False
        """A row is shown, and not chosen by hand."""
        self._more = QTimer(self, singleShot=True, interval=0)
        self._more.timeout.connect(self._go_on)
        self.rows, self.told = WordRows(), Caption()
        self.correct = push_button("Correct spaces", CORRECT, self._correct, role="chip")
        self.kinds = Choice("Words, lines, sentences or paragraphs", "What a row is")
        self.kinds.chosen.connect(self._choose)
        head = in_row(self.kinds, FREE, self.correct, spacing=SPACE[2])
        column = QVBoxLayout(self.body)
        column.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addLayout(head)
        column.addWidget(self.rows, 1)
        column.addWidget(self.told)
        selection = self.rows.selectionModel()
        selection.currentRowChanged.connect(self._row_chosen)
        self.rows.clicked.connect(self._row_chosen)
        selection.selectionChanged.connect(self._show_sums)
        self._show_words()

    def veiled(self) -> QWidget:
        return self.body

    @property
    def edged(self) -> Edged | None:
        """The edges of the words of what is scored here, where they are wanted."""
        found, ledger = self.view.answer_to(CorrectSpaces).found, self.view.ledger
        if found is None or ledger is None or not ledger.complete or self._kind != KIND:
            return None
        here = found.info is self.view.info and found.is_of(ledger) and ledger.encoded.is_of(found.document)
        return found if here else None

    @property
    def found(self) -> Divided:
        """What is in sight."""
        return Divided(self._kind, self.edged)

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        if view.settings.unit != before.settings.unit:
            self.rows.table.show_unit(view.settings.unit)
            self._show_sums()
        if view.ledger is not before.ledger:
            self._show_parts()
        asked = view.answer_to(CorrectSpaces)
        if asked is not before.answer_to(CorrectSpaces) and asked.found is not before.answer_to(CorrectSpaces).found:
            self._show_corrected()
        if view.ledger is not before.ledger or view.lit != before.lit:
            self._show_selected()
        self._show_words()

    # ---- what is shown

    def _show_parts(self) -> None:
        ledger, growing = self.view.ledger, self.rows.table.growing
        divisions = ledger.encoded.divisions if ledger is not None else ()
        if divisions and divisions != self._offered:
            self._offer(divisions)
        if ledger is None or not divisions:
            self.rows.show_parts(None)
        elif growing is None or growing.kind != self._kind or not growing.follows(ledger):
            growing = Growing(ledger, self._kind)
            if self.isVisible():
                self._take(growing)
            self.rows.show_parts(growing)
            self._more.start()
        else:
            self._more.start()

    def _go_on(self) -> None:
        """Some more parts, as long as somebody looks."""
        growing = self.rows.table.growing
        if growing is None or not self.isVisible():
            return
        had = len(growing)
        if self._take(growing):
            self._more.start()
        self.rows.table.grow()
        if not had or growing.found:
            self._show_selected()
        if growing.found:
            self._show_corrected()
        self._show_sums()

    def _take(self, growing: Growing) -> bool:
        """Look for parts for :data:`SLICE` seconds; whether there may be more."""
        until = time.perf_counter() + SLICE
        while growing.go_on():
            if time.perf_counter() > until:
                return True
        return False

    def _whole(self) -> None:
        """All of them at once, for an export."""
        growing = self.rows.table.growing
        if growing is not None and not growing.found:
            while growing.go_on():
                pass
            self.rows.table.grow()
        self._show_corrected()

    def _show_corrected(self) -> None:
        """Once all words are there."""
        table, edged = self.rows.table, self.edged
        if table.growing is not None and table.growing.found and (edged is not None or table.corrected is not None):
            table.correct(edged.edges if edged is not None else None)
            self.rows.fit()

    def _offer(self, divisions: tuple[str, ...]) -> None:
        """A button for each kind of parts; the one that was chosen stays so where it is there."""
        self._offered = divisions
        if self._kind not in divisions:
            self._kind = divisions[0]
        options = [(f"{kind.capitalize()}s", f"A row a {kind}") for kind in divisions]
        self.kinds.set_options(options, divisions.index(self._kind))

    def _choose(self, at: int) -> None:
        self._kind = self._offered[at]
        self._show_parts()
        self._show_selected()
        self._show_words()

    def _correct(self) -> None:
        runs = self.view.answer_to(CorrectSpaces).runs
        self.intent.emit(StopAsking(CorrectSpaces) if runs else CorrectSpaces())

    def _show_selected(self) -> None:
        lit = self.view.lit
        if lit is not None and lit == self._sent and self.rows.selectionModel().hasSelection():
            return  # what was clicked here, perhaps with others
        self._sent, self._shows = None, True
        self.rows.show_row(None if lit is None else self.rows.table.with_token(lit[0]))
        self._shows = False

    def _show_words(self) -> None:
        view, ledger = self.view, self.view.ledger
        has = ledger is not None and len(ledger) > 0 and bool(ledger.encoded.divisions)
        self.pages.setCurrentWidget(self.body if has else self.empty)
        self.setFocusProxy(self.rows if has else None)  # type: ignore[arg-type]
        asked = view.answer_to(CorrectSpaces)
        self.correct.setText("Stop" if asked.runs else "Correct spaces")
        self.correct.setVisible(has and self._kind == KIND and (asked.runs or self.edged is None))
        if ledger is not None and has:
            read = ledger.windows.cost(ledger.before + len(ledger)).read
            self.correct.setProperty(TIP, f"{CORRECT}. It reads {read:,} tokens{takes(read, view)}.")
        offer(self.correct, view.no_model or ("" if ledger is not None and ledger.complete else NOT_SCORED))
        if has:
            self._show_sums()
        elif ledger is not None and len(ledger):
            self.empty.setText(NO_PARTS.format(kinds.of_document(view.document).noun))
        else:
            self.empty.setText(no_scores(view) or EMPTY)

    def _show_sums(self) -> None:
        """Of the selected rows, or of all."""
        table = self.rows.table
        if table.growing is not None and self.isVisible():
            self.told.show_text(self._said())

    def _said(self) -> str:
        table, chosen, unit = self.rows.table, self.rows.chosen, self.view.settings.unit
        if (asked := self.view.answer_to(CorrectSpaces)).share is not None and self._kind == KIND:
            return f"{asked.doing}: {part_percent(asked.share)}"
        assert table.growing is not None and self.view.ledger is not None
        kind, of = table.growing.kind, self.view.ledger.unit
        if len(chosen) > 1:
            return f"selected: {_sums(table.sums(chosen), kind, of.per, unit)}"
        count = len(table.growing)
        if not table.growing.found:
            return f"{count:,} {kind}s so far"
        totals = self.view.ledger.totals
        if not totals.scored:
            return f"{count:,} {kind}s; none has a score"
        nll = number(in_unit(0.0 - totals.nll_nats, unit))
        said = f"{count:,} {kind}{'' if count == 1 else 's'}; together log p = {nll} {unit}"
        old = asked.found is not None and self.edged is None and kind == KIND
        return f"{said}; {OLD}" if old else said

    # ---- what is asked

    def _row_chosen(self, current: QModelIndex) -> None:
        """A click on the row that is current tells no change."""
        if not current.isValid() or self._shows:
            return
        tokens = self.rows.table.tokens_of(current.row())
        if tokens not in (self._sent, self.view.lit):
            self._sent = tokens
            self.intent.emit(Select(*tokens))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.rows.set_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._more.start()
        self._show_sums()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.told.setVisible(self.height() >= 130)

    # ---- export

    what = "rows"

    def count(self) -> int:
        self._whole()
        return len(self.rows.table.rows)

    def in_sight(self) -> tuple[int, int] | None:
        first, last = self.rows.rowAt(0), self.rows.rowAt(self.rows.viewport().height() - 1)
        return None if first < 0 else (first, last + 1 if last >= 0 else self.count())

    def sheet(self, first: int = 0, stop: int | None = None) -> WordSheet | None:
        """Rows [first, stop) on paper; None if there is nothing."""
        count = self.count()
        if not count:
            return None
        return WordSheet(self.rows.table, self._said(), self.theme, first, count if stop is None else stop)


def _sums(sums: Sums, kind: str, per: str, unit: str) -> str:
    """Several parts in words, the figures first."""
    if not sums.scored:
        return f"{sums.parts:,} {kind}s, none with a score"
    logprob = number(in_unit(sums.logprob, "bits" if unit == "bits" else "nats"))
    bits = number(-sums.logprob / LN2 / sums.units) if sums.units else "—"
    return (
        f"{sums.parts:,} {kind}s, {sums.tokens:,} tokens; log p = {logprob} {unit}; "
        f"{number(in_unit(-sums.logprob / sums.scored, unit))} {unit} per token; {bits} {per}"
    )
