"""Tokenizers: one text under several of them, with their boundaries and figures."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from arplay.core.format import part_percent
from arplay.engine.segmentations import Segmented
from arplay.engine.tokenizing import Tokenized
from arplay.export.tokenizers import nll_of, rows, sentence
from arplay.gui.contract import Panel
from arplay.gui.intents import StopAsking, TokenizeText
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, Label, set_role
from arplay.gui.widgets.choice import Choice as Choices
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.push_button import offer, push_button
from arplay.gui.widgets.tokenizers.choice import Choice
from arplay.gui.widgets.tokenizers.field import TextField
from arplay.gui.widgets.tokenizers.figures import FigureRows
from arplay.gui.widgets.tokenizers.lines import page_of, pages, word_at
from arplay.gui.widgets.tokenizers.merges import MergesPage
from arplay.gui.widgets.tokenizers.page import TokenizerPage
from arplay.gui.widgets.tokenizers.search import VocabularyPage
from arplay.gui.widgets.tokenizers.sheet import TokenizerSheet
from arplay.gui.widgets.tokenizers.stack import Layer, StackView
from arplay.gui.widgets.tokenizers.ways import WaysPage
from arplay.models import documents

ANY = (1 << 24) - 1
"""Qt's QWIDGETSIZE_MAX: no greatest height."""
NO_MODEL = "Here a text is cut by the tokenizers of several models, once one is loaded."
NOTHING = "Write something, or type a text in the field above: here it stands with the boundaries of its tokens."
NO_TEXT = "This model reads {}, each of which is a token. Type a text in the field above to cut it by other tokenizers."
ALONE = "the button Tokenizers sets others beside this one: the same text has another perplexity by each"
BY_HAND = "A long text is cut when you press Cut, any other by itself."
ROOMY, LOW, BOTH = 360, 170, 330
"""Pixels of width for all controls, of height for words, and for figures above the boundaries."""
MODES = {
    "boundaries": ("Boundaries", "The text with the tokens of each tokenizer below it"),
    "figures": ("Figures", "How many tokens, and how much of the text each holds"),
    "merges": ("Merges", "How a word becomes tokens, merge by merge"),
    "vocabulary": ("Vocabulary", "Find tokens by what they write, by bytes or by id"),
    "ways": ("Segmentations", "Every way to cut a word into tokens, and what the model gives to each"),
}
PAGES: dict[str, Callable[[], TokenizerPage]] = {
    "merges": MergesPage,
    "vocabulary": VocabularyPage,
    "ways": WaysPage,
}


