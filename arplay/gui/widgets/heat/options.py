"""What is set at the heatmap beside its measure: from where a token is surprising, the buckets of ranks, the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSpinBox, QToolButton, QWidget

from arplay.core.format import nats_or_bits
from arplay.core.measures import BOUNDS, GLTR, HIGHEST, bounds_with
from arplay.gui.intents import Change, Seek
from arplay.gui.settings import Settings, Wrap
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.view import View
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.heat.surprise import SurpriseField
from arplay.gui.widgets.layouts import FREE, in_row
from arplay.gui.widgets.push_button import push_button, quiet_button, segments

FORMER, NEXT = "The former surprising token (Shift+F8)", "The next surprising token (F8)"
OPEN = "From where a token is surprising, the buckets of ranks, and the rows"

WRAPS: tuple[tuple[Wrap, str, str], ...] = (
    ("words", "Words", "A word that has no room begins a row"),
    ("lines", "Lines", "A row is a line of the text, however long; what is not in sight is scrolled to"),
    ("sentences", "Sentences", "Each sentence begins a row; line breaks within it are shown, and do not end it"),
)


class Options(QFrame):
    """Opens below its button, and is closed by Esc or a click elsewhere. ``asked`` emits intents."""

    asked = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self.setAccessibleName("Options of the heatmap")
        self._settings = Settings()
        self._icons: list[tuple[QToolButton, str]] = []
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(SPACE[2], SPACE[2], SPACE[2], SPACE[2])
        self.grid.setHorizontalSpacing(SPACE[2])
        self.grid.setVerticalSpacing(SPACE[1])
        self.surprise = SurpriseField()
        self.surprise.chosen.connect(lambda nats: self._change(surprise=nats))
        self.many = Label(role="caption")
        self._add("Surprising", self.surprise, *self.seekers(), self.many)
        self.bounds = [self._bound(place) for place in range(len(BOUNDS))]
        self.usual = self._preset("Usual", BOUNDS, "The buckets 1, 2–10, 11–100 and above")
        self.gltr = self._preset("GLTR", GLTR, "The buckets of GLTR: up to 10, 100, 1,000, and above")
        self._add("Ranks up to", *self.bounds, self.usual, self.gltr)
        self.rows = QWidget()
        self.wraps = segments(self, WRAPS, lambda wrap: self._change(wrap=wrap), "Rows of the text:")
        in_row(*self.wraps.values(), on=self.rows, spacing=0)
        self.rows_name = self._add("Rows", self.rows)

    def _add(self, name: str, *widgets: QWidget) -> QWidget:
        line = in_row(*widgets, FREE, spacing=SPACE[0])
        row = self.grid.rowCount()
        label = Label(name)
        self.grid.addWidget(label, row, 0)
        self.grid.addLayout(line, row, 1)
        return label

    def seekers(self) -> tuple[QToolButton, QToolButton]:
        """Buttons to the former and to the next surprise."""
        former, following = quiet_button(FORMER, lambda: self._seek(-1)), quiet_button(NEXT, lambda: self._seek(1))
        self._icons += [(former, "caret-up"), (following, "caret-down")]
        return former, following

    def _bound(self, place: int) -> QSpinBox:
        box = QSpinBox()
        box.setRange(1, HIGHEST)
        box.setProperty("role", "figure")
        box.setKeyboardTracking(False)
        box.setGroupSeparatorShown(True)
        box.setAccessibleName(f"Highest rank of bucket {place + 1}")
        box.setToolTip(f"The highest rank of bucket {place + 1}; the others make room")
        box.valueChanged.connect(lambda value: self._move(place, value))
        return box

    def _preset(self, name: str, bounds: tuple[int, ...], tip: str) -> QWidget:
        return push_button(name, tip, lambda: self._change(rank_bounds=bounds), role="chip")

    # ---- what is shown

    def set_theme(self, theme: Theme) -> None:
        for button, name in self._icons:
            button.setIcon(icon(name, theme, "muted"))

    def show_view(self, view: View) -> None:
        self._settings = settings = view.settings
        self.surprise.show_nats(settings.surprise, settings.unit)
        for box, bound in zip(self.bounds, settings.rank_bounds, strict=True):
            before = box.blockSignals(True)
            box.setValue(bound)
            box.blockSignals(before)
        for wrap, button in self.wraps.items():
            button.setChecked(wrap == settings.wrap)
        if self.isVisible():
            self._show_many(view)

    def show_rows(self, on: bool) -> None:
        """Whether there is a text that has rows."""
        self.rows.setVisible(on)
        self.rows_name.setVisible(on)

    def _show_many(self, view: View) -> None:
        ledger = view.ledger
        if ledger is None:
            self.many.setText("")
            return
        many = int(np.count_nonzero(-ledger.logprob[: ledger.done] >= view.settings.surprise))
        self.many.setText(f"{many:,} of {ledger.totals.scored:,} tokens")

    def open_at(self, button: QWidget, view: View) -> None:
        """Above ``button``, at its right edge."""
        self.show_view(view)
        self._show_many(view)
        self.adjustSize()
        corner = button.mapToGlobal(QPoint(button.width(), 0))
        room = button.screen().availableGeometry()
        x = max(room.left(), corner.x() - self.width())
        self.move(x, max(room.top(), corner.y() - self.height() - SPACE[0]))
        self.show()
        self.surprise.setFocus(Qt.FocusReason.PopupFocusReason)
        self.surprise.selectAll()
        self._show_many(view)

    # ---- what the user does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def _move(self, place: int, value: int) -> None:
        self._change(rank_bounds=bounds_with(self._settings.rank_bounds, place, value))

    def _change(self, **fields: object) -> None:
        self.asked.emit(Change(replace(self._settings, **fields)))  # type: ignore[arg-type]

    def _seek(self, step: int) -> None:
        self.asked.emit(Seek("surprise", step))


class OptionButtons(QWidget):
    """At the end of the heatmap's row: to the former and the next surprise, and what opens :class:`Options`."""

    asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._view = View()
        self.options = Options(self)
        self.options.asked.connect(self.asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[0], 0, 0, 0)
        row.setSpacing(0)
        self.seekers = self.options.seekers()
        self.open = quiet_button(OPEN, self._open)
        for button in (*self.seekers, self.open):
            row.addWidget(button)
        self._show_tips()

    def set_theme(self, theme: Theme) -> None:
        self.options.set_theme(theme)
        self.open.setIcon(icon("sliders-horizontal", theme, "muted"))

    def show_view(self, view: View) -> None:
        before, self._view = self._view, view
        if view.settings is not before.settings:
            self._show_tips()
        if self.options.isVisible():
            self.options.show_view(view)

    def _show_tips(self) -> None:
        limit = nats_or_bits(self._view.settings.surprise, self._view.settings.unit, 1)
        for button, tip in zip(self.seekers, (FORMER, NEXT), strict=True):
            button.setToolTip(plain(f"{tip}: −log p ≥ {limit}"))

    def _open(self) -> None:
        self.options.open_at(self.open, self._view)
