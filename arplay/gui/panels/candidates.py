"""Candidates: several continuations or labels behind the caret, compared by what the model gives to each as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from arplay.core.candidates import By, Candidates, checked
from arplay.core.errors import Problem
from arplay.core.format import part_percent
from arplay.engine.candidates import Rated
from arplay.export.candidates import ahead
from arplay.gui.canvases.text import transfer
from arplay.gui.contract import Panel
from arplay.gui.dropping import dropped
from arplay.gui.intents import CompareCandidates, Continue, Report, StopAsking
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.candidates.field import CandidateField, pasted_lines
from arplay.gui.widgets.candidates.rows import JOINS, CandidateRows, rows_of, told_of
from arplay.gui.widgets.candidates.sheet import CandidateSheet
from arplay.gui.widgets.caption import Caption, set_role
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.push_button import offer, push_button, segments
from arplay.models import documents
from arplay.textfile import of_lines, read_texts

FIRST = "Once there are candidates: type one, and press Enter"
NO_MODEL = "Here continuations that you name are compared, once a model is loaded."
NO_TEXT = (
    "Candidates are texts that may follow the caret. This model reads {}: the tab Continuations draws and compares "
    "what may follow, and arplay score --candidates rates documents of your own."
)
NONE = "Type what may follow the caret, and press Enter: a word, an answer, a label. A leading space belongs to it."
BY: dict[By, tuple[str, str]] = {
    "sum": ("log p", "Rank by log p of the whole candidate: the most probable first"),
    "token": ("a token", "Rank by log p a token, so that long candidates are not punished for their length"),
    "unit": ("a byte", "Rank by bits a byte, so that it does not matter how the tokenizer cuts them"),
}
KEPT = 50
"""Changes of the list that can be undone."""
ROOMY, LOW = 280, 150


class CandidatesPanel(Panel):
    explanation = (
        "<p>What does the model give to each of several answers? Each candidate is read behind the text before the "
        "caret: <b>log p(candidate | text) = Σ log p(x<sub>i</sub> | text, x<sub>&lt;i</sub>)</b> over its tokens. The "
        "<b>share</b> is p normalised over the list: exp(log p<sub>k</sub>) / Σ<sub>j</sub> exp(log p<sub>j</sub>), "
        "what it would be if one of them had to come.</p>"
        "<p>A longer text has more factors below 1, so a sum favours short candidates. Benchmarks therefore rank by "
        "the mean a token, or a byte, too (acc and acc_norm of lm-evaluation-harness are the sum and the mean a "
        "character). All three stand side by side; a rank that another way changes is marked.</p>"
        "<p>A candidate begins with its own first token behind the text. Where the tokenizer would join both "
        "(“nig” and “ht”), this is a chain that it would never write, and log p is too low: such candidates are "
        "marked. A leading space usually belongs to the candidate, and no space to the end of the text.</p>"
    )

    def __init__(self) -> None:
        super().__init__()
        self.by: By = "sum"
        self.texts: Candidates = ()
        """The list, which may be newer than the view: keys come faster."""
        self._former: list[Candidates] = []
        self.setAcceptDrops(True)
        self.field, self.rows, self.head = CandidateField(), CandidateRows(), Flow()
        self.field.entered.connect(self._add)
        self.add = push_button("Add", "Add what is typed here (Enter)", self.field.enter, name="Add a candidate")
        words = "Add those of a file: a line each, or a list of texts in JSON; a file may be dropped here, too"
        self.load = push_button("Load…", words, self._ask_file, name="Load candidates")
        self.ways = QWidget()
        self.modes = segments(self, ((by, *said) for by, said in BY.items()), self._rank, "Rank by")
        self.modes[self.by].setChecked(True)
        in_row(*self.modes.values(), on=self.ways, spacing=0)
        words = "Compare them behind the caret; this happens by itself where it takes less than a second"
        self.run = push_button("Compare", words, self._run, role="primary", name="Compare or stop")
        for part in (self.field, self.add, self.run, self.load, self.ways):
            self.head.add(part)
        self.said, self.looked = Caption(lines=3), Caption(lines=2)
        self.remove = push_button("Remove", "Take the chosen one off the list (Delete)", self._remove, role="chip")
        self.back = push_button("Undo", "The list as it was before the last change (Ctrl+Z)", self._undo, role="chip")
        self.back.setAccessibleName("Undo the last change of the list")
        words = "Write the chosen candidate behind the caret, token by token; each can be undone (Enter on its row)"
        self.write = push_button("Write it", words, self._write, role="chip", name="Write the chosen candidate")
        for signal, slot in self._signals():
            signal.connect(slot)
        column, foot = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addWidget(self.head)
        column.addWidget(self.rows, 1)
        for caption in (self.said, self.looked):
            column.addWidget(caption)
        foot.addStretch(1)
        for button in (self.back, self.remove, self.write):
            foot.addWidget(button)
        column.addLayout(foot)
        self._show()

    def _signals(self) -> tuple[tuple[Any, Callable[..., None]], ...]:
        rows = self.rows
        return (
            (rows.chosen, self._write), (rows.removed, self._remove), (rows.undone, self._undo),
            (rows.pasted, self._paste), (rows.looked_at, self._show_looked), (rows.table.edited, self._edit),
        )  # fmt: skip

    # ---- what is shown

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        if view.settings.candidates is not before.settings.candidates or before.loaded is None:
            self.texts = view.settings.candidates
        asked = view.answer_to(CompareCandidates) is before.answer_to(CompareCandidates)
        same = (
            view.settings is before.settings, view.loaded is before.loaded, view.document is before.document,
            view.caret == before.caret, asked, view.work == before.work,
        )  # fmt: skip
        if not all(same):
            self._show()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.rows.set_theme(theme)

    @property
    def reads_text(self) -> bool:
        return self.view.loaded is None or documents.reader_of(self.view.loaded.vocabulary).encoded

    @property
    def found(self) -> Rated | None:
        """Those of the list that were compared here; None before any was."""
        return self._of_list(self.view.rated_here)

    def _of_list(self, rated: Rated | None) -> Rated | None:
        known = {} if rated is None else {each.text: each for each in rated.candidates}
        kept = tuple(known[text] for text in self.texts if text in known)
        return replace(rated, candidates=kept) if rated is not None and kept else None

    def _show(self) -> None:
        view, asked = self.view, self.view.answer_to(CompareCandidates)
        last = self._of_list(asked.found)
        here = self.found is not None
        shown, table = last if self.reads_text else None, self.rows.table
        table.tokens = shown.tokens if shown is not None else None
        table.per = shown.tokens.unit if shown is not None else view.loaded.vocabulary.unit if view.loaded else None
        table.unit, table.by, table.dim = view.settings.unit, self.by, not here
        self.rows.message = self._message()
        texts = self.texts if view.loaded is not None and self.reads_text else ()
        self.rows.show_rows(rows_of(texts, shown.candidates if shown is not None else (), self.by))
        self.rows.fit()
        self.rows.horizontalHeader().viewport().update()
        self.rows.viewport().update()
        can = view.loaded is not None and self.reads_text
        self.field.setEnabled(can)
        for button in (self.add, self.load):
            offer(button, "" if can else view.no_model or self._message())
        self.setFocusProxy(self.field if can else None)  # type: ignore[arg-type]
        self.run.setText("Stop" if asked.runs else "Compare")
        set_role(self.run, "" if asked.runs else "primary")
        offer(self.run, view.no_model or ("" if can and self.texts else FIRST))
        self.said.show_text(self._told(shown, here))
        self.back.setVisible(bool(self._former) and self.height() >= LOW)
        self._show_looked()

    def _message(self) -> str:
        view = self.view
        if view.loaded is None:
            return view.work or NO_MODEL
        return NONE if self.reads_text else NO_TEXT.format(view.loaded.vocabulary.unit.many)

    def _told(self, shown: Rated | None, here: bool) -> str:
        """The margin; what it is of; and what is wrong."""
        asked, parts = self.view.answer_to(CompareCandidates), list[str]()
        if not self.reads_text or self.view.loaded is None or not self.texts:
            return ""
        if asked.runs:
            return f"{asked.doing}: {part_percent(asked.share or 0.0)}"
        if asked.problem is not None:
            parts.append(f"{asked.problem[0]}; {asked.problem[1]}")
        if shown is None:
            return "; ".join(parts) or "not compared yet"
        if not here:
            parts.append(f"of before ({shown.info.name}, another place): Compare makes it anew")
        elif (left := len(self.texts) - len(shown.candidates)) > 0:
            parts.append(f"{left:,} not compared yet")
        if far := ahead(shown, self.by):
            parts.append(far)
        if joined := sum(each.joins for each in shown.candidates):
            parts.append(f"{joined:,} marked: {JOINS}")
        return "; ".join(parts)

    def _show_looked(self) -> None:
        current = self.rows.current
        self.looked.show_text("" if current is None else told_of(current, self.view.settings.unit))
        known = current is not None and current.found is not None
        self.write.setEnabled(known and self.found is not None)
        self.remove.setEnabled(current is not None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide, high = self.width() >= ROOMY, self.height() >= LOW
        for part in (self.load, self.ways, self.add):
            part.setVisible(wide and high)
        for part in (self.said, self.looked, self.remove, self.write):
            part.setVisible(high)
        self.back.setVisible(bool(self._former) and high)

    # ---- the list

    def _set(self, texts: Iterable[str], current: str = "") -> None:
        """Another list, of which ``current`` is chosen; the former one can be brought back."""
        try:
            new = checked(text for text in texts if text)
        except Problem as problem:
            self.intent.emit(Report(problem.cause, problem.remedy))
            return
        if new != self.texts:
            self._former = [*self._former[1 - KEPT :], self.texts]
            self._change(new)
        self.rows.show_text(current)

    def _change(self, texts: Candidates) -> None:
        self.texts = texts
        self._show()
        self.change(candidates=texts)

    def _add(self, texts: list[str]) -> None:
        self._set((*self.texts, *texts), texts[-1] if texts else "")

    def _edit(self, index: int, text: str) -> None:
        self._set((*self.texts[:index], text, *self.texts[index + 1 :]), text)

    def _remove(self) -> None:
        current = self.rows.current
        if current is None:
            return
        at = self.rows.currentIndex().row()
        rows = [row.text for row in self.rows.table.rows if row is not current]
        self._set((text for text in self.texts if text != current.text), rows[min(at, len(rows) - 1)] if rows else "")

    def _undo(self) -> None:
        if self._former:
            self._change(self._former.pop())

    def _paste(self) -> None:
        if lines := pasted_lines():
            self._add(lines)

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Load candidates", filter="Texts (*.txt *.json);;All files (*)")
        if name:
            self.read(Path(name))

    def read(self, path: Path) -> None:
        """Add what a file holds."""
        try:
            self._add(read_texts(path))
        except Problem as problem:
            self.intent.emit(Report(problem.cause, problem.remedy))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A file of lines, or lines themselves; a model is for the window."""
        if self.reads_text and self.view.loaded is not None and _given(event) is not None:
            transfer.take(event)
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        given = _given(event)
        if isinstance(given, Path):
            self.read(given)
        elif given:
            self._add(given)
        transfer.take(event)

    # ---- what is asked

    def _rank(self, by: By) -> None:
        self.by = by
        self._show()

    def _run(self) -> None:
        runs = self.view.answer_to(CompareCandidates).runs
        self.intent.emit(StopAsking(CompareCandidates) if runs else CompareCandidates(self.texts))

    def _write(self) -> None:
        current = self.rows.current
        if current is not None and current.found is not None and self.found is not None:
            self.intent.emit(Continue(tuple(current.found.ids.tolist())))

    # ---- as a picture

    def chart_size(self) -> tuple[int, int] | None:
        return self._sheet().chart_size() if self.found is not None else None

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        if self.found is not None:
            self._sheet().paint_chart(painter, area)

    def _sheet(self) -> CandidateSheet:
        said = self._told(self.found, True)
        return CandidateSheet(self.rows.table, said, self.view.settings.unit, self.theme)


def _given(event: QDropEvent) -> Path | list[str] | None:
    """What a drag brings that is meant for the list."""
    mime = event.mimeData()
    if mime.hasUrls():
        urls = mime.urls()
        path = Path(urls[0].toLocalFile())
        if len(urls) != 1 or not urls[0].isLocalFile():
            return None
        return path if not path.exists() or dropped(urls)[0] == "text" else None  # one that is gone is told
    lines = of_lines(mime.text()) if mime.hasText() else []
    return lines or None
