"""The text itself: coloured by how much more the second model pays, or by what either pays, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QAbstractScrollArea, QButtonGroup, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from arplay.core.aligned import Aligned
from arplay.core.measures import difference
from arplay.gui import kinds
from arplay.gui.linking import ScrollLink
from arplay.gui.peers import Peer
from arplay.gui.theme import LIGHT, SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.heat.legend import Legend
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.push_button import segment

WAYS = (
    ("Difference", "Each span coloured by how much more the second model pays for it"),
    ("Side by side", "The surprisal of each model on its own tokens"),
)


class TextPage(QWidget):
    """``picked``: the token of the window's model to go to; ``zoomed``: steps; ``turned``: it shows the other way."""

    picked = Signal(int)
    zoomed = Signal(int)
    turned = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.pair: Aligned | None = None
        self.view, self.peer, self.letter = View(), Peer(0, ""), "B"
        self._kind = ""
        self.heats: list[Any] = []
        self.link: ScrollLink | None = None
        """What scrolls does so on both sides together; a picture stands there whole."""
        self._aligning = QTimer(self, singleShot=True, interval=0)
        self._aligning.timeout.connect(self._align)
        self._styled: tuple[object, ...] = ()
        self.legend, ways, row = Legend(), QWidget(), QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        ways.setLayout(row)
        self.group = QButtonGroup(self)
        for place, (words, tip) in enumerate(WAYS):
            button = segment(words, tip, self._turn, place=place, of=len(WAYS), name=words)
            button.setChecked(not place)
            self.group.addButton(button, place)
            row.addWidget(button)
        head = QHBoxLayout()
        head.addWidget(ways)
        head.addWidget(self.legend, 1)
        self.names = Caption(), Caption()
        self.body = QGridLayout()
        self.body.setHorizontalSpacing(SPACE[1])
        self.body.setVerticalSpacing(0)
        for place, name in enumerate(self.names):
            self.body.addWidget(name, 0, place)
        self.body.setRowStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addLayout(head)
        column.addLayout(self.body, 1)

    @property
    def beside(self) -> bool:
        """Whether both models' surprisal is shown."""
        return self.group.checkedId() == 1

    def show_pair(
        self, view: View, pair: Aligned | None, peer: Peer | None, letter: str, names: tuple[str, str]
    ) -> None:
        """``view``: of the window; ``pair``: its scores beside those of ``peer``, with the ``names`` of both."""
        for caption, name in zip(self.names, names, strict=True):
            caption.show_text(name)
        self.view, self.pair, self.peer, self.letter = view, pair, peer or Peer(0, ""), letter
        kind = kinds.of_document(view.document)
        if kind.name != self._kind:
            self._kind = kind.name
            for heat in self.heats:
                heat.deleteLater()
            self.heats = [kind.heat(), kind.heat()]
            self._styled = ()
            for heat, pick in zip(self.heats, (self.picked.emit, self._pick_other), strict=True):
                heat.picked.connect(pick)
                heat.zoomed.connect(self.zoomed)
                self.body.addWidget(heat, 1, self.heats.index(heat))
            self.link = None
            left, right = self.heats
            if all(isinstance(heat, QAbstractScrollArea) for heat in self.heats):
                self.link = ScrollLink((left, right), left, self._place)
                for heat in self.heats:
                    heat.verticalScrollBar().rangeChanged.connect(self._aligning.start)
        self._show()

    def _show(self) -> None:
        if not self.heats:
            return
        view, pair, peer, settings = self.view, self.pair, self.peer, self.view.settings
        style = self.theme, pair, self.letter, self.beside, settings.unit, settings.text_size
        if style != self._styled:
            self._styled = style
            if self.beside or pair is None:
                scale = HeatScale(self.theme, "surprisal")
            else:
                scale = HeatScale(self.theme, difference(pair, self.letter))
            for heat in self.heats:
                heat.show_style(self.theme, scale, settings.unit, settings.text_size)
            self.legend.show_scale(self.theme, scale, settings.unit)
        self.heats[0].show_view(view if pair is None else replace(view, ledger=pair.ledgers[pair.own], found=None))
        for part in (*self.names, self.heats[1]):
            part.setVisible(self.beside)
        if self.beside:
            other = pair.ledgers[1 - pair.own] if pair is not None else None
            span, larger = (
                None if pair is None or tokens is None else _span_across(pair, *tokens)
                for tokens in (view.lit, view.magnified)
            )
            its = replace(
                view,
                ledger=other,
                loaded=peer.loaded or view.loaded,
                selected=None if span is None else span[0],
                span=span,
                magnified=larger,
                found=None,
            )
            self.heats[1].show_view(its)

    def _align(self) -> None:
        """What was laid out anew on either side stands beside the same of the other."""
        if self.link is not None and self.beside:
            self.link.lead(self.link.side)

    def _place(self, side: int, token: int) -> int | None:
        """The token of the other side that stands where a token of one does."""
        pair = self.pair
        if pair is None:
            return None
        here = pair.own if side == 0 else 1 - pair.own
        if pair.own:  # a text and what it was before an edit: what stands in both
            return _across(pair, token, here)
        unit, other = pair.ledgers[here].encoded.span(token)[0], pair.ledgers[1 - here]
        return int(np.searchsorted(other.ends, unit, side="right")) if unit < other.encoded.units else None

    def _pick_other(self, index: int) -> None:
        if self.pair is not None:
            there = _across(self.pair, index, 1 - self.pair.own)
            if there is not None:
                self.picked.emit(there)

    def _turn(self) -> None:
        self._show()
        self._aligning.start()
        self.turned.emit()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._show()


def _span_across(pair: Aligned, first: int, stop: int) -> tuple[int, int] | None:
    """The tokens of the other side in the spans that the tokens [first, stop) of the text in sight are in."""
    start = _across(pair, first, pair.own)
    behind = int(np.searchsorted(pair.first[pair.own], stop - 1, side="right"))
    end = int(pair.first[1 - pair.own][min(behind, len(pair))])
    return None if start is None or end <= start else (start, end)


def _across(pair: Aligned, index: int, side: int) -> int | None:
    """Where the span of a token of one side begins on the other; None where nothing is there."""
    span = int(np.searchsorted(pair.first[side], index, side="right")) - 1
    there = int(pair.first[1 - side][min(max(span, 0), len(pair))])
    return there if there < len(pair.ledgers[1 - side]) else None
