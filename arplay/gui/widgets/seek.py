"""The row for going through a text: find words, go to a token by its number, go from surprise to surprise."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)
from shiboken6 import isValid

from arplay.core.modalities.base import Found
from arplay.gui.intents import Change, Find, Seek, Select
from arplay.gui.settings import Settings
from arplay.gui.theme import SPACE
from arplay.gui.view import View
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.heat.surprise import SurpriseField
from arplay.gui.widgets.push_button import push_button
from arplay.gui.widgets.tool_row import ToolRow

PARTS = ("find", "token", "surprise")
LEAST_FIELD = 90
"""Pixels of the field that a search is typed in."""


class SeekBar(ToolRow):
    """Hidden until it is called for. Emits intents; what they came to stands in the next View."""

    intent = Signal(object)

    def __init__(self, text: QWidget) -> None:
        super().__init__()
        self._text, self._before = text, text
        self._settings = Settings()
        self._opened = "find"
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(SPACE[0], 0, 0, 0)
        self._row.setSpacing(SPACE[2])
        self.parts = {name: QWidget() for name in PARTS}
        for name, build in zip(PARTS, (self._build_find, self._build_token, self._build_surprise), strict=True):
            row = QHBoxLayout(self.parts[name])
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(SPACE[0])
            build(row)
            self._row.addWidget(self.parts[name], 3 if name == "find" else 1)
        self._row.addStretch(0)
        self.shut = self.tool("x", "Close (Esc)", self.close_bar)
        self._row.addWidget(self.shut)
        for field in (self.field, self.number, self.threshold):
            field.installEventFilter(self)
        self.hide()

    # ---- building

    def _build_find(self, row: QHBoxLayout) -> None:
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find in the text…")
        self.field.setClearButtonEnabled(True)
        self.field.setMinimumWidth(LEAST_FIELD)
        self.field.setAccessibleName("Find in the text")
        self.field.setToolTip(
            "Words, or the signs of what cannot be seen: ␣ ↵ ⇥ ⟨ESC⟩, ⟨E2⟩ for a byte, ⟨U+200B⟩ for a character"
        )
        self.field.textChanged.connect(self._on_typed)
        tip = "Upper and lower case are different"
        self.case = push_button("Aa", tip, role="chip", name=tip, checkable=True)
        self.case.toggled.connect(self._on_typed)
        self.count = Label(role="caption")
        row.addWidget(self.field, 1)
        for widget in (self.case, self.count):
            row.addWidget(widget)
        row.addWidget(self.tool("caret-up", "The former place (Shift+F3, Shift+Enter)", self._on_former))
        row.addWidget(self.tool("caret-down", "The next place (F3, Enter)", self._on_next))

    def _build_token(self, row: QHBoxLayout) -> None:
        self.number = QSpinBox()
        self.number.setPrefix("token ")
        self.number.setProperty("role", "figure")
        self.number.lineEdit().setTextMargins(SPACE[0], 0, 0, 0)
        self.number.setKeyboardTracking(False)
        self.number.setGroupSeparatorShown(True)
        self.number.setAccessibleName("Go to the token with this number")
        self.number.setToolTip("Go to the token with this number: write it and press Enter (Ctrl+G)")
        self.number.editingFinished.connect(self._on_number)
        self.total = Label(role="caption")
        row.addWidget(self.number)
        row.addWidget(self.total)

    def _build_surprise(self, row: QHBoxLayout) -> None:
        self.threshold = SurpriseField()
        self.threshold.chosen.connect(self._on_threshold)
        self.sought = Label(role="caption")
        row.addWidget(self.threshold)
        row.addWidget(self.tool("caret-up", "The former surprising token (Shift+F8)", self._on_less))
        row.addWidget(self.tool("caret-down", "The next surprising token (F8)", self._on_more))
        row.addWidget(self.sought, 1)

    # ---- opening and closing

    def open_at(self, part: str, selected: str = "") -> None:
        """Show the bar with this part in it; ``find`` and ``token`` take the keyboard, and give it back at the end."""
        focus = QApplication.focusWidget()
        if focus is not None and not self.isAncestorOf(focus):
            self._before = focus
        self._opened = part
        self.show()
        self.fit()
        if part == "find":
            if selected:
                self.field.setText(selected)
            self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.field.selectAll()
            self._on_typed()
        elif part == "token":
            self.number.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.number.selectAll()

    def close_bar(self) -> None:
        self.hide()
        self.intent.emit(Find("", False))
        before = self._before if isValid(self._before) and self._before.isVisible() else self._text
        before.setFocus(Qt.FocusReason.OtherFocusReason)

    def fit(self) -> None:
        """The part that was called for, and as many of the others as there is room for."""
        room = self.width() - self.shut.sizeHint().width() - SPACE[2]
        for name in (self._opened, *(other for other in PARTS if other != self._opened)):
            wide = self.parts[name].sizeHint().width() + SPACE[2]
            self.parts[name].setVisible(name == self._opened or wide <= room)
            room -= wide

    # ---- what is shown

    def show_view(self, view: View) -> None:
        if self.isHidden():
            return
        self._settings = view.settings
        self._show_found(view.found)
        ledger = view.ledger
        tokens = len(ledger) if ledger is not None else 0
        self.number.blockSignals(True)
        self.number.setRange(min(1, tokens), tokens)
        if not self.number.hasFocus() and view.selected is not None:
            self.number.setValue(view.selected + 1)
        self.number.blockSignals(False)
        self.threshold.show_nats(view.settings.surprise, view.settings.unit)
        self.total.setText(f"of {ledger.how_many}" if ledger is not None and tokens else "")
        self.sought.setText(view.sought)
        self.sought.setToolTip(view.sought)
        self.fit()

    def _show_found(self, found: Found | None) -> None:
        words = _count(found)
        self.count.setText(words)
        self.count.setAccessibleName(words)

    # ---- what the user does

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
            return True
        if watched is self.field and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.intent.emit(Seek("found", -1 if back else 1))
            return True
        return super().eventFilter(watched, event)

    def _on_typed(self) -> None:
        self.intent.emit(Find(self.field.text(), self.case.isChecked()))

    def _on_next(self) -> None:
        self.intent.emit(Seek("found", 1))

    def _on_former(self) -> None:
        self.intent.emit(Seek("found", -1))

    def _on_number(self) -> None:
        if self.number.maximum() and self.isVisible():
            self.intent.emit(Select(self.number.value() - 1))

    def _on_threshold(self, nats: float) -> None:
        self.intent.emit(Change(replace(self._settings, surprise=nats)))

    def _on_more(self) -> None:
        self.intent.emit(Seek("surprise", 1))

    def _on_less(self) -> None:
        self.intent.emit(Seek("surprise", -1))


def _count(found: Found | None) -> str:
    """
    >>> import numpy as np
    >>> two = np.array([[0, 1], [4, 5]])
    >>> _count(Found("a", False, two, at=1)), _count(Found("a", False, two[:0])), _count(None)
    ('2 of 2', 'nowhere', '')
    """
    if found is None:
        return ""
    if not len(found.spans):
        return "nowhere"
    many = f"{len(found.spans):,}{'+' if found.more else ''}"
    if found.at is None:
        return f"{many} found"
    return f"{found.at + 1:,} of {many}" + (" ↻" if found.wrapped else "")
