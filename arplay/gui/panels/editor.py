"""The prompt editor: a view of the document around its text field, with what is to be known about its pieces."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from arplay.core.pieces import visible
from arplay.gui.contract import Do, Panel, Take, View, Zoom
from arplay.gui.theme import SPACE, Theme
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.text.area import TextArea
from arplay.gui.widgets.text.marks import NO_MARKS, Marks

_ADDED_BY = {
    "tokenizer": "added by the tokenizer",
    "bos": "put before the text (BOS, your choice)",
    "eos": "put before the text (EOS, your choice)",
}
ROOMY = 150
"""Pixels of height from which there is room for more than the text."""


class Elided(QLabel):
    """A label that gives way: what does not fit ends in an ellipsis, the whole is in the tooltip."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.end()


class Bar(QFrame):
    """One quiet line above the text: what is the case, and the one thing that can be done about it."""

    def __init__(self, role: str, action: str | None, tip: str) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.label = Elided()
        self.label.setToolTip(tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[2], SPACE[0], SPACE[0], SPACE[0])
        row.setSpacing(SPACE[1])
        row.addWidget(self.label, 1)
        self.button = QPushButton(action or "", self)
        self.button.setProperty("role", "chip")
        self.button.setToolTip(tip)
        self.button.setVisible(action is not None)
        row.addWidget(self.button)
        self.hide()

    def say(self, text: str | None) -> None:
        """Show ``text``, or nothing at all."""
        self.label.setText(text or "")
        self.label.setAccessibleName(text or "")
        self.setVisible(text is not None)


