"""The pages of the comparison: each is made when it is first looked at, so that the panel costs little to make."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from arplay.gui.theme import LIGHT, Theme
from arplay.gui.widgets.comparison.changed import ChangedPage
from arplay.gui.widgets.comparison.here import PairView
from arplay.gui.widgets.comparison.spans import SpansView
from arplay.gui.widgets.comparison.text import TextPage

TOTALS, SPANS, TEXT, HERE, CHANGED = range(5)
NAMES = {SPANS: "spans", TEXT: "text", HERE: "here", CHANGED: "changed"}
Page = SpansView | TextPage | PairView | ChangedPage
P = TypeVar("P", SpansView, TextPage, PairView, ChangedPage)


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
        self._stack, self._theme, self._totals = QStackedLayout(body), LIGHT, totals
        self._made: list[Page] = []
        self._stack.addWidget(totals)

    def show(self, place: int) -> None:
        """Bring a page to the front."""
        self._stack.setCurrentWidget(self._totals if place == TOTALS else getattr(self, NAMES[place]))

    @cached_property
    def spans(self) -> SpansView:
        made = self._add(SpansView())
        made.message = "Here stand the spans of the text where both part most."
        made.picked.connect(self.picked)
        return made

    @cached_property
    def text(self) -> TextPage:
        made = self._add(TextPage())
        made.picked.connect(self.picked)
        made.zoomed.connect(self.zoomed)
        made.turned.connect(self.turned)
        return made

    @cached_property
    def here(self) -> PairView:
        made = self._add(PairView())
        made.message = "Here both distributions of one place stand, once the other model has read up to it."
        return made

    @cached_property
    def changed(self) -> ChangedPage:
        made = self._add(ChangedPage())
        made.picked.connect(self.picked)
        made.asked.connect(self.asked)
        made.spanned.connect(self.spanned)
        return made

    def _add(self, page: P) -> P:
        self._made.append(page)
        self._stack.addWidget(page)
        page.set_theme(self._theme)
        return page

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for page in self._made:
            page.set_theme(theme)
