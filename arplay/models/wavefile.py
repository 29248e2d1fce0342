"""Reading a user's sound: a WAV file of whole-number samples, mixed to one channel and brought to a model's rate."""

from __future__ import annotations

import os
import wave
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.sound import MOST_SAMPLES, Amplitudes, Sound

MOST_BYTES = 256 * 1024 * 1024
LOBES = 32
"""Zero crossings of the low-pass at each side of its middle."""

Wave = NDArray[np.float64]


class SoundReader:
    tokens: type = Amplitudes
    encoded: bool = False
    also: str = ", or an array of amplitudes from -1 to 1 at the model's rate"
    writes: tuple[str, ...] = (".wav",)

    def typed(self, data: bytes, tokens: Amplitudes) -> Sound:
        """Ids with spaces between them; nothing is the empty sound."""
        try:
            ids = bytes(int(word) for word in data.split())
        except ValueError as error:
            cause = "a prompt of a model of sound is ids of samples with spaces between"
            raise Problem(
                cause, f"such as 128 130 127, from 0 to {tokens.levels - 1}; a WAV file goes with --file"
            ) from error
        return tokens.sound(ids)

    def read(self, path: Path, encoding: str | None, tokens: Amplitudes) -> Sound:
        return read_sound(path, tokens)[0]

    def said(self, path: Path, tokens: Amplitudes) -> str:
        return read_sound(path, tokens)[1]

    def write(self, path: Path, text: str, tokens: Amplitudes) -> None:
        """16 bits, one channel, of ids as :meth:`typed` reads them."""
        try:
            path.write_bytes(self.typed(text.encode(), tokens).file)
        except OSError as error:
            raise Problem(f"{path} cannot be written ({error.strerror or error})", "choose another --out") from error

    def usual(self, tokens: Amplitudes) -> int:
        """A second."""
        return tokens.rate

    def given(self, value: Any, tokens: Amplitudes) -> Sound | None:
        """A text that is no ids names a file."""
        if isinstance(value, np.ndarray):
            if (
                value.ndim != 1
                or value.dtype.kind not in "fiu"
                or not np.isfinite(value).all()
                or np.abs(value).max(initial=0) > 1
            ):
                cause = f"an array of {value.dtype} of shape {value.shape} holds no sound"
                raise Problem(cause, "give amplitudes from -1 to 1, shape (n,)")
            return tokens.sound(tokens.ids(value.astype(np.float64)).tobytes())
        if not isinstance(value, str) or all(word.isdigit() for word in value.split()):
            return None
        return read_sound(Path(value), tokens)[0]


def read_sound(path: Path, tokens: Amplitudes) -> tuple[Sound, str]:
    """The sound in a file as a model hears it, and what was done to it, "" if nothing.

    Raises Problem for what cannot be read or is too long.
    """
    wave_, rate, channels = read_wave(path)
    told = []
    if channels > 1:
        told.append(f"{channels} channels were mixed to one")
    if rate != tokens.rate:
        told.append(f"resampled from {rate:,} Hz to the model's {tokens.rate:,} Hz")
        wave_ = resample(wave_, rate, tokens.rate)
    found = tokens.sound(tokens.ids(wave_).tobytes())
    return found, f"{path.name}: {' and '.join(told)}" if told else ""


def read_wave(path: Path) -> tuple[Wave, int, int]:
    """The amplitudes from -1 to 1 of the mean of the channels, the rate, and how many channels there are.

    Raises Problem for what is no WAV file of 8, 16, 24 or 32 bits PCM, is cut off, empty or too long.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Problem(f"{path.name} is larger than {MOST_BYTES >> 20} MiB", "make it shorter")
        with wave.open(os.fspath(path), "rb") as file:
            rate, channels, width, frames = (
                file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes(),
            )  # fmt: skip
            data = file.readframes(frames)
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror or error})", "check the path and its rights") from error
    except (wave.Error, EOFError, ValueError, ArithmeticError) as error:
        cause = f"{path.name} cannot be read as a WAV file ({error or 'it is cut off'})"
        raise Problem(cause, "save it again as WAV, PCM of 8, 16, 24 or 32 bits") from error
    if width not in (1, 2, 3, 4) or not 1 <= channels <= 64 or not 100 <= rate <= 384_000:
        told = f"{8 * width} bits, {channels} channels, {rate:,} samples a second"
        raise Problem(f"{path.name} has {told}", "save it again as WAV, PCM of 8, 16, 24 or 32 bits")
    if not data:
        raise Problem(f"{path.name} holds no samples", "choose a longer sound")
    if len(data) < frames * width * channels:
        raise Problem(f"{path.name} is cut off: {len(data):,} bytes of {frames * width * channels:,}", "fetch it again")
    if frames > MOST_SAMPLES:
        raise Problem(f"{path.name} has {frames:,} samples a channel", f"give at most {MOST_SAMPLES:,}")
    return _amplitudes(data, width).reshape(-1, channels).mean(axis=1), rate, channels


def _amplitudes(data: bytes, width: int) -> Wave:
    if width == 1:
        found: Wave = (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128
        return found
    if width == 3:  # as the upper three bytes of four
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data, width = padded.tobytes(), 4
    whole = np.frombuffer(data, f"<i{width}")
    found = whole / (1 << (8 * width - 1))
    return found


def resample(wave_: Wave, rate: int, wanted: int) -> Wave:
    """The same sound at another rate, by a windowed sinc (Kaiser, beta 9) that cuts off at the lower of both rates.

    >>> tone = np.sin(2 * np.pi * 500 * np.arange(4410) / 44100)
    >>> made = resample(tone, 44100, 8000)
    >>> len(made), bool(np.abs(made - np.sin(2 * np.pi * 500 * np.arange(800) / 8000))[100:-100].max() < 1e-3)
    (800, True)
    """
    common = gcd(rate, wanted)
    up, down = wanted // common, rate // common
    half = LOBES * max(up, down) / up  # in samples of ``wave_``
    count, reach = -(-len(wave_) * up // down), int(np.ceil(half))
    padded = np.pad(wave_, reach + 1)
    found = np.empty(count)
    cutoff = min(1.0, up / down)
    for phase in range(min(up, count)):  # outputs of one phase lie equally between the samples: one filter for all
        at = np.arange(phase, count, up) * down
        taps = np.arange(-reach, reach + 1) - (at[0] % up) / up
        kernel = cutoff * np.sinc(cutoff * taps) * np.i0(9 * np.sqrt(np.clip(1 - (taps / half) ** 2, 0, 1))) / np.i0(9)
        starts = at // up + 1
        for low in range(0, len(starts), 4096):
            part = starts[low : low + 4096, None]
            found[phase::up][low : low + 4096] = padded[part + np.arange(2 * reach + 1)] @ kernel
    return found
