"""A sound to go through and to listen to: its wave, its spectrogram, and a line where the next sample comes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QWidget

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.core.modalities.sound import MOST_SAMPLES, Sound
from arplay.engine.player import Player
from arplay.gui.canvases.canvas import Canvas
from arplay.gui.canvases.sound import clipboard
from arplay.gui.canvases.sound.card import of_sample, of_scored
from arplay.gui.canvases.sound.pasted import Pasted
from arplay.gui.canvases.sound.spectrum import Spectrum
from arplay.gui.canvases.sound.strip import Shown, Strip
from arplay.gui.canvases.text import transfer
from arplay.gui.intents import CaretMoved, Do, OpenFiles, Report
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.heat.card import CardContent
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import FREE, in_column, in_row
from arplay.gui.widgets.push_button import push_button

HEIGHT = 320
"""Pixels of height that it wants."""
LOW = 170
"""Pixels of height below which there is no room for a spectrogram."""
FRAME_MS = 30
NOTHING = "Nothing yet. Step and Play write samples; open a WAV file to go on from a sound."
LISTEN = (
    "Hear what is selected, or all from the line on; where nothing follows the line, the sound from its beginning "
    "(key L, also to stop). P and Play let the model write."
)


class SoundCanvas(Canvas):
    """Tells where the user goes in the sound; shows it as the View has it, and plays it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self._wave: tuple[Sound | None, NDArray[np.float64]] = None, np.zeros(0)
        self._problem = ""
        self.player = Player()
        self.strip = Strip(self)
        self.strip.setAccessibleName("Sound")
        self.strip.tell = self._card
        self.strip.empty = NOTHING
        self.spectrum = Spectrum(self)
        self.words = Caption()
        self.listen = push_button("Play sound", LISTEN, self._listen, parent=self)
        self.frequencies = push_button(
            "Spectrogram",
            "How loud each frequency is, below the wave: frames of 256 samples, 80 dB from silence to a full tone",
            self._fit, role="chip", checkable=True, parent=self,
        )  # fmt: skip
        self.frequencies.setChecked(True)
        self.whole = push_button(
            "Whole", "All of the sound (Ctrl+0). The wheel, Ctrl++ and Ctrl+- zoom; Shift and the wheel pan.",
            self._whole, role="chip", parent=self,
        )  # fmt: skip
        tools = in_row(self.listen, self.frequencies, self.whole, FREE, spacing=SPACE[1])
        in_column((self.strip, 3), (self.spectrum, 2), tools, self.words, on=self, margins=SPACE[1], spacing=SPACE[0])
        self.setFocusProxy(self.strip)
        self._ticks = QTimer(self)
        self._ticks.setInterval(FRAME_MS)
        self._ticks.timeout.connect(self._tick)
        self.strip.went.connect(self._go)
        self.strip.looked.connect(self._look)
        self.strip.chosen.connect(self._show_words)
        self.strip.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        self.strip.theme = self.spectrum.theme = theme
        self.spectrum.update()
        self.show_view(self._view)

    def wanted_height(self, view: View, width: int) -> int:
        return HEIGHT

    def open_seek(self, part: str) -> None:
        self.intent.emit(Report("a sound has no text to search", "click on the wave to go there"))

    def show_view(self, view: View) -> None:
        if view.document is not self._view.document or view.caret != self._view.caret:
            self._problem = ""
        self._view, sound = view, view.document
        if not isinstance(sound, Sound):
            self._silence()
            return
        if self._wave[0] is not sound:
            self._wave = sound, sound.wave
            self._fit()
        reach = view.loaded.can.reach if view.loaded is not None else None
        ledger, shades, scale = self._ledger, None, HeatScale.by(self.strip.theme, view.settings)
        if ledger is not None and view.settings.tokens == "colours":
            shades = np.array(scale.shade(ledger, 0, len(ledger)), np.int64)
        lit = view.span if ledger is not None else None
        self.strip.show_wave(Shown(self._wave[1], sound.rate, view.caret, reach, shades, scale.fills, lit))
        self.listen.setEnabled(not sound.is_blank)
        self._look()
        self._show_words()

    def selected_tokens(self, ledger: Ledger | None) -> tuple[int, int] | None:
        return None if ledger is None or ledger is not self._ledger else self.strip.selection

    @property
    def _ledger(self) -> Ledger | None:
        """The scores of this very sound."""
        ledger = self._view.ledger
        return ledger if ledger is not None and ledger.encoded.is_of(self._view.document) else None

    def _card(self, index: int) -> CardContent | None:
        sound, ledger, view = self._view.document, self._ledger, self._view
        if not isinstance(sound, Sound):
            return None
        if ledger is None:
            return of_sample(sound, index)
        return of_scored(ledger, index, view.loaded.vocabulary if view.loaded else None, view.settings.unit)

    def _whole(self) -> None:
        self.strip.zoom(1e9)

    def _look(self) -> None:
        self.spectrum.show_stretch(self._wave[1], self.strip.shown.rate, self.strip.stretch)

    def _show_words(self) -> None:
        sound, view = self._view.document, self._view
        if not isinstance(sound, Sound):
            return
        chosen = self.strip.selection
        if self._problem:
            said = self._problem
        elif sound.is_blank:
            said = ""
        elif chosen is not None:
            count = chosen[1] - chosen[0]
            said = f"{count:,} samples selected, {chosen[0] / sound.rate:.4f} to {chosen[1] / sound.rate:.4f} s"
        else:
            said = f"{sound.shown}  ·  next: {view.caret + 1:,} at {view.caret / sound.rate:.4f} s"
            if self.strip.shown.reach is not None and view.caret:
                said += f"  ·  shaded: the {self.strip.shown.reach:,} that bear on it"
        self.words.show_text(said)

    # what is heard

    def _listen(self) -> None:
        if self.player.at is not None:
            self._silence()
            return
        sound, n = self._wave[0], len(self._wave[1])
        if sound is None or not n:
            return
        at = self._view.caret
        first, stop = self.strip.selection or ((at, n) if at < n else (0, n))
        self._problem = ""
        try:
            self.player.play(self._wave[1], sound.rate, first, stop)
        except Problem as problem:
            self._problem = f"{capital(problem.cause)}: {problem.remedy}. All else goes on without."
        else:
            self.listen.setText("Stop")
            self._ticks.start()
        self._show_words()

    def _tick(self) -> None:
        at = self.player.at
        if at is None:
            self._silence()
        self.strip.show_heard(at)

    def _silence(self) -> None:
        self._ticks.stop()
        self.player.stop()
        self.strip.show_heard(None)
        self.listen.setText("Play sound")

    def hideEvent(self, event: QHideEvent) -> None:
        self._silence()

    # layout and keys

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.spectrum.setVisible(self.frequencies.isChecked() and self.height() >= LOW and len(self._wave[1]) > 0)

    def _go(self, index: int) -> None:
        self.intent.emit(CaretMoved(index))

    def _copy(self) -> None:
        """What is selected, or all of it."""
        sound = self._wave[0]
        if sound is not None and len(sound):
            first, stop = self.strip.selection or (0, len(sound))
            QGuiApplication.clipboard().setMimeData(clipboard.offer(sound.tokens.sound(sound.samples[first:stop])))

    def _paste(self) -> None:
        """In place of what is selected, or at the line; files are opened."""
        offered, sound = QGuiApplication.clipboard().mimeData(), self._wave[0]
        if files := transfer.local_files(offered):
            self.intent.emit(OpenFiles(files))
            return
        try:
            if sound is None:
                raise Problem("there is no model of sound yet", "wait for it, or choose one")
            pasted, changed = clipboard.content(offered, sound.tokens)
            first, stop = self.strip.selection or (self._view.caret, self._view.caret)
            if len(sound) + len(pasted) - (stop - first) > MOST_SAMPLES:
                raise Problem(f"the sound would have more than {MOST_SAMPLES:,} samples", "paste less")
        except Problem as problem:
            self.intent.emit(Report(problem.cause, problem.remedy))
            return
        self.strip.select(None)
        self.intent.emit(Pasted(pasted, first, stop))
        if changed:
            self.intent.emit(Report(changed, "undo takes it out again"))

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Keys of the strip that mean something here."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
            return True
        if event.matches(QKeySequence.StandardKey.Paste):
            self._paste()
            return True
        if event.modifiers():
            return False
        what = {Qt.Key.Key_Space: Do("step"), Qt.Key.Key_Backspace: Do("rewind")}.get(Qt.Key(event.key()))
        if what is not None:
            self.intent.emit(what)
        elif event.key() == Qt.Key.Key_L:
            self._listen()
        elif event.key() == Qt.Key.Key_Escape and self.strip.selection is None:
            self.leave.emit()
        else:
            return False
        return True
