"""What tokens are coloured by: a row of segments, of which those without room fold into a menu at its end."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QActionGroup, QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QMenu, QWidget

from arplay.core.measures import Measure
from arplay.gui.theme import BODY, SPACE, interface_font
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.menu_button import give_menu
from arplay.gui.widgets.push_button import push_button, segments

MORE = "More"


class ModeRow(QWidget):
    """``chosen`` carries the name of a measure."""

    chosen = Signal(str)

    def __init__(self, measures: Sequence[Measure]) -> None:
        super().__init__()
        self.measures = tuple(measures)
        options = ((each.name, each.title, each.tip) for each in self.measures)
        self.choices = segments(self, options, self.chosen.emit, "Colour by")
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self._actions = QActionGroup(self)
        for each in self.measures:
            action = self._actions.addAction(each.title)
            action.setCheckable(True)
            action.setToolTip(plain(each.tip))
            action.setData(each.name)
        self.menu.addActions(self._actions.actions())
        self.more = push_button(MORE, "", role="segment", name="Colour by something else", checkable=True)
        self.more.setProperty("side", "right")
        give_menu(self.more, self.menu)
        in_row(*self.choices.values(), self.more, on=self, spacing=0)
        self._name = ""
        self.taken = 0
        """Pixels that those in sight take."""
        self._actions.triggered.connect(lambda action: self.chosen.emit(action.data()))

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())  # it folds

    def show_chosen(self, name: str) -> None:
        if name == self._name:
            return
        self._name = name
        for measure, button in self.choices.items():
            button.setChecked(measure == name)
        for action in self._actions.actions():
            action.setChecked(action.data() == name)
        self._show_more()

    def fit(self, room: float) -> None:
        """Segments for as many as there is room for; the others are in the menu."""
        buttons = self.choices.values()
        wide = [button.minimumWidth() for button in buttons]
        widths = [sum(wide[:shown]) + self._more_width(shown) for shown in range(len(buttons) + 1)]
        shown = max((shown for shown, width in enumerate(widths) if width <= room), default=0)
        self.taken = widths[shown]
        for place, button in enumerate(buttons):
            button.setVisible(place < shown)
            self._actions.actions()[place].setVisible(place >= shown)
            _set_side(button, "left" if place == 0 else "right" if place == len(buttons) - 1 else "")
        self.more.setVisible(shown < len(buttons))
        self._show_more()

    def _more_width(self, shown: int) -> int:
        """Pixels of the menu's button behind the first ``shown`` segments."""
        if shown == len(self.measures):
            return 0
        folded = next((each.title for each in self.measures[shown:] if each.name == self._name), MORE)
        return _more_width(folded)

    def _show_more(self) -> None:
        """The button has the name of the chosen one where that is in its menu."""
        hidden = [each for each in self.measures if not self._has_segment(each.name)]
        chosen = next((each for each in hidden if each.name == self._name), None)
        self.more.setText(MORE if chosen is None else chosen.title)
        self.more.setFixedWidth(_more_width(self.more.text()))
        self.more.setChecked(chosen is not None)
        others = "Colour by " + ", ".join(each.title.lower() for each in hidden)
        self.more.setToolTip(plain(others if chosen is None else f"{chosen.tip}\n{others}"))
        _set_side(self.more, "only" if len(hidden) == len(self.measures) else "right")

    def _has_segment(self, name: str) -> bool:
        return name in self.choices and not self.choices[name].isHidden()


def _more_width(words: str) -> int:
    """Pixels of the button with the menu: its words are bold where it has the chosen one, and an arrow follows them."""
    return QFontMetrics(interface_font(BODY, bold=True)).horizontalAdvance(words) + SPACE[4] + SPACE[3]


def _set_side(button: QAbstractButton, side: str) -> None:
    if button.property("side") != side:
        button.setProperty("side", side)
        button.style().unpolish(button)
        button.style().polish(button)
