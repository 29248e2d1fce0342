"""What a text is written in: the field, its tools, the row for going through it, and what is to be known of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from arplay.core.chain import Ledger
from arplay.core.format import percent
from arplay.core.healing import LIKELY
from arplay.core.modalities.encoded_text import Encoded, bytes_of
from arplay.core.modalities.text import text_of
from arplay.core.modalities.vocabulary import visible
from arplay.core.rising import place_in
from arplay.gui.canvases.canvas import Canvas
from arplay.gui.canvases.text.alternatives import alternatives
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.canvases.text.heat.layout import rows_about
from arplay.gui.canvases.text.marks import NO_MARKS, Marks
from arplay.gui.canvases.text.notes import Note, Notes
from arplay.gui.canvases.text.tools import TextTools
from arplay.gui.intents import CaretMoved, Do, Intent, Report, Select, Take, Zoom
from arplay.gui.theme import LIGHT, SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.layouts import in_column
from arplay.gui.widgets.seek import SeekBar

_ADDED_BY = {
    "tokenizer": "added by the tokenizer",
    "bos": "put before the text (BOS, your choice)",
    "eos": "put before the text (EOS, your choice)",
}
NOTES, ROOMY = 80, 134
"""Pixels of height from which there is room for a note, and for a line that waits for notes."""


class TextCanvas(Canvas):
    """The editor with its tools, the row for going through the text, and what is to be known below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self._wants_others = False
        self._theme: Theme = LIGHT
        self._told = False
        """Something was said below this text: the line for it stays, so that the text does not jump again."""
        self.area = TextArea(self)
        self.area.setAccessibleName("Text")
        self.area.hint = "Write something, or drop a text file here. The chart shows what a model would write next."
        self.area.setAccessibleDescription(self.area.hint)
        self.area.setMinimumHeight(SPACE[3] * 2)
        self.area.intent.connect(self.intent)
        self.area.command.connect(self._command)
        self.area.tip_wanted.connect(self._tip)
        self.area.others_wanted.connect(self._others_at)
        self.area.zoomed.connect(self._zoom)
        self.setFocusProxy(self.area)
        self.tools, self.seek, self.notes = TextTools(), SeekBar(self.area), Notes()
        self.tools.intent.connect(self.intent)
        self.tools.seek.connect(self.open_seek)
        self.seek.intent.connect(self.intent)
        self.notes.chosen.connect(self._on_note)
        in_column(self.seek, (self.area, 1), self.notes, on=self, margins=SPACE[1], spacing=SPACE[1])
        self.beside_title, self.scrolls = self.tools, self.area

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)  # the panel has one: where there is little room, much of this is hidden

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where there is little room it goes to the text, and to what is to be done about it."""
        height = self.height() - (0 if self.seek.isHidden() else self.seek.sizeHint().height())
        self.notes.setVisible((height >= ROOMY and self._told) or (height >= NOTES and bool(self.notes.notes)))

    def open_seek(self, part: str) -> None:
        """The row for going through the text, with this part of it; a word that is selected is searched for."""
        chosen = self.area.textCursor().selectedText()
        self.seek.open_at(part, chosen if "\u2029" not in chosen else "")
        self.seek.show_view(self._view)

    def selected_tokens(self, ledger: Ledger | None) -> tuple[int, int] | None:
        """The tokens [first, stop) of ``ledger`` that are selected in the text; None where it is of another text."""
        low, high = self.area.selected_bytes()
        if ledger is None or low >= high or self.area.shown.data[:high] != bytes_of(ledger.encoded)[:high]:
            return None
        first, last = (place_in(ledger.ends, byte, "right") for byte in (low, high - 1))
        return first, last + 1

    def wanted_height(self, view: View, width: int) -> int:
        lines = rows_about(text_of(view.document).data, view.settings.text_size, width)
        notes = self.notes.height() + SPACE[1]  # kept free before there is one: the text is not to jump
        return max(ROOMY, 34 + 2 * lines * view.settings.text_size + notes)

    def show_view(self, view: View) -> None:
        before, self._view = self._view, view
        if view.answer is not None or view.info is not before.info:
            self._show_lead(view)
        self.notes.show_notes(self._notes(view))
        if view.info is not before.info or view.name != before.name or not len(view.document):
            self._told = False
        self._told = self._told or bool(self.notes.notes or self.notes.lead.text())
        self._fit()  # before the text is there: Qt would lay a long line out twice
        self.area.set_text_size(view.settings.text_size)
        self.area.show_text(text_of(view.document).data, view.caret)
        if view.settings is not before.settings:
            self._show_style()
        wanted = view.settings.ghost and view.caret == len(view.document) > 0
        can = view.loaded is not None and not view.loaded.can.partial
        self.area.set_ghost(view.ghost if wanted else "", wanted and can)
        self._show_marks(view, view.info is not before.info)
        self.seek.show_view(view)
        self._fit()
        if self._wants_others and not view.stale:
            self._open_others()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.seek.set_theme(theme)
        self._show_style()

    def _show_style(self) -> None:
        settings = self._view.settings
        self.tools.show_settings(settings, self._theme)
        self.area.set_style(self._theme, HeatScale.by(self._theme, settings))

    def _show_marks(self, view: View, other_model: bool) -> None:
        """The tokens of the newest answer; until there is one, the old ones around what was edited."""
        marks = replace(NO_MARKS if other_model else self.area.marks, selected=None)
        encoded = _encoded(view)
        if encoded is not None and view.answer is not None:
            selected = None
            if view.lit is not None and 0 <= view.lit[0] < len(encoded.ends):
                first, stop = view.lit
                selected = encoded.span(first)[0], encoded.span(min(stop, len(encoded.ends)) - 1)[1]
            marks = Marks(encoded.ids, encoded.ends, encoded.fixed, selected, view.departures)
        settings = view.settings
        marks = replace(marks, tokens=settings.tokens, hidden=settings.show_hidden, found=view.found)
        rewound, taken = _rewound(view, encoded) if view.peeking else None, view.rewound is not None
        marks = replace(marks, rewound=rewound, taken=taken)
        self.area.set_marks(marks.scored_by(view.ledger))

    def _notes(self, view: View) -> tuple[Note, ...]:
        """What is the case at the caret and in the text, what is nearest first."""
        notes = []
        encoded = _encoded(view)
        if encoded is not None and (inside := _inside(encoded, view.caret)) is not None:
            start, end = inside
            data = text_of(view.document).data
            whole, part = label(visible(data[start:end])), label(visible(data[start : view.caret]))
            meaning = (
                f"Here the model reads “{part}” before the caret, cut into tokens on its own, and says what would "
                "follow that. The text is as it was."
            )
            words = f"The caret is inside the token “{whole}”"
            notes.append(Note(words, meaning, "Go to its start", CaretMoved(start)))
        if encoded is not None and _has_two_bos(view, encoded):
            meaning = (
                "The text begins with a BOS token, and how it is read puts another one before it. Few models were "
                "taught that: take the one of the text away, or choose another rule for the first token."
            )
            notes.append(Note("BOS stands twice before the text", meaning))
        heal = view.answer.heal if view.answer is not None and not view.stale and not view.playing else None
        if heal is not None and heal.share >= LIKELY:
            shown = label(visible(heal.text.encode()))
            meaning = (
                f"Of all tokens that could stand in place of the last one, “{shown}”, and begin so, longer ones have "
                f"{percent(heal.share)} of the probability: the model expects the next token to begin with it. "
                "Healing draws one of them in its place; undo brings it back."
            )
            notes.append(Note(f"The text ends inside a likely token: “{shown}” goes on", meaning, "Heal", Do("heal")))
        if view.tree is not None and view.tree.put_aside() is not None:
            meaning = "A token was put into the middle of a text. What stood behind it is not lost: it is a branch now."
            notes.append(Note("The text that followed is kept", meaning, "Bring it back", Do("put_aside")))
        if encoded is not None and view.departures:
            places = len(view.departures)
            words = f"{places} place{'s' * (places > 1)} cut into other tokens than a tokenizer would"
            meaning = (
                "The same letters can be written with several tokens. Sampled and picked tokens stay as they were "
                "chosen, which is what the model really wrote; reading the text anew cuts it as if it had been typed "
                "(special tokens stay)."
            )
            notes.append(Note(words, meaning, "Read anew", Do("retokenise")))
        if view.run is not None:
            meaning = (
                "Its scores were read from a file, and its model is not loaded: heatmap, ledger and plots show what "
                "the file tells, the chart what was kept of each token. What asks a model anew needs one: any in the "
                "Model menu, or here the one that made it."
            )
            notes.append(Note(f"A saved scoring run of {view.run.info.name}", meaning, "Score anew", Do("score_anew")))
        if view.excerpt_of:
            meaning = "Long texts are scored as a whole; here you can try out their beginning."
            notes.append(Note(f"The beginning of {view.excerpt_of}; the heatmap shows all of it", meaning))
        if view.loaded is not None and view.loaded.lossy:
            meaning = "Each byte of the text still belongs to exactly one token."
            notes.append(Note(view.loaded.lossy, meaning))
        return tuple(notes)

    def _show_lead(self, view: View) -> None:
        answer = view.answer
        tokens = [view.loaded.vocabulary.label(id) for id in answer.lead] if view.loaded and answer else []
        why = _ADDED_BY.get(answer.first_token, answer.first_token) if answer is not None and tokens else ""
        self.notes.show_lead(" ".join(tokens), why)

    def _command(self, what: str) -> None:
        if what == "leave":
            self.leave.emit()
        elif what == "alternatives":
            self._wants_others = self._view.stale  # then they come with the answer
            if not self._wants_others:
                self._open_others()
        else:
            self.intent.emit(Do(what))  # type: ignore[arg-type]

    def _open_others(self) -> None:
        self._wants_others = False
        encoded = _encoded(self._view)
        if encoded is not None and _inside(encoded, self._view.caret) is not None:
            self._others_at(self._view.caret)  # for the token that the caret stands in
        elif alternatives(self.area, self._view, lambda id: self.intent.emit(Take(id))) is None:
            self.intent.emit(Report("there are no other tokens to choose from here", "put the caret elsewhere"))

    def _others_at(self, byte: int) -> None:
        """For the token at ``byte``: the caret goes to its start first."""
        encoded = _encoded(self._view)
        if encoded is not None:
            self._wants_others = True
            self.intent.emit(Select(place_in(encoded.ends, byte, "right")))

    def _on_note(self, intent: Intent) -> None:
        self.intent.emit(intent)
        self.area.setFocus()

    def _zoom(self, steps: int) -> None:
        self.intent.emit(Zoom(steps))

    def _tip(self, byte: int, place: QPoint) -> None:
        """What is under the mouse: the token, its id if it is known, and whether that id was kept."""
        marks = self.area.marks
        index = place_in(marks.ends, byte, "right")
        if index >= len(marks.ends):
            QToolTip.hideText()
            return
        start = int(marks.ends[index - 1]) if index else 0
        text = f"“{label(visible(self.area.shown.data[start : int(marks.ends[index])]))}”"
        answer = self._view.answer
        known = answer.encoded if answer is not None and answer.encoded.ends is marks.ends else None
        if known is not None:
            text += f" · id {int(known.ids[index])}"
        if marks.fixed[index]:
            text += " · picked or sampled, its id is kept"
        if any(low <= start < high for low, high in marks.departures):
            text += "\nThe tokenizer would choose other tokens here."
        if known is not None and self._view.loaded is not None:
            for id in known.ids[place_in(marks.ends, start) + (start > 0) : index].tolist():
                name = label(self._view.loaded.vocabulary.label(id))
                text += f"\nBefore it “{name}” · id {id} · put there by the tokenizer, no bytes are its own"
        QToolTip.showText(place, plain(text), self.area)


def _encoded(view: View) -> Encoded | None:
    """The tokens of the text, where the newest answer knows them."""
    if view.answer is None or view.stale or not _covers(view.answer.encoded.ends, len(view.document)):
        return None
    encoded = view.answer.encoded
    assert isinstance(encoded, Encoded), "a text"
    return encoded


def _has_two_bos(view: View, encoded: Encoded) -> bool:
    if view.answer is None or view.loaded is None or view.loaded.bos is None or not len(encoded):
        return False
    return view.answer.lead[-1:] == (view.loaded.bos,) and int(encoded.ids[0]) == view.loaded.bos


def _rewound(view: View, encoded: Encoded | None) -> tuple[int, int] | None:
    """The bytes that Rewind takes away, or else those of the token before the caret, which it goes back over."""
    if view.rewound is not None or encoded is None or not view.caret or not len(encoded):
        return view.rewound
    start, _ = encoded.span(place_in(encoded.ends[:-1], view.caret))
    return start, view.caret


def _inside(encoded: Encoded, caret: int) -> tuple[int, int] | None:
    """The bytes of the token that the caret stands in; None between two tokens."""
    index = place_in(encoded.ends, caret, "right")
    if index >= len(encoded.ends):
        return None
    start = int(encoded.ends[index - 1]) if index else 0
    return (start, int(encoded.ends[index])) if start < caret else None


def _covers(ends: np.ndarray, size: int) -> bool:
    """Whether the tokens are those of a text of ``size`` bytes."""
    return int(ends[-1]) == size if len(ends) else size == 0
