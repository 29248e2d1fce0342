"""A push button with all that is said of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QPushButton, QWidget

from arplay.gui.widgets.caption import plain


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
    """``slot`` follows its click; ``name`` is read aloud instead of ``words``. In a dialog Enter does not press it."""
    made = QPushButton(words, parent)
    made.setAutoDefault(False)
    made.setCheckable(checkable)
    made.setToolTip(plain(tip))
    if role:
        made.setProperty("role", role)
    if name:
        made.setAccessibleName(name)
    if slot is not None:
        made.clicked.connect(slot)
    return made