class TokenizersPanel(Panel):
    explanation = (
        "<p>A model reads <b>tokens</b>, and its tokenizer cuts the text into them: by merges that were learnt (byte "
        "pair encoding), by scores of whole tokens (Unigram), by the longest that fits (WordPiece, tables). Here one "
        "text stands under several tokenizers, each with a row of boxes, so that boundaries line up; one may go "
        "through the middle of a character. Special tokens have another colour.</p>"
        "<p><b>Perplexity</b> is exp(NLL / tokens): for one and the same probability of a text it is another number "
        "for every tokenizer, larger where tokens are longer. <b>Bits per byte</b>, NLL / (ln 2 · bytes), are not: "
        "compare models with different tokenizers by them.</p>"
        "<p>Only tokenizers are opened, no weights. A token that was picked or sampled keeps its id in the text; here "
        "all is cut as if it had been typed.</p>"
    )

    def __init__(self) -> None:
        super().__init__()
        self.page = 0
        self._shown_of: object = None
        self.head, self.choice, self.stack, self.figures = Flow(), Choice(), StackView(), FigureRows()
        self.field = TextField()
        self.field.setPlaceholderText("the text in the window")
        self.field.setAccessibleName("A text of your own to cut")
        self.field.setToolTip("Type another text to cut it in place of the one in the window; Enter cuts it, an empty "
                              "field is the text in the window")  # fmt: skip
        self.field.returnPressed.connect(self._own)
        self.run = push_button("Cut", "Cut the text by each tokenizer", self._run, role="primary", name="Cut or stop")
        self.back = push_button("‹", "The part before", self._back, role="chip", name="The part before")
        self.on = push_button("›", "The part behind", self._on, role="chip", name="The part behind")
        self.where, self.said = Label(role="caption"), Caption()
        self.pager, row = QWidget(), QHBoxLayout()
        self.pager.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[0])
        for each in (self.back, self.where, self.on):
            row.addWidget(each)
        self.mode = "boundaries"
        self.tabs = Choices("What is shown", "Boundaries, figures, merges, the vocabulary, or segmentations")
        self.tabs.set_options(tuple(MODES.values()))
        self.tabs.chosen.connect(lambda at: self._set_mode(list(MODES)[at]))
        for part in (self.tabs, self.field, self.choice.button, self.run, self.pager):
            self.head.add(part)
        self.choice.changed.connect(self._choose)
        self.stack.chosen.connect(self._on_token)
        self.pages: dict[str, TokenizerPage] = {}
        column = self.column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addWidget(self.head)
        column.addWidget(self.figures, 1)
        column.addWidget(self.stack, 4)
        column.addWidget(self.said)
        self._show()

    # ---- what is shown

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        settings, former = view.settings, before.settings
        same = (
            settings.tokenizers is former.tokenizers, settings.cut_text == former.cut_text,
            view.loaded is before.loaded, view.document is before.document, view.ledger is before.ledger,
            view.answer_to(TokenizeText) is before.answer_to(TokenizeText), view.work == before.work,
        )  # fmt: skip
        if not all(same):
            self._show()
        if self.mode in self.pages:
            self.pages[self.mode].show_all(view, self.last)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.stack.set_theme(theme)
        self.figures.set_theme(theme)
        for page in self.pages.values():
            page.set_theme(theme)

    @property
    def last(self) -> Tokenized | None:
        """What was cut last, perhaps of another text; None where there is a picture or a sound, and nothing typed."""
        found: Tokenized | None = self.view.answer_to(TokenizeText).found
        return found if self.view.settings.cut_text or documents.is_text(self.view.document) else None

    @property
    def found(self) -> Tokenized | Segmented | None:
        """What the table of an export is of: the ways to cut a word where they are in sight, else the tokens."""
        page = self.pages.get(self.mode)
        return page.segmented or self.cut if isinstance(page, WaysPage) else self.cut

    @property
    def cut(self) -> Tokenized | None:
        """The tokens of this text, by these tokenizers."""
        found, view = self.last, self.view
        if found is None or view.loaded is None or not found.found:
            return None
        mine, specs = found.found[0].tokens, tuple(each.spec for each in found.found[1:])
        if mine is not None and mine.name != view.loaded.vocabulary.name:
            return None
        own, document = view.settings.cut_text, found.document
        here = documents.document(own, None) if own else view.document
        same = document is here or document == here
        if not own and view.excerpt_of is not None:  # the window holds its beginning only
            same = here.continued(document.file) is not None
        return found if same and specs == view.settings.tokenizers else None

    def _show(self) -> None:
        view, asked, found = self.view, self.view.answer_to(TokenizeText), self.last
        here = self.cut is not None
        if not self.field.hasFocus():
            self.field.setText(view.settings.cut_text)
        self.choice.specs = view.settings.tokenizers
        if found is not None and found is not self._shown_of:
            before = max(0, view.caret - found.start) if not view.settings.cut_text else 0
            self.page, self._shown_of = page_of(found.text.file, before), found
        records = rows(found, nll_of(view.ledger, found)) if found is not None else []
        self.figures.message = self._message()
        self.figures.show_records(records, not here)
        self._show_page()
        self._fit()
        self.run.setText("Stop" if asked.runs else "Cut")
        set_role(self.run, "" if asked.runs else "primary")
        offer(self.run, view.no_model if view.loaded is None else "")
        self.said.show_text(self._told(found, here))

    def _show_page(self) -> None:
        found = self.last
        if found is None:
            self.stack.show_layers((), b"", 0, self._message(), False)
            self.pager.setVisible(False)
            return
        parts = pages(found.text.file)
        self.page = min(self.page, max(0, len(parts) - 1))
        low, high = parts[self.page] if parts else (0, 0)
        self.stack.show_layers(self._layers(found), found.text.file[low:high], low, self._message(), self.cut is None)
        self.pager.setVisible(len(parts) > 1 and self.width() >= ROOMY and self.mode == "boundaries")
        self.back.setEnabled(self.page > 0)
        self.on.setEnabled(self.page < len(parts) - 1)
        self.where.setText(f"{found.start + low + 1:,} – {found.start + high:,} of {len(found.document):,}")

    @staticmethod
    def _layers(found: Tokenized) -> tuple[Layer, ...]:
        return tuple(Layer(each.name, tokens, encoded) for each, tokens, encoded in found.known)

    def _message(self) -> str:
        view = self.view
        if view.loaded is None:
            return view.work or NO_MODEL
        if not view.settings.cut_text and not documents.is_text(view.document):
            return NO_TEXT.format(view.loaded.vocabulary.unit.many)
        if not view.settings.cut_text and view.document.is_blank:
            return NOTHING
        asked = view.answer_to(TokenizeText)
        return f"{asked.doing}: {part_percent(asked.share or 0)}" if asked.runs else BY_HAND

    def _told(self, found: Tokenized | None, here: bool) -> str:
        asked, parts = self.view.answer_to(TokenizeText), list[str]()
        if asked.problem is not None:
            parts.append("; ".join(asked.problem))
        if found is None:
            return "; ".join(parts)
        if not here:
            parts.append("of before: another text, or other tokenizers" + ("" if asked.runs else "; Cut makes it anew"))
        if len(found.text) < len(found.document):
            parts.append(f"{len(found.text):,} of {len(found.document):,} around the caret")
        several = len(found.distinct) > 1
        parts.append(sentence(found, nll_of(self.view.ledger, found)) if several else ALONE)
        return "; ".join(parts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def wanted_height(self, view: View, width: int) -> int:
        return BOTH

    def _set_mode(self, mode: str) -> None:
        self.mode = mode
        if self.mode in PAGES:
            page = self._page()
            if not page.field.text() and self.mode != "vocabulary" and self.last is not None:
                page.begin(word_at(self.last.text.file, max(0, self.view.caret - self.last.start - 1)))
        self._show()

    def _page(self) -> TokenizerPage:
        """The page of this mode, which is made when it is first asked for."""
        if self.mode not in self.pages:
            page = self.pages[self.mode] = PAGES[self.mode]()
            page.set_theme(self.theme)
            page.intent.connect(self.intent)
            self.column.insertWidget(1, page, 5)
        self.pages[self.mode].show_all(self.view, self.last)
        return self.pages[self.mode]

    def _on_token(self, layer: int, index: int) -> None:
        """How the word is made that a token belongs to."""
        if self.last is None:
            return
        each, _, encoded = list(self.last.known)[layer]
        self.mode = "merges"
        self.tabs.show_at(list(MODES).index("merges"))
        self._page().choose(each.spec, word_at(self.last.text.file, encoded.span(index)[0]))
        self._show()

    def _fit(self) -> None:
        """Figures above the boundaries where there is room for both."""
        both = self.mode == "boundaries" and self.height() >= BOTH and bool(self.figures.table.rows)
        self.figures.setVisible(both or self.mode == "figures")
        self.figures.setMinimumHeight(min(self.figures.wanted, self.height() // 3) if both else 0)
        self.figures.setMaximumHeight(self.figures.wanted if both else ANY)
        self.stack.setVisible(self.mode == "boundaries")
        for mode, page in self.pages.items():
            page.setVisible(mode == self.mode)
        wide, high = self.width() >= ROOMY, self.height() >= LOW
        self.choice.button.setVisible(wide)
        for part in (self.field, self.run):
            part.setVisible(wide and self.mode not in PAGES)
        cut = self.mode == "boundaries" and self.last is not None
        self.setFocusProxy(self.stack if cut else self.tabs)
        self.said.setVisible(high and self.mode not in PAGES)
        self.tabs.setVisible(high or wide)

    # ---- what is asked

    def _choose(self, specs: tuple[str, ...]) -> None:
        self.change(tokenizers=specs)

    def _own(self) -> None:
        self.change(cut_text=self.field.text())

    def _run(self) -> None:
        if self.view.answer_to(TokenizeText).runs:
            self.intent.emit(StopAsking(TokenizeText))
            return
        if self.field.text() != self.view.settings.cut_text:
            self._own()
        self.intent.emit(TokenizeText(self.view.settings.tokenizers, self.field.text()))

    def _back(self) -> None:
        self.page -= 1
        self._show_page()

    def _on(self) -> None:
        self.page += 1
        self._show_page()

    # ---- as a picture

    def chart_size(self) -> tuple[int, int] | None:
        return self._sheet(self.cut).chart_size() if self.cut is not None else None

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        if self.cut is not None:
            self._sheet(self.cut).paint_chart(painter, area)

    def _sheet(self, found: Tokenized) -> TokenizerSheet:
        """Of the part that is in sight."""
        nll, (low, high) = nll_of(self.view.ledger, found), (pages(found.text.file) or [(0, 0)])[self.page]
        data, layers = found.text.file[low:high], self._layers(found)
        return TokenizerSheet(rows(found, nll), layers, data, low, sentence(found, nll), self.theme)
