"""Sounds, as the window knows them."""

from __future__ import annotations

from arplay.core.modalities.sound import Amplitudes, Sound
from arplay.gui.canvases.kind import Kind
from arplay.gui.canvases.sound.canvas import SoundCanvas
from arplay.gui.canvases.sound.heat import SoundHeat, SoundSheet

SOUND = Kind(
    name="sound",
    noun="sound",
    tokens=Amplitudes,
    document=Sound,
    blank=lambda tokens: tokens.sound(b""),
    suits=lambda sound, tokens: (sound.rate, sound.levels) == (tokens.rate, tokens.levels),
    canvas=SoundCanvas,
    heat=SoundHeat,
    sheet=SoundSheet,
    in_parts=True,
    long=lambda sound: False,
    verb="play",
    first="Click the wave to go there: the samples before the line are the prefix. ← and → move it by a sample.",
    other="Go back with ← into the middle of the sound and choose another amplitude in the chart: it is put there. "
    "What followed is kept in the history.",
)
