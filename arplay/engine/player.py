"""A sound through the loudspeakers, by miniaudio, whose own thread asks for one piece after the other."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from ctypes import CDLL, CFUNCTYPE, c_char_p, c_int
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem

LATENCY_MS = 60
_Heard = CFUNCTYPE(None, c_char_p, c_int, c_char_p, c_int, c_char_p)
_NOTHING = _Heard(lambda *said: None)


class Player:
    """One sound at a time. ``backends``: miniaudio's ways to a device; None: the system's own."""

    def __init__(self) -> None:
        self.backends: list[Any] | None = None
        self._device: Any = None
        self._first = self._stop = 0
        self._rate = 1
        self._began: float | None = None

    def play(self, wave: NDArray[np.float64], rate: int, first: int, stop: int) -> None:
        """Samples [first, stop) of ``wave``, amplitudes from -1 to 1. Raises Problem where nothing can be heard."""
        self.stop()
        try:
            import miniaudio
        except (ImportError, OSError) as error:
            raise Problem("miniaudio is not installed", "install arplay again, or listen to an exported WAV") from error
        _silence_alsa()
        real = [one for one in miniaudio.Backend if one not in (miniaudio.Backend.NULL, miniaudio.Backend.CUSTOM)]
        try:
            device = miniaudio.PlaybackDevice(
                miniaudio.SampleFormat.SIGNED16, 1, rate, LATENCY_MS, backends=self.backends or real
            )
        except miniaudio.MiniaudioError as error:
            raise Problem("there is no sound device", "connect one, or listen to an exported WAV elsewhere") from error
        self._first, self._stop, self._rate, self._began = first, stop, rate, None
        data = np.rint(np.clip(wave[first:stop], -1, 1) * 32767).astype("<i2").tobytes()
        pieces = self._pieces(data)
        next(pieces)
        self._device = device
        try:
            device.start(pieces)
        except miniaudio.MiniaudioError as error:
            self.stop()
            raise Problem("the sound device does not start", "close what else is using it and try again") from error

    def _pieces(self, data: bytes) -> Generator[bytes, int, None]:
        """In the device's thread: as many frames as it asks for, of two bytes each."""
        count = yield b""
        self._began = time.monotonic()
        at = 0
        while at < len(data):
            piece = data[at : at + 2 * count]
            at += len(piece)
            count = yield piece

    @property
    def at(self) -> int | None:
        """The sample that is heard now, about; None where all is silent."""
        if self._device is None:
            return None
        heard = 0.0 if self._began is None else time.monotonic() - self._began - LATENCY_MS / 1000
        at = self._first + int(max(0.0, heard) * self._rate)
        return at if at < self._stop else None

    def stop(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()


def _silence_alsa() -> None:
    """Where there is no device the library of Linux writes pages about it to the terminal; users are told in words."""
    with suppress(OSError, AttributeError):
        CDLL("libasound.so.2").snd_lib_error_set_handler(_NOTHING)
