"""The pages of the comparison: each is made when it is first looked at, so that the panel costs little to make."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.comparison.changed import ChangedPage
from arplay.gui.widgets.comparison.here import PairView
from arplay.gui.widgets.comparison.spans import SpansView
from arplay.gui.widgets.comparison.text import TextPage

TOTALS, SPANS, TEXT, HERE, CHANGED = range(5)


class Pages(QObject):
    """``picked``: the token of the window's model to go to; ``zoomed``: steps; ``asked``: distributions are to be
    compared, or that is to end; ``turned``: the text is shown the other way; ``spanned``: a curve is zoomed."""

    picked = Signal(int)
    zoomed = Signal(int)
    asked = Signal()
    turned = Signal()
    spanned = Signal(object)

    def __init__(self, body: QWidget, totals: QWidget) -> None:
        super().__init__(body)
        self._stack, self._theme = QStackedLayout(body), LIGHT
        self._made: dict[int, QWidget] = {TOTALS: totals}
        self._stack.addWidget(totals)

    def show(self, place: int) -> None:
        """Bring a page to the front."""
        makers: dict[int, Callable[[], QWidget]] = {
            SPANS: lambda: self.spans, TEXT: lambda: self.text, HERE: lambda: self.here, CHANGED: lambda: self.changed,
        }  # fmt: skip
        self._stack.setCurrentWidget(self._made[TOTALS] if place == TOTALS else makers[place]())

    @property
    def spans(self) -> SpansView:
        if SPANS not in self._made:
            made = SpansView()
            made.message = "Here stand the spans of the text where both part most."
            made.picked.connect(self.picked)
            self._add(SPANS, made)
        return cast(SpansView, self._made[SPANS])

    @property
    def text(self) -> TextPage:
        if TEXT not in self._made:
            made = TextPage()
            made.picked.connect(self.picked)
            made.zoomed.connect(self.zoomed)
            made.turned.connect(self.turned)
            self._add(TEXT, made)
        return cast(TextPage, self._made[TEXT])

    @property
    def here(self) -> PairView:
        if HERE not in self._made:
            made = PairView()
            made.message = "Here both distributions of one place stand, once the other model has read up to it."
            self._add(HERE, made)
        return cast(PairView, self._made[HERE])

    @property
    def changed(self) -> ChangedPage:
        if CHANGED not in self._made:
            made = ChangedPage()
            made.picked.connect(self.picked)
            made.asked.connect(self.asked)
            made.spanned.connect(self.spanned)
            self._add(CHANGED, made)
        return cast(ChangedPage, self._made[CHANGED])

    def _add(self, place: int, page: QWidget) -> None:
        self._made[place] = page
        self._stack.addWidget(page)
        page.set_theme(self._theme)  # type: ignore[attr-defined]

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for place, page in self._made.items():
            if place != TOTALS:
                page.set_theme(theme)  # type: ignore[attr-defined]
