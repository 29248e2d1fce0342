"""Push buttons with all that is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from PySide6.QtCore import QSize, Qt, SignalInstance
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QPushButton, QToolButton, QWidget

from arplay.gui.theme import BODY, SMALL, SPACE, interface_font
from arplay.gui.widgets.caption import plain

K = TypeVar("K")

TIP = "tip"
"""The property of a button that keeps its own tooltip."""


class PushButton(QPushButton):
    """Enter presses it as Space does, but for the chosen one of several. Arrow keys are for what it stands in."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not (self.group() and self.isChecked()):
            self.click()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down) and not self.group():
            event.ignore()
        else:
            super().keyPressEvent(event)


def push_button(
    words: str,
    tip: str = "",
    slot: Callable[..., object] | SignalInstance | None = None,
    *,
    role: str = "",
    name: str = "",
    checkable: bool = False,
    parent: QWidget | None = None,
) -> QPushButton:
    """``slot`` follows its click; ``name`` is read aloud instead of ``words``."""
    made = PushButton(words, parent)
    made.setAutoDefault(False)
    made.setCheckable(checkable)
    made.setProperty(TIP, tip)
    made.setToolTip(plain(tip))
    if role:
        made.setProperty("role", role)
    if name:
        made.setAccessibleName(name)
    if slot is not None:
        made.clicked.connect(slot)
    return made


def quiet_button(tip: str, slot: Callable[..., object] | SignalInstance | None = None) -> QToolButton:
    """A button with a small icon, which its owner sets."""
    made = QToolButton()
    made.setProperty("role", "quiet")
    made.setProperty(TIP, tip)
    made.setToolTip(plain(tip))
    made.setAccessibleName(tip)
    made.setIconSize(QSize(SMALL + 4, SMALL + 4))
    if slot is not None:
        made.clicked.connect(slot)
    return made


def offer(button: QAbstractButton, why_not: str = "") -> None:
    """It can be pressed, as its own tooltip explains; or it cannot, and the tooltip tells ``why_not``."""
    button.setEnabled(not why_not)
    if button.toolTip() != (tip := plain(why_not or button.property(TIP))):
        button.setToolTip(tip)


def segment(words: str, tip: str, slot: Callable[..., object] | None, *, place: int, of: int, name: str) -> QPushButton:
    """One of ``of`` buttons in a row of which one is chosen; ``place`` is its own, from 0."""
    made = push_button(words, tip, slot, role="segment", name=name, checkable=True)
    made.setProperty("side", "left" if place == 0 else "right" if place == of - 1 else "")
    checked = QFontMetrics(interface_font(BODY, bold=True))  # the checked one is bold, and must not grow
    made.setMinimumWidth(checked.horizontalAdvance(words) + SPACE[4])
    return made


def segments(
    owner: QWidget, options: Iterable[tuple[K, str, str]], slot: Callable[[K], object], name: str = ""
) -> dict[K, QPushButton]:
    """A row of buttons of which one is chosen, by keys, with words and tips; ``slot`` is told the key.

    ``name`` is read aloud before the words.
    """
    made: dict[K, QPushButton] = {}
    group, each = QButtonGroup(owner), list(options)  # a group, so that ← and → go from one to the other
    for place, (key, words, tip) in enumerate(each):
        said = f"{name} {words.lower()}" if name else words
        made[key] = segment(words, tip, lambda *_, key=key: slot(key), place=place, of=len(each), name=said)
        group.addButton(made[key])
    return made
