"""The text itself: coloured by how much more another model pays, or as each of them sees it, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from arplay.core.across import Across, SameText, SameUnits, Tokens
from arplay.core.aligned import Aligned
from arplay.core.edited import Edited
from arplay.core.measures import difference
from arplay.gui import kinds
from arplay.gui.peers import MOST
from arplay.gui.theme import LIGHT, SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.comparison.side import Side, SideHead
from arplay.gui.widgets.heat.legend import Legend
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.push_button import segments

WAYS = (
    (False, "Difference", "Each span coloured by how much more the other one pays for it"),
    (True, "Side by side", "What each of them says of its own tokens, in the heatmap's colours; they scroll together"),
)
LEFT = 150
"""Pixels of width of a head that stands to the left."""


class TextPage(QWidget):
    """``picked``: the token of the window's model to go to; ``zoomed``: steps; ``turned``: it shows the other way."""

    picked = Signal(int)
    zoomed = Signal(int)
    turned = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.view, self.letter = View(), "B"
        self.pair: Aligned | None = None
        self.sides: Sequence[Side] = ()
        self.own = 0
        """Which of the sides is of the text in the window, by whose tokens places are named."""
        self.heats: list[Any] = []
        self.heads: list[SideHead] = []
        self.link: Any = None
        """A :class:`arplay.gui.linking.Link` between all of them, which is an object of Qt; a picture needs none."""
        self._across: dict[tuple[int, int], Across] = {}
        self._kind, self._laid = "", (False, 0)
        self._styled: object = None
        self.legend, self.body = Legend(), QGridLayout()
        self.ways = segments(self, WAYS, self._turn)
        self.ways[False].setChecked(True)
        self.body.setHorizontalSpacing(SPACE[1])
        self.body.setVerticalSpacing(0)
        head = in_row(in_row(*self.ways.values(), spacing=0), (self.legend, 1))
        in_column(head, (self.body, 1), on=self, spacing=SPACE[0])

    @property
    def beside(self) -> bool:
        """Whether all of them are shown."""
        return self.ways[True].isChecked()

    # ---- what is shown

    def show_sides(self, view: View, sides: Sequence[Side], pair: Aligned | None, letter: str) -> None:
        """``sides``: the scorings of the text, as they stand beside each other; ``pair``: those two whose difference is
        shown, of which ``letter`` is that of the second."""
        if len(sides) < 2:  # what was beside it is gone
            pair = None
        if [side.ledger for side in sides] != [side.ledger for side in self.sides] or pair is not self.pair:
            self._across = {}
        looked = view.lit != self.view.lit
        self.view, self.sides, self.pair, self.letter = view, sides, pair, letter
        self.own = pair.own if pair is not None else 0
        self._make(max(1, len(sides)))
        self._show()
        if looked:
            self._align()

    def _make(self, many: int) -> None:
        """So many of them, of the kind of the document; those that are there stay as they are."""
        kind = kinds.of_document(self.view.document)
        keep = min(many, len(self.heats)) if kind.name == self._kind else 0
        if keep == many == len(self.heats):
            return
        if self.link is not None:
            self.link.deleteLater()
        for part in (*self.heats[keep:], *self.heads[keep:]):
            part.setParent(None)
            part.deleteLater()
        del self.heats[keep:], self.heads[keep:]
        for place in range(keep, many):
            heat: Any = kind.heat()
            head = SideHead()
            for part in (heat, head):
                part.setParent(self)
            heat.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            heat.picked.connect(partial(self._pick, place))
            heat.pointed.connect(partial(self._point, place))
            heat.zoomed.connect(self.zoomed)
            self.heats.append(heat)
            self.heads.append(head)
        self.link = self.heats[0].linked(self.heats, self._place)
        self._kind, self._styled, self._laid = kind.name, None, (False, 0)

    def _show(self) -> None:
        if not self.heats:
            return
        pair, settings = self.pair, self.view.settings
        differs = pair is not None and not self.beside
        style = (
            self.theme, differs and pair, self.letter, settings.colour_by, settings.rank_bounds, settings.unit,
            settings.text_size,
        )  # fmt: skip
        if style != self._styled:
            self._styled = style
            scale = HeatScale.by(self.theme, settings)
            if differs:
                scale = HeatScale(self.theme, difference(pair, self.letter))
            for heat in self.heats:
                heat.show_style(self.theme, scale, settings.unit, settings.text_size)
            self.legend.show_scale(self.theme, scale, settings.unit)
        self._lay()
        for place, heat in enumerate(self.heats):
            if not heat.isHidden():
                heat.show_view(self._seen(place))

    def _seen(self, place: int) -> View:
        """What a side shows: its scores, and the same place lit."""
        if not self.sides:
            return self.view
        view, side = self.view, self.sides[place]
        lit, magnified = (self._to(self.own, tokens, place) for tokens in (view.lit, view.magnified))
        first, stop = lit or (0, 0)
        span = (first, stop) if first + 1 < stop else None
        its = replace(view, selected=first if first < stop else None, span=span, magnified=magnified, found=None)
        return replace(its, ledger=side.ledger, loaded=side.loaded)

    def _lay(self) -> None:
        """All in columns with a head above, or in rows with it to the left; or the window's own one alone."""
        many = len(self.heats) if self.beside else 1
        columns = self.heats[0].in_columns(many, self.width(), self.height() - self.legend.sizeHint().height())
        for place, (heat, head) in enumerate(zip(self.heats, self.heads, strict=True)):
            heat.setVisible(self.beside or place == self.own)
            head.setVisible(self.beside and bool(self.sides))
            if self.sides:
                head.show_side(self.sides[place], columns)
            own = self.heats[self.own]
            if heat.focusPolicy() != Qt.FocusPolicy.NoFocus:  # keys walk over the window's own tokens
                heat.setFocusProxy(None if heat is own else own)
        if (columns, many) == self._laid:
            return
        self._laid = columns, many
        for place, (heat, head) in enumerate(zip(self.heats, self.heads, strict=True)):
            self.body.addWidget(head, *((0, place) if columns else (place, 0)))
            self.body.addWidget(heat, *((1, place) if columns else (place, 1)))
        for at in range(MOST + 1):
            self.body.setColumnStretch(at, at < many if columns else at == 1)
            self.body.setRowStretch(at, at == 1 if columns else at < many)
        self.body.setColumnMinimumWidth(0, 0 if columns else LEFT)
        self._align()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.heats:
            self._lay()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._show()

    # ---- from one to the others

    def _to(self, side: int, tokens: Tokens | None, to: int) -> Tokens | None:
        """The tokens of another side that stand where these of one do."""
        if tokens is None or side == to:
            return tokens
        if (side, to) not in self._across:
            one, other = self.sides[side].ledger, self.sides[to].ledger
            edit = self.pair if isinstance(self.pair, Edited) else None
            self._across[side, to] = SameUnits(one, other) if edit is None else SameText(edit, side)
        return self._across[side, to](tokens)

    def _place(self, side: int, token: int, to: int) -> int | None:
        found = self._to(side, (token, token + 1), to) if max(side, to) < len(self.sides) else None
        return None if found is None else found[0]

    def _pick(self, place: int, token: int) -> None:
        if (there := self._place(place, token, self.own)) is not None:
            self.picked.emit(there)

    def _point(self, place: int, token: int | None) -> None:
        for to, heat in enumerate(self.heats):
            if to != place and not heat.isHidden():
                heat.show_pointed(None if token is None else self._to(place, (token, token + 1), to))

    def _align(self) -> None:
        """What was laid out anew in one of them stands beside the same of the others."""
        if self.link is not None and self.beside:
            self.link.align()

    def _turn(self, _: bool) -> None:
        self._show()
        self._align()
        self.turned.emit()