class EditorPanel(Panel):
    """Shows the text and tells what the user does with it. ``leave``: Esc was pressed, the focus goes to the chart."""

    name = "editor"
    title = "Text"
    explanation = (
        "<p>The text whose continuation you see. The <b>caret</b> is the position in the chain: everything before it "
        "is the prefix x<sub>&lt;i</sub>, and the chart shows p(x<sub>i</sub> | x<sub>&lt;i</sub>).</p>"
        "<p>A model reads <b>tokens</b>, not letters. Every other token has a faint ground. Tokens that were "
        "picked or sampled keep their ids and are underlined; what you type is cut into tokens by the tokenizer. "
        "Where kept ids differ from what the tokenizer would choose for the same text, a dotted line says so.</p>"
        "<p>Ctrl+Enter takes the most probable token, Ctrl+Space samples one, Alt+← and Alt+→ go back and forward, "
        "Esc leaves the text.</p>"
    )

    leave = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self.area = TextArea(self)
        self.area.setAccessibleName("Text")
        self.area.hint = "Write something, or drop a text file here. The chart shows what a model would write next."
        self.area.setAccessibleDescription(self.area.hint)
        self.area.setMinimumHeight(SPACE[4] * 2)
        self.area.intent.connect(self.intent)
        self.area.command.connect(self._command)
        self.area.tip_wanted.connect(self._tip)
        self.area.zoomed.connect(self._zoom)
        self.setFocusProxy(self.area)
        self.lead = QLabel()
        self.lead.setProperty("role", "special")
        self.lead.setTextFormat(Qt.TextFormat.PlainText)  # <s> is a name here
        self.lead_note = Elided()
        self.lead_note.setProperty("role", "caption")
        self.lead_row = QWidget()
        self.aside = Bar("note", "Bring it back", "A pick or a sample took the place of the text behind the caret.")
        self.aside.button.clicked.connect(self._bring_back)
        self.badge = Bar(
            "banner",
            "Re-tokenise",
            "The tokenizer would cut the same text into other tokens; a model seldom saw these in training.",
        )
        self.badge.button.clicked.connect(self._retokenise)
        self.excerpt = Bar("note", None, "Long texts are scored as a whole; here you can try out their beginning.")
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where there is little room it goes to the text: at most one bar, and no row for the lead."""
        roomy = self.height() >= ROOMY
        self.lead_row.setVisible(roomy and bool(self.lead_note.text()))
        bars = [bar for bar in (self.aside, self.badge, self.excerpt) if bar.label.text()]
        for i, bar in enumerate(bars):
            bar.setVisible(roomy or i == 0)

    def _arrange(self) -> None:
        row = QHBoxLayout(self.lead_row)
        row.setContentsMargins(SPACE[0], 0, 0, 0)
        row.setSpacing(SPACE[1])
        row.addWidget(self.lead)
        row.addWidget(self.lead_note, 1)
        self.lead_row.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[1], SPACE[1], SPACE[1], SPACE[1])
        column.setSpacing(SPACE[1])
        for widget in (self.excerpt, self.aside, self.badge, self.lead_row):
            column.addWidget(widget)
        column.addWidget(self.area, 1)

    def show_view(self, view: View) -> None:
        before, self._view = self._view, view
        self.area.set_text_size(view.settings.text_size)
        self.area.show_text(view.document.data, view.caret)
        self._show_marks(view, view.loaded is not before.loaded)
        if view.answer is not None or view.loaded is not before.loaded:
            self._show_lead(view)
        if view.node is not before.node or view.tree is not before.tree or view.document is not before.document:
            aside = view.tree is not None and view.tree.put_aside() is not None
            self.aside.say("The text that followed was kept" if aside else None)
        self.excerpt.say(f"The beginning of {view.excerpt_of}" if view.excerpt_of else None)
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.area.set_theme(theme)

    def _show_marks(self, view: View, other_model: bool) -> None:
        """The pieces of the newest answer; until there is one, the old ones around what was edited."""
        marks = NO_MARKS if other_model else self.area.marks
        ends, fixed, departures, selected = marks.ends, marks.fixed, marks.departures, None
        encoded = view.answer.encoded if view.answer is not None and not view.stale else None
        if encoded is not None and view.answer is not None and _covers(encoded.ends, len(view.document)):
            ends, fixed, departures = encoded.ends, encoded.fixed, view.answer.departures
            if view.selected is not None and 0 <= view.selected < len(ends):
                selected = (int(encoded.starts[view.selected]), int(ends[view.selected]))
        settings = view.settings
        self.area.set_marks(Marks(ends, fixed, selected, departures, settings.show_boundaries, settings.show_hidden))
        places = len(departures)
        self.badge.say(
            f"Ids differ from the canonical tokenisation in {places} place{'s' if places > 1 else ''}"
            if places
            else None
        )

    def _show_lead(self, view: View) -> None:
        answer = view.answer
        pieces = [view.loaded.vocabulary.piece(id).text for id in answer.lead] if view.loaded and answer else []
        self.lead.setText(" ".join(pieces))
        self.lead.setVisible(bool(pieces))
        note = _ADDED_BY.get(answer.first_piece, answer.first_piece) if answer is not None and pieces else ""
        if note:
            self.lead.setToolTip("The model reads this token before the text; it counts as context and is not scored.")
            self.lead.setAccessibleName(f"{' '.join(pieces)}, {note}")
        lossy = view.loaded.lossy if view.loaded is not None else ""
        self.lead_note.setText(" · ".join(filter(None, [note, lossy])))
        self.lead_note.setToolTip(lossy)
        self.lead_note.setAccessibleName(self.lead_note.text())

    def _command(self, what: str) -> None:
        if what == "leave":
            self.leave.emit()
        elif what == "step":
            self.intent.emit(Do("step"))
        elif what == "rewind":
            self.intent.emit(Do("rewind"))
        elif self._view.decoded is not None and not self._view.stale and self._view.decoded.kept:
            self.intent.emit(Take(int(np.nanargmax(self._view.decoded.logprobs))))

    def _bring_back(self) -> None:
        self.intent.emit(Do("put_aside"))
        self.area.setFocus()

    def _retokenise(self) -> None:
        self.intent.emit(Do("retokenise"))
        self.area.setFocus()

    def _zoom(self, steps: int) -> None:
        self.intent.emit(Zoom(steps))

    def _tip(self, byte: int, place: QPoint) -> None:
        """What is under the mouse: the piece, its id if it is known, and whether that id was kept."""
        marks = self.area.marks
        index = int(np.searchsorted(marks.ends, byte, side="right"))
        if index >= len(marks.ends):
            QToolTip.hideText()
            return
        start = int(marks.ends[index - 1]) if index else 0
        text = f"“{visible(self.area.shown.data[start : int(marks.ends[index])])}”"
        answer = self._view.answer
        known = answer.encoded if answer is not None and answer.encoded.ends is marks.ends else None
        if known is not None:
            text += f" · id {int(known.ids[index])}"
        if marks.fixed[index]:
            text += " · picked or sampled, its id is kept"
        if any(low <= start < high for low, high in marks.departures):
            text += "\nThe tokenizer would choose other tokens here."
        if known is not None and self._view.loaded is not None:
            for id in known.ids[int(np.searchsorted(marks.ends, start)) + (start > 0) : index].tolist():
                name = self._view.loaded.vocabulary.piece(id).text
                text += f"\nBefore it “{name}” · id {id} · put there by the tokenizer, no bytes are its own"
        QToolTip.showText(place, plain(text), self.area)


def _covers(ends: np.ndarray, size: int) -> bool:
    """Whether the pieces are those of a text of ``size`` bytes."""
    return int(ends[-1]) == size if len(ends) else size == 0
