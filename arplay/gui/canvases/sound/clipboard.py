"""Sounds that come and go by the clipboard: exact ids among ourselves, WAV files elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QMimeData

from arplay.core.errors import Problem
from arplay.core.modalities.sound import Amplitudes, Sound
from arplay.models.wavefile import SoundReader, heard

WAV = ("audio/x-wav", "audio/wav", "audio/vnd.wave")
"""Names that programs have for it."""


def offer(sound: Sound) -> QMimeData:
    mime, file = QMimeData(), sound.file
    mime.setText(" ".join(map(str, sound.samples)))
    for name in WAV:
        mime.setData(name, file)
    return mime


def content(source: QMimeData, tokens: Amplitudes) -> tuple[Sound, str]:
    """The sound that is offered, and what was done to it. Raises Problem."""
    file = next((bytes(source.data(name).data()) for name in WAV if source.hasFormat(name)), None)
    if file is not None:
        return heard(file, "what was pasted", tokens)
    if source.hasText():
        return SoundReader().typed(source.text().encode(), tokens), ""
    raise Problem("no sound was copied", "copy a WAV file, or a part of a sound in arplay")
