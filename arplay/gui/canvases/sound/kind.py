"""Sounds, as the window knows them."""

from __future__ import annotations

from arplay.core.modalities.sound import Amplitudes, Sound
from arplay.gui.canvases import sketch
from arplay.gui.canvases.kind import Kind, later

SOUND = Kind(
    name="sound",
    noun="sound",
    tokens=Amplitudes,
    document=Sound,
    blank=lambda tokens: tokens.sound(b""),
    suits=lambda sound, tokens: (sound.rate, sound.levels) == (tokens.rate, tokens.levels),
    canvas=later("arplay.gui.canvases.sound.canvas:SoundCanvas"),
    heat=later("arplay.gui.canvases.sound.heat:SoundHeat"),
    thumbnail=later("arplay.gui.canvases.sound.hearing:drawn"),
    voice=later("arplay.gui.canvases.sound.hearing:Voice"),
    sheet=later("arplay.gui.canvases.sound.heat:SoundSheet"),
    in_parts=True,
    long=lambda sound: False,
    verb="play",
    first="Click the wave to go there: the samples before the line are the prefix. ← and → move it by one, L plays "
    "it, the wheel zooms. Ctrl+O, Ctrl+V or a drop brings a WAV file; 0.5 s in Decoding, then Play, goes on.",
    other="Go back with ← into the middle of the sound and choose another amplitude in the chart: it is put there. "
    "What followed is kept in the history.",
    sketch=sketch.SOUND,
)
