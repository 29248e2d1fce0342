"""Where Tab goes in a window of docks: dock by dock, past those that stand behind another's tab.

Qt holds these for visible, and what is made later comes after everything else, whichever dock it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QWidget


def beside(window: QWidget, onwards: bool) -> QWidget | None:
    """The part of ``window`` that comes after the one with the keyboard, or before it; None where it is alone."""
    groups: dict[QDockWidget | None, list[QWidget]] = {}
    for part in _chain(window):
        groups.setdefault(_dock_of(part), []).append(part)
    parts = [part for group in groups.values() for part in group]
    here = parts.index(window.focusWidget() or window)
    others = [*parts[here + 1 :], *parts[:here]]
    return next((part for part in (others if onwards else reversed(others)) if _takes_tab(part, window)), None)


def _chain(window: QWidget) -> Iterator[QWidget]:
    yield window
    part: QWidget | None = window.nextInFocusChain()
    while part is not None and part is not window:
        yield part
        part = part.nextInFocusChain()


def _dock_of(part: QWidget) -> QDockWidget | None:
    """The one that it is, or stands in."""
    above: QWidget | None = part
    while above is not None and not isinstance(above, QDockWidget):
        above = above.parentWidget()
    return above


def _takes_tab(part: QWidget, window: QWidget) -> bool:
    if not part.focusPolicy() & Qt.FocusPolicy.TabFocus or part.focusProxy() is not None:
        return False
    dock = _dock_of(part)
    in_front = dock is None or not dock.visibleRegion().isEmpty()
    return part.isEnabled() and part.isVisible() and part.window() is window and in_front
