"""A part that scrolls where the window is small, on the ground of whatever it stands on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QWidget


def into_sight(widget: QWidget) -> None:
    """All of what has just been opened, as far as what it scrolls in has room."""
    above = widget.parentWidget()
    while above is not None and not isinstance(above, QScrollArea):
        if (layout := above.layout()) is not None:
            layout.activate()
        above = above.parentWidget()
    if above is not None and (inside := above.widget()) is not None:
        QApplication.sendEvent(inside, QEvent(QEvent.Type.LayoutRequest))  # it has its new height now
        above.ensureWidgetVisible(widget, 0, 0)


class Scrolling(QScrollArea):
    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(inside)
        for widget in (self, self.viewport(), inside):
            widget.setAutoFillBackground(False)


class Fitting(Scrolling):
    """As high as what is inside wants to be where there is room; where it is too wide, it scrolls that way as well."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__(inside)
        self._inside = inside
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def sizeHint(self) -> QSize:
        return self._inside.sizeHint()  # Qt's own is of a time before the style sheet

    def minimumSizeHint(self) -> QSize:
        return QSize(1, 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # Qt's own would scroll by the arrows, with which the panel steps
