"""The row above the text: how its tokens are shown, what the colours mean, and the ways through the text."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox

from arplay.core.measures import MEASURES
from arplay.gui.intents import Change
from arplay.gui.settings import Settings, Tokens
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.heat.legend import Legend
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.push_button import segments
from arplay.gui.widgets.tool_row import ToolRow

TOKENS: tuple[tuple[Tokens, str, str], ...] = (
    ("off", "Off", "The text alone"),
    ("borders", "Borders", "Every other token has a faint ground, so that you see where each begins"),
    ("colours", "Colours", "Every token in the colour of its score, as in the heatmap, while you write"),
)

ARROW = 44
"""Pixels of a box around its words."""


class TextTools(ToolRow):
    """Emits intents; ``seek`` asks for the part of the seek bar with this name."""

    intent = Signal(object)
    seek = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._settings = Settings()
        self._shown: tuple[object, ...] = ()
        self.tokens = segments(self, TOKENS, self._on_tokens, "Tokens of the text:")
        self.measure = QComboBox()
        self.measure.setAccessibleName("What the colours show")
        self.measure.setToolTip("What the colours show, here and in the heatmap")
        for place, each in enumerate(MEASURES):
            self.measure.addItem(each.title.lower(), each.name)
            self.measure.setItemData(place, plain(each.tip), Qt.ItemDataRole.ToolTipRole)
        self.measure.activated.connect(self._on_measure)
        self.legend = Legend(named=False)
        row = in_row(*self.tokens.values(), on=self, spacing=0)
        row.addSpacing(SPACE[1])
        row.addWidget(self.measure)
        row.addWidget(self.legend, 1)
        row.addStretch(0)
        tip = "Find in the text (Ctrl+F), go to a token (Ctrl+G), to the next surprise (F8)"
        self.search = self.tool("magnifying-glass", tip, self._on_find)
        self.link = self.tool("link", "Editor and heatmap scroll together", self._on_link)
        self.link.setCheckable(True)
        for tool in (self.search, self.link):
            row.addWidget(tool)

    def show_settings(self, settings: Settings, theme: Theme) -> None:
        self._settings = settings
        by = settings.colour_by, settings.rank_bounds
        shown = (theme, settings.tokens, by, settings.link_scrolling, settings.unit)
        if shown == self._shown:
            return
        self._shown = shown
        for tokens, button in self.tokens.items():
            button.setChecked(tokens == settings.tokens)
        self.measure.setCurrentIndex(self.measure.findData(settings.colour_by))
        words = self.measure.fontMetrics().horizontalAdvance(self.measure.currentText())
        self.measure.setFixedWidth(words + ARROW)  # not as wide as the longest of all
        self.link.setChecked(settings.link_scrolling)
        self.legend.show_scale(theme, HeatScale.by(theme, settings), settings.unit)
        self.set_theme(theme)
        if not self.link.isChecked():
            self.link.setIcon(icon("link-break", theme, "muted"))
        self.fit()

    def fit(self) -> None:
        """The legend, the measure and then the choice give way where there is no room; the menu has them too."""
        coloured = self._settings.tokens == "colours"
        for widget in (self.measure, self.search):
            widget.ensurePolished()  # one that was never shown has another size
        choice = sum(max(button.minimumWidth(), button.sizeHint().width()) for button in self.tokens.values())
        room = self.width() - choice - 2 * self.search.sizeHint().width() - SPACE[1]
        measure = self.measure.minimumWidth()
        for button in self.tokens.values():
            button.setVisible(room >= 0)
        self.measure.setVisible(coloured and room >= measure)
        self.legend.setVisible(coloured and room >= measure + self.legend.wanted_width())

    def _on_tokens(self, tokens: Tokens) -> None:
        self.intent.emit(Change(replace(self._settings, tokens=tokens)))

    def _on_measure(self) -> None:
        self.intent.emit(Change(replace(self._settings, colour_by=self.measure.currentData())))

    def _on_link(self) -> None:
        self.intent.emit(Change(replace(self._settings, link_scrolling=self.link.isChecked())))

    def _on_find(self) -> None:
        self.seek.emit("find")
