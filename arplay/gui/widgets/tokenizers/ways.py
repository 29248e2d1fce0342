"""All the ways to cut a short text into tokens, what the model gives to each, and to the text: their sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtGui import QResizeEvent

from arplay.core.format import in_unit, nats_or_bits, number, part_percent, percent
from arplay.core.segmentations import Segmentation
from arplay.engine.segmentations import Segmented
from arplay.gui.intents import SegmentText, StopAsking
from arplay.gui.settings import Unit
from arplay.gui.theme import Theme
from arplay.gui.widgets.caption import Caption, set_role
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.push_button import offer, push_button
from arplay.gui.widgets.row_table import Column, RowTable, TableRows
from arplay.gui.widgets.tokenizers.cut_row import CutRow
from arplay.gui.widgets.tokenizers.page import TokenizerPage

ROW, LISTED, LOW = 22, 500, 150
"""Pixels of a row, ways that are listed, and pixels of height from which boundaries can be put by hand."""
EMPTY = "Type a word and press Enter: every way to cut it into tokens stands here, with its log p by the model."
TIP = "A short text, a word say; Enter cuts it in every way and asks the model about each, from the beginning of a text"
HAND = "Put other boundaries by hand in the row above: click between two characters."


class WayTable(TableRows):
    columns = (
        Column("way", "The tokens; the tokenizer's own way is marked.", kind="token"),
        Column("tokens", "How many.", 60, 380),
        Column("log p", "Of this chain of tokens.", 100),
        Column("share", "Of p of the text, which all ways together have.", 84, 300),
        Column("bits more", "How many bits this way costs more than the text does: −log₂ of its share.", 84, 460),
    )
    rows: Sequence[Segmentation]
    segmented: Segmented | None = None
    unit: Unit = "nats"

    def title(self, column: int) -> str:
        return f"log p, {self.unit}" if column == 2 else super().title(column)

    def text(self, row: int, column: int) -> str:
        way, segmented = self.rows[row], self.segmented
        assert segmented is not None
        share = way.logprob - segmented.found.marginal
        return (
            label("|".join(segmented.tokens.label(id) for id in way.ids))
            + ("  ← the tokenizer’s" if way is segmented.found.canonical else ""),
            f"{len(way.ids):,}",
            number(in_unit(way.logprob, self.unit), 3),
            percent(segmented.found.share_of(way)),
            number(-share / math.log(2) + 0.0, 3),
        )[column]

    def ink(self, row: int, column: int) -> str:
        own = self.segmented is not None and self.rows[row] is self.segmented.found.canonical
        return "accent" if own and not column else "text"


def edges_of(way: Segmentation, tokens: Any) -> frozenset[int]:
    """The units of the text at which its tokens end."""
    found, at = set[int](), 0
    for place, id in enumerate(way.ids):
        at += len(tokens.token(id, place == 0).data)
        found.add(at)
    return frozenset(found)


class WaysPage(TokenizerPage):
    def __init__(self) -> None:
        super().__init__("a word", "Text that is cut in every way", TIP)
        self.which.setVisible(False)  # it is the model's to say
        self.run = push_button("Segment", TIP, self._run, role="primary", name="Segment or stop")
        self.head.add(self.run)
        self.rows, self.table, self.row, self.hand = RowTable("Ways to cut it", ROW), WayTable(), CutRow(), Caption()
        self.table.setParent(self.rows)
        self.rows.show_model(self.table)
        self.rows.message = EMPTY
        self.rows.selectionModel().currentRowChanged.connect(self._on_row)
        self.row.cut.connect(self._on_cut)
        self.column.addWidget(self.row)
        self.column.addWidget(self.hand)
        self.column.addWidget(self.rows, 1)
        self.column.addWidget(self.said)
        self._edges: dict[frozenset[int], int] = {}
        self.field.textChanged.connect(self.show_now)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.rows.set_theme(theme)
        self.row.set_theme(theme)

    def begin(self, text: str) -> None:
        """It is asked for by hand: there may be thousands of ways."""
        self.field.setText(text)

    @property
    def segmented(self) -> Segmented | None:
        """The ways of the text that is typed, by the model that is loaded."""
        found: Segmented | None = self.view.answer_to(SegmentText).found
        same = found is not None and found.info is self.view.info
        return found if same and found is not None and found.document.file.decode() == self.field.text() else None

    def show_now(self) -> None:
        asked, found = self.view.answer_to(SegmentText), self.segmented
        self.run.setText("Stop" if asked.runs else "Segment")
        set_role(self.run, "" if asked.runs else "primary")
        offer(self.run, self.view.no_model)
        self.table.unit = self.view.settings.unit
        if found is not self.table.segmented:
            self.table.segmented = found
            self._edges = {}
            self.table.reset(found.found.ways[:LISTED] if found is not None else ())
            if found is not None:
                every = enumerate(found.found.ways)
                self._edges = {edges_of(way, found.tokens): at for at, way in reversed(list(every))}
                self.row.show_text(found.document.file, edges_of(found.found.canonical, found.tokens))
                self._choose(found.found.ways.index(found.found.canonical))
        self.rows.fit()
        self._fit()
        self.rows.message = self._message()
        self.rows.viewport().update()
        self.said.show_text(self._told(found))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        for part in (self.row, self.hand):
            part.setVisible(self.table.segmented is not None and self.height() >= LOW)

    def _message(self) -> str:
        asked = self.view.answer_to(SegmentText)
        if asked.runs:
            return f"{asked.doing}: {part_percent(asked.share or 0)}"
        return "; ".join(asked.problem) if asked.problem else EMPTY

    def _told(self, segmented: Segmented | None) -> str:
        """What the text has, and what its own way loses."""
        if segmented is None:
            return ""
        found, unit = segmented.found, self.view.settings.unit
        ways = f"{'all ' if found.whole else ''}{len(found.ways):,} ways"
        least = "" if found.whole else " at least, since not all were looked at"
        return (
            f"log p of the text, {ways} together: {nats_or_bits(found.marginal, unit)}{least}; the tokenizer’s own has "
            f"{nats_or_bits(found.canonical.logprob, unit)}, {percent(found.share)} of it, and costs "
            f"{number(found.lost_bits, 3)} bits more"
        )

    def _choose(self, at: int) -> None:
        self.hand.show_text(HAND)
        if at < len(self.table.rows):
            self.rows.selectRow(at)
        self.rows.scrollToTop()  # the best are to be seen

    def _on_row(self) -> None:
        at, segmented = self.rows.currentIndex().row(), self.segmented
        if segmented is not None and 0 <= at < len(self.table.rows):
            self.row.show_text(segmented.document.file, edges_of(self.table.rows[at], segmented.tokens))
            self.hand.show_text(HAND)

    def _on_cut(self) -> None:
        """What the boundaries that a hand put cost."""
        segmented = self.segmented
        if segmented is None:
            return
        at = self._edges.get(self.row.edges)
        if at is None:
            why = "one of its parts is no token" if segmented.found.whole else "it is none of those looked at"
            self.rows.clearSelection()
            self.hand.show_text(f"No such way: {why}")
            return
        way, unit = segmented.found.ways[at], self.view.settings.unit
        bits = (segmented.found.canonical.logprob - way.logprob) / math.log(2)
        if at < len(self.table.rows):
            self.rows.selectRow(at)
        share = percent(segmented.found.share_of(way))
        self.hand.show_text(
            f"This way: log p {nats_or_bits(way.logprob, unit)}, {share} of the text’s p; {number(bits, 3)} bits more "
            "than the tokenizer’s"
        )

    def _run(self) -> None:
        if self.view.answer_to(SegmentText).runs:
            self.intent.emit(StopAsking(SegmentText))
        else:
            self.ask()

    def ask(self) -> None:
        if self.field.text() and self.view.loaded is not None:
            self.intent.emit(SegmentText(self.field.text()))
