"""Reading a user's sound: a WAV file, mixed to one channel and brought to a model's rate."""

from __future__ import annotations

import struct
from functools import lru_cache
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.sound import MOST_SAMPLES, Amplitudes, Sound

MOST_BYTES = 256 * 1024 * 1024
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
AGAIN = "save it again as WAV, PCM of 8, 16, 24 or 32 bits or floats of 32"
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

    The last one is remembered: who opens a file asks for both. Raises Problem for what cannot be read or is too long.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _read_once(path, (found.st_mtime_ns, found.st_size), tokens)


@lru_cache(maxsize=1)
def _read_once(path: Path, stamp: tuple[int, int], tokens: Amplitudes) -> tuple[Sound, str]:
    return heard(_bytes(path), path.name, tokens)


def heard(data: bytes, name: str, tokens: Amplitudes) -> tuple[Sound, str]:
    """The same of what a WAV file holds, which errors call ``name``."""
    wave, rate, channels = decoded(data, name)
    told = []
    if channels > 1:
        told.append(f"{channels} channels were mixed to one")
    if rate != tokens.rate:
        told.append(f"resampled from {rate:,} Hz to the model's {tokens.rate:,} Hz")
        wave = resample(wave, rate, tokens.rate)
    elif (loud := int((np.abs(wave) > 1).sum())) > 0:
        told.append(f"{loud:,} samples louder than a full tone were cut to one")
    found = tokens.sound(tokens.ids(wave).tobytes())
    return found, f"{name}: {' and '.join(told)}" if told else ""


def read_wave(path: Path) -> tuple[Wave, int, int]:
    """The amplitudes of the mean of the channels, a full tone being 1, the rate, and how many channels there are.

    Raises Problem for what is no WAV file of 8, 16, 24 or 32 bits PCM or of floats, is cut off, empty or too long.
    """
    return decoded(_bytes(path), path.name)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Problem(f"{path.name} is larger than {MOST_BYTES >> 20} MiB", "make it shorter")
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem(f"{path} cannot be read ({error.strerror or error})", "check the path and its rights")


def decoded(data: bytes, name: str) -> tuple[Wave, int, int]:
    """:func:`read_wave` of what a file holds, which errors call ``name``."""
    chunks = _chunks(data)
    format, body = chunks.get(b"fmt ", (b"", 0))[0], chunks.get(b"data")
    if len(format) < 16 or body is None:
        raise Problem(f"{name} cannot be read as a WAV file (it is none, or it is cut off)", AGAIN)
    tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", format[:16])
    if tag == EXTENSIBLE and len(format) >= 26:
        tag = int.from_bytes(format[24:26], "little")
    if (tag, bits) not in ((PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)):
        what = {PCM: "whole numbers", FLOAT: "floats"}.get(tag, f"the compressed format {tag}")
        raise Problem(f"{name} cannot be read as a WAV file ({what} of {bits} bits)", AGAIN)
    if not 1 <= channels <= 64 or not 100 <= rate <= 384_000:
        raise Problem(f"{name} has {channels} channels, {rate:,} samples a second", AGAIN)
    samples, wanted = body
    if not samples:
        raise Problem(f"{name} holds no samples", "choose a longer sound")
    if len(samples) < wanted or len(samples) % (channels * bits // 8):
        raise Problem(f"{name} is cut off: {len(samples):,} bytes of {wanted:,}", "fetch it again")
    if (frames := len(samples) // (channels * bits // 8)) > MOST_SAMPLES:
        raise Problem(f"{name} has {frames:,} samples a channel", f"give at most {MOST_SAMPLES:,}")
    found = np.frombuffer(samples, f"<f{bits // 8}").astype(np.float64) if tag == FLOAT else _whole(samples, bits // 8)
    if not np.isfinite(found).all():
        raise Problem(f"some samples of {name} are no numbers (NaN or infinite)", AGAIN)
    return found.reshape(-1, channels).mean(axis=1), rate, channels


def _chunks(data: bytes) -> dict[bytes, tuple[bytes, int]]:
    """The first chunk of each name in a RIFF file: what is there of it, and how long it says to be."""
    found: dict[bytes, tuple[bytes, int]] = {}
    at = 12 if data[:4] == b"RIFF" and data[8:12] == b"WAVE" else len(data)
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.setdefault(data[at : at + 4], (data[at + 8 : at + 8 + size], size))
        at += 8 + size + size % 2
    return found


def _whole(data: bytes, width: int) -> Wave:
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


def resample(wave: Wave, rate: int, wanted: int) -> Wave:
    """The same sound at another rate, by a windowed sinc (Kaiser, beta 9) that cuts off at the lower of both rates.

    >>> tone = np.sin(2 * np.pi * 500 * np.arange(4410) / 44100)
    >>> made = resample(tone, 44100, 8000)
    >>> len(made), bool(np.abs(made - np.sin(2 * np.pi * 500 * np.arange(800) / 8000))[100:-100].max() < 1e-3)
    (800, True)
    """
    common = gcd(rate, wanted)
    up, down = wanted // common, rate // common
    half = LOBES * max(up, down) / up  # in samples of ``wave``
    count, reach = -(-len(wave) * up // down), int(np.ceil(half))
    padded = np.pad(wave, reach + 1)
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
