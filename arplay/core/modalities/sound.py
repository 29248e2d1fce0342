"""Sound: a token a sample, which is its amplitude on a scale that is fine near silence and coarse where it is loud.

With mu one less than the count of levels, an amplitude y from -1 to 1 becomes, as in G.711's continuous law,

    c = sign(y) ln(1 + mu |y|) / ln(1 + mu),   id = floor((c + 1) / 2 mu + 1/2)

and back by the inverse. A document is the ids of its samples, addressed by index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.core.modalities.base import Ids, Remember, Unit, afresh
from arplay.core.modalities.each import EachDocument, EachEdit, EachEncoded, EachTokens

SAMPLE = Unit("sample", "samples", "bits_per_sample", "bits per sample")
LEVELS = 256
"""The most: a sample is a byte."""
FULL = 1 << 15
"""What labels and 16-bit files call an amplitude of 1."""
MOST_SAMPLES = 1 << 24


@dataclass(frozen=True)
class Amplitudes(EachTokens):
    """The token set of sounds of ``rate`` samples a second, and how a model reads them.

    >>> tokens = Amplitudes(8000)
    >>> tokens.ids(np.array([-1.0, 0.0, 0.01, 1.0]))
    array([  0, 128, 157, 255], dtype=uint8)
    >>> tokens.label(157), tokens.lengths
    ('+335', (('0.1 s', 800), ('0.5 s', 4000), ('1 s', 8000)))
    """

    rate: int
    levels: int = LEVELS

    length: ClassVar[None] = None
    unit: Unit = SAMPLE

    @property
    def name(self) -> str:
        return f"sound:{self.rate}:{self.levels}"

    def __len__(self) -> int:
        return self.levels

    @cached_property
    def lengths(self) -> tuple[tuple[str, int], ...]:  # type: ignore[override]
        return tuple((f"{seconds:g} s", round(seconds * self.rate)) for seconds in (0.1, 0.5, 1.0))

    @cached_property
    def amplitudes(self) -> NDArray[np.float64]:
        """What each id stands for, from -1 to 1, shape (V,)."""
        mu = self.levels - 1
        c = 2 * np.arange(self.levels) / mu - 1
        found: NDArray[np.float64] = np.sign(c) * ((1.0 + mu) ** np.abs(c) - 1) / mu
        return read_only(found)

    def ids(self, wave: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
        """Of amplitudes from -1 to 1; what lies outside is the outermost."""
        mu, y = self.levels - 1, np.clip(wave, -1, 1)
        c = np.sign(y) * np.log1p(mu * np.abs(y)) / np.log1p(mu)
        found: NDArray[np.uint8] = np.floor((c + 1) / 2 * mu + 0.5).astype(np.uint8)
        return found

    def label(self, id: int) -> str:
        """The amplitude as 16-bit files count it."""
        value = round(float(self.amplitudes[id]) * FULL)
        return f"{value:+,}".replace("-", "\N{MINUS SIGN}")

    def record(self, id: int) -> dict[str, Any]:
        return {"text": self.label(id), "amplitude": round(float(self.amplitudes[id]), 9)}

    def details(self, id: int) -> list[tuple[str, str]]:
        return [("amplitude", number(float(self.amplitudes[id])))]

    def named(self, text: str) -> int | None:
        plain = text.replace("-", "\N{MINUS SIGN}")
        return next((id for id in range(self.levels) if plain in (self.label(id), self.label(id).lstrip("+"))), None)

    def find(self, text: str, limit: int = 200) -> list[int]:
        wanted = text.replace("-", "\N{MINUS SIGN}")
        return [id for id in range(self.levels) if wanted and wanted in self.label(id)][:limit]

    def sound(self, ids: bytes) -> Sound:
        """Raises Problem for an id that there is not."""
        if ids and max(ids) >= self.levels:
            raise Problem(f"{max(ids)} is no level of this model", f"its levels are 0 to {self.levels - 1}")
        return Sound(self.rate, self.levels, ids)


@dataclass(frozen=True, slots=True)
class Splice(EachEdit):
    """``removed`` samples at index ``at`` gave way to ``inserted``. ``caret``: a token was taken there."""

    at: int = 0
    removed: bytes = b""
    inserted: bytes = b""
    caret: int | None = field(default=None, compare=False)

    @property
    def inverse(self) -> Splice:
        return Splice(self.at, self.inserted, self.removed)

    @property
    def is_nothing(self) -> bool:
        return self.removed == self.inserted

    @property
    def takes_away(self) -> bool:
        return bool(self.removed)

    def untouched(self, spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return tuple(span for span in spans if span[1] <= self.at)

    def opened(self, document: Sound | None) -> str:
        return "Empty sound" if document is None or document.is_blank else "Opened a sound"

    def said(self, kind: str) -> tuple[str, bool]:
        count = len(self.inserted) or len(self.removed)
        samples = f"sample {self.at + 1:,}" if count == 1 else f"{count:,} samples from {self.at + 1:,} on"
        return f"{kind.capitalize() if self.inserted else 'Removed'} {samples}", False


@dataclass(frozen=True)
class Sound(EachDocument):
    """Samples one after the other, an id each."""

    rate: int
    levels: int
    samples: bytes = b""

    nothing: ClassVar[Splice] = Splice()
    unit: ClassVar[Unit] = SAMPLE

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def is_blank(self) -> bool:
        return not self.samples

    @property
    def tokens(self) -> Amplitudes:
        return Amplitudes(self.rate, self.levels)

    @property
    def wave(self) -> NDArray[np.float64]:
        """Its amplitudes, from -1 to 1."""
        return self.tokens.amplitudes[np.frombuffer(self.samples, np.uint8)]

    @property
    def shown(self) -> str:
        return f"{len(self):,} samples, {len(self) / self.rate:.3f} s at {self.rate:,} Hz"

    @property
    def end(self) -> int:
        return len(self)

    def encoded(self, coder: Any, special: bool = False, remember: Remember = afresh) -> EncodedSound:
        if not isinstance(coder, Amplitudes):
            raise Problem("this model reads no sound", "choose a model of sound")
        if (coder.rate, coder.levels) != (self.rate, self.levels):
            cause = f"this sound has {self.rate:,} samples a second of {self.levels} levels, the model"
            raise Problem(f"{cause} {coder.rate:,} of {coder.levels}", "open the file again with this model")
        return EncodedSound(coder, np.frombuffer(self.samples, np.uint8).astype(np.int32))

    def before(self, place: int | None) -> Mapping[str, Any]:
        at = len(self) if place is None else place
        return {"samples": at, "seconds": at / self.rate}

    @property
    def file(self) -> bytes:
        """A WAV file: 16 bit PCM, one channel."""
        data = np.rint(self.wave * (FULL - 1)).astype("<i2").tobytes()
        head = b"WAVEfmt " + np.array([16], "<u4").tobytes() + np.array([1, 1], "<u2").tobytes()
        head += np.array([self.rate, 2 * self.rate], "<u4").tobytes() + np.array([2, 16], "<u2").tobytes()
        body = head + b"data" + np.array([len(data)], "<u4").tobytes() + data
        return b"RIFF" + np.array([len(body)], "<u4").tobytes() + body

    def ahead(self, tokens: Amplitudes) -> Mapping[int, int]:
        return {}

    def writer(self) -> Teller:
        return Teller(self.samples)

    def become(self, document: Sound) -> Splice:
        return Splice(0, self.samples, document.samples)

    def take(self, caret: int, id: int, tokens: Amplitudes) -> tuple[Splice, int]:
        """A pick follows the caret; what stood behind it is removed (the tree keeps it)."""
        return Splice(caret, self.samples[caret:], bytes([id]), caret), caret + 1

    def first(self, encoded: EncodedSound, count: int, tokens: Amplitudes) -> Sound:
        return self.upto(count)

    def followed(self, encoded: EncodedSound, tokens: Amplitudes, other: Sound) -> Sound:
        return replace(self, samples=self.samples + other.samples)

    def retokenise(self, tokens: Amplitudes | None = None) -> Splice:
        return self.nothing

    def reached(self, caret: int, tokens: Amplitudes) -> int:
        return caret

    @property
    def emptied(self) -> Sound:
        return Sound(self.rate, self.levels)

    def upto(self, caret: int) -> Sound:
        return Sound(self.rate, self.levels, self.samples[:caret])

    def apply(self, edit: Splice) -> Sound:
        at, stop = edit.at, edit.at + len(edit.removed)
        if self.samples[at:stop] != edit.removed:
            raise ValueError("this edit was made from another sound")
        return Sound(self.rate, self.levels, self.samples[:at] + edit.inserted + self.samples[stop:])


@dataclass(frozen=True, eq=False)
class EncodedSound(EachEncoded):
    """The samples of a sound from the one with index ``first`` on, n of them."""

    tokens: Amplitudes
    ids: Ids
    first: int = 0
    unit: ClassVar[Unit] = SAMPLE

    @property
    def split_words(self) -> int:
        return 0

    @property
    def divisions(self) -> tuple[str, ...]:
        return ()

    def parts(self, kind: str) -> Iterator[Ids]:
        yield np.zeros(1, np.int64)

    def extract(self, start: int, end: int) -> str:
        return f"samples {start:,} to {end:,}"

    def is_of(self, document: Sound) -> bool:
        return self._data == document.samples

    def same_as(self, other: Any) -> bool:
        return isinstance(other, EncodedSound) and self._data == other._data

    def begins(self, document: Sound) -> bool:
        return document.samples.startswith(self._data)

    @property
    def wave(self) -> NDArray[np.float64]:
        """Their amplitudes, from -1 to 1."""
        return self.tokens.amplitudes[self.ids]

    @cached_property
    def _data(self) -> bytes:
        return self.ids.astype(np.uint8).tobytes()

    def said(self, index: int, tokens: Amplitudes | None, stop: int | None = None) -> str:
        if stop is not None:
            return " ".join(self.said(one, tokens) for one in range(index, stop))
        return self.tokens.label(int(self.ids[index]))

    def remark(self, index: int) -> str:
        return f"{1000 * (self.first + index) / self.tokens.rate:,.3f} ms"

    def part(self, first: int, stop: int) -> EncodedSound:
        return EncodedSound(self.tokens, self.ids[first:stop], self.first + first)

    def record(self) -> Mapping[str, NDArray[Any]]:
        return {"seconds": (self.first + np.arange(len(self.ids))) / self.tokens.rate}


class Teller:
    """A sound that grows is told once it is there, all of it, by its ids: which is how a prompt of it is typed."""

    def __init__(self, samples: bytes) -> None:
        self._samples = bytearray(samples)

    def write(self, id: int, tokens: Amplitudes) -> str:
        self._samples.append(id)
        return ""

    def end(self) -> str:
        return " ".join(map(str, self._samples))
