"""A sound to go through: its wave, and a line where the next sample comes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from arplay.core.modalities.sound import Sound
from arplay.gui.canvases.canvas import Canvas
from arplay.gui.canvases.sound.strip import Strip
from arplay.gui.contract import CaretMoved, Do, Report, View
from arplay.gui.theme import SPACE, Theme
from arplay.gui.widgets.caption import Label

HEIGHT = 220
"""Pixels of height that it wants."""


class SoundCanvas(Canvas):
    """Tells where the user goes in the sound; shows it as the View has it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self.strip = Strip(self)
        self.strip.setAccessibleName("Sound")
        self.words = Label(parent=self, role="muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[1], SPACE[1], SPACE[1], SPACE[1])
        column.addWidget(self.strip, 1)
        column.addWidget(self.words)
        self.setFocusProxy(self.strip)
        self.strip.went.connect(self._go)
        self.strip.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        self.strip.theme = theme
        self.show_view(self._view)

    def wanted_height(self, view: View, width: int) -> int:
        return HEIGHT

    def open_seek(self, part: str) -> None:
        self.intent.emit(Report("a sound has no text to search", "click on the wave to go there"))

    def show_view(self, view: View) -> None:
        self._view, sound = view, view.document
        if not isinstance(sound, Sound):
            return
        self.strip.show_wave(sound.wave, view.caret)
        if sound.is_blank:
            self.words.setText("Nothing yet. Step and Play write samples; open a WAV file to go on from a sound.")
        else:
            at = f"sample {view.caret + 1:,} comes next, at {view.caret / sound.rate:.4f} s"
            self.words.setText(f"{sound.shown}; {at}.")

    def _go(self, index: int) -> None:
        self.intent.emit(CaretMoved(index))

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Keys of the strip that mean something here."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        what = {Qt.Key.Key_Space: Do("step"), Qt.Key.Key_Backspace: Do("rewind")}.get(Qt.Key(event.key()))
        if what is None or event.modifiers():
            return False
        self.intent.emit(what)
        return True
