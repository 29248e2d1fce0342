"""GGUF files (version 2 and 3), read as far as their header: what a file holds, checked before anything is allocated.

The format (ggml's docs/gguf.md), little-endian: ``GGUF``, version, number of tensors, number of values; the values
(name, type, content); the tensors (name, axes, type, offset); padding; the tensors' bytes. A file that passes
:func:`read` has every tensor inside it, at the place that llama.cpp expects. What the tensors must be for their
architecture is checked by llama.cpp, or by models/gguf/families.py before they are dequantised. Chat templates are text
here and are never run.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from arplay.core.errors import Problem

MAX_HEADER_BYTES = 256 * 1024 * 1024
MAX_STRING_BYTES = 16 * 1024 * 1024
MAX_NAME_BYTES = 256
MAX_VALUES = 10_000
MAX_TENSORS = 100_000
MAX_AXES = 4

_TOKENS = "tokenizer.ggml.tokens"
_STRING, _ARRAY = 8, 9
_NUMBERS = {
    0: "<u1",
    1: "<i1",
    2: "<u2",
    3: "<i2",
    4: "<u4",
    5: "<i4",
    6: "<f4",
    7: "|b1",
    10: "<u8",
    11: "<i8",
    12: "<f8",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's place in the file. ``shape``: slowest axis first, (rows, inputs), as numpy has it."""

    name: str
    shape: tuple[int, ...]
    kind: str
    start: int
    bytes: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class GGUF:
    """A GGUF file whose header passed. ``values`` by name: numbers, strings, lists of strings, numpy arrays."""

    path: Path
    values: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    @property
    def architecture(self) -> str:
        return self.text("general.architecture")

    @property
    def parameters(self) -> int:
        return sum(tensor.elements for tensor in self.tensors.values())

    @property
    def weight_bytes(self) -> int:
        return sum(tensor.bytes for tensor in self.tensors.values())

    @cached_property
    def quantisation(self) -> str:
        """The type that most numbers of the file's matrices are stored in, such as ``Q4_1``."""
        count: Counter[str] = Counter()
        for tensor in self.tensors.values():
            count[tensor.kind] += tensor.elements * (len(tensor.shape) > 1)
        return count.most_common(1)[0][0]

    @cached_property
    def tokens(self) -> list[str]:
        """The vocabulary. Raises Problem where the file has none."""
        if self.text("tokenizer.ggml.model", "none") in ("none", "no_vocab") or not self.values.get(_TOKENS):
            raise self.problem(
                "has no vocabulary, so no text can be read or written", "take another file of this model"
            )
        return self.strings(_TOKENS)

    def problem(self, what: str, remedy: str = "fetch the file again") -> Problem:
        return Problem(f"{self.path.name} {what}", remedy)

    def text(self, key: str, default: str | None = None) -> str:
        return str(self._value(key, str, "a text", default))

    def flag(self, key: str, default: bool) -> bool:
        return bool(self._value(key, bool, "yes or no", default))

    def strings(self, key: str) -> list[str]:
        found: list[str] = self._value(key, list, "a list of texts", None)
        return found

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """An integer value within ``low`` .. ``high``. Raises Problem."""
        found = self._value(key, int, "a whole number", default)
        if isinstance(found, bool) or not low <= found <= high:
            raise self.problem(f"has {found!r} for {key}, outside {low:,} to {high:,}")
        return int(found)

    def real(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number within ``low`` .. ``high``. Raises Problem."""
        found = self._value(key, float, "a number", default)
        if not low <= found <= high:  # also refuses NaN
            raise self.problem(f"has {found!r} for {key}, outside {low:g} to {high:g}")
        return float(found)

    def numbers(self, key: str, size: int) -> np.ndarray | None:
        """An array of exactly ``size`` numbers, or None where the file has none."""
        found = self.values.get(key)
        if found is not None and (not isinstance(found, np.ndarray) or found.shape != (size,)):
            raise self.problem(f"needs {size:,} numbers for {key}")
        return found

    def _value(self, key: str, kind: type, what: str, default: Any) -> Any:
        found = self.values.get(key, default)
        if found is None:
            raise self.problem(f"does not say its {key}")
        if not isinstance(found, kind):
            raise self.problem(f"has something else than {what} for {key}")
        return found


def read(path: Path) -> GGUF:
    """The header of the GGUF file ``path``. Raises Problem naming the file and the reason."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            return _Header(path, stream, size).parsed()
    except _Damage as damage:
        raise Problem(f"{path.name} is damaged, cut off or no GGUF file: {damage}", "fetch the file again") from None
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror})", "check its permissions") from error


class _Damage(Exception):  # noqa: N818 - becomes a Problem in `read`
    pass


class _Header:
    """A cursor over the header that takes no byte past the file's end or the bounds above."""

    def __init__(self, path: Path, stream: BinaryIO, size: int) -> None:
        self._path, self._stream, self._size = path, stream, size
        self._at = 0

    def parsed(self) -> GGUF:
        if self._take(4) != b"GGUF":
            raise _Damage("it does not begin with GGUF")
        version = self._number("<I")
        if version not in (2, 3):
            raise _Damage(f"version {version} is not 2 or 3")
        tensors = self._count("tensors", MAX_TENSORS, "<Q")
        values = self._count("values", MAX_VALUES, "<Q")
        known: dict[str, Any] = {}
        for _ in range(values):
            name = self._string(MAX_NAME_BYTES)
            if name in known:
                raise _Damage(f"{name} is there twice")
            known[name] = self._value(name)
        if known.get("split.count", 1) != 1:
            raise Problem(f"{self._path.name} is one part of several", "join them with llama-gguf-split --merge")
        return GGUF(self._path, known, self._tensors(tensors, known.get("general.alignment", 32)))

    def _tensors(self, count: int, alignment: Any) -> dict[str, Tensor]:
        if not isinstance(alignment, int) or not 8 <= alignment <= 1 << 20 or alignment & (alignment - 1):
            raise _Damage(f"the alignment {alignment!r} is no power of two that a file may have")
        kinds = _kinds()
        found: dict[str, Tensor] = {}
        end = 0
        for _ in range(count):
            name = self._string(MAX_NAME_BYTES)
            if name in found:
                raise _Damage(f"the tensor {name} is there twice")
            axes = self._count(f"axes of {name}", MAX_AXES, "<I")
            shape = tuple(self._number("<Q") for _ in range(axes))[::-1]
            number, offset = self._number("<I"), self._number("<Q")
            kind, block, block_bytes = kinds.get(number, ("", 1, 0))
            if not kind:
                raise _Damage(f"the tensor {name} has the unknown type {number}")
            if not shape or not 0 < math.prod(shape) <= 8 * self._size:  # fewer than one bit a number: impossible
                raise _Damage(f"the tensor {name} has the shape {shape}, more than the file holds")
            if shape[-1] % block:
                raise _Damage(f"the tensor {name} has rows of {shape[-1]}, no multiple of its blocks of {block}")
            if offset != end:
                raise _Damage(f"the tensor {name} is at {offset} instead of {end}")
            size = math.prod(shape) // block * block_bytes
            found[name] = Tensor(name, shape, kind, offset, size)
            end += -(-size // alignment) * alignment
        base = -(-self._at // alignment) * alignment
        last = next(reversed(found.values()), None)
        if last is None:
            raise _Damage("it holds no tensors")
        if base + last.start + last.bytes > self._size:
            raise _Damage(f"it has {self._size:,} bytes, its header promises {base + last.start + last.bytes:,}")
        return {n: Tensor(n, t.shape, t.kind, base + t.start, t.bytes) for n, t in found.items()}

    def _value(self, name: str) -> Any:
        kind = self._number("<I")
        if kind == _STRING:
            return self._string(MAX_STRING_BYTES)
        if kind == _ARRAY:
            kind = self._number("<I")
            if kind == _STRING:
                count = self._count(name, (self._size - self._at) // 8, "<Q")
                return [self._string(MAX_STRING_BYTES) for _ in range(count)]
            return self._array(name, kind, self._number("<Q"))
        return self._array(name, kind, 1)[0].item()

    def _array(self, name: str, kind: int, count: int) -> np.ndarray:
        if kind not in _NUMBERS:  # an array of arrays is among them: no model has one
            raise _Damage(f"{name} has the unknown type {kind}")
        dtype = np.dtype(_NUMBERS[kind])
        raw = self._take(count * dtype.itemsize)
        if kind == 7 and raw.translate(None, b"\x00\x01"):
            raise _Damage(f"{name} is neither true nor false")
        return np.frombuffer(raw, dtype)

    def _count(self, what: str, most: int, form: str) -> int:
        count = self._number(form)
        if count > most:
            raise _Damage(f"it promises {count:,} {what}")
        return count

    def _number(self, form: str) -> int:
        found: int = struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return found

    def _string(self, most: int) -> str:
        size = self._number("<Q")
        if size > most:
            raise _Damage(f"it promises a text of {size:,} bytes")
        try:
            return self._take(size).decode()
        except UnicodeDecodeError:
            raise _Damage(f"the text at byte {self._at - size:,} is not UTF-8") from None

    def _take(self, size: int) -> bytes:
        if size > min(self._size, MAX_HEADER_BYTES) - self._at:
            raise _Damage(f"{size:,} bytes are promised at byte {self._at:,}, past its end")
        data = self._stream.read(size)
        if len(data) != size:
            raise _Damage("it became shorter while it was read")
        self._at += size
        return data


def _kinds() -> dict[int, tuple[str, int, int]]:
    """Name, numbers and bytes in a block of every type that gguf knows, by its number in the file."""
    from gguf import GGML_QUANT_SIZES

    return {int(kind): (kind.name, *sizes) for kind, sizes in GGML_QUANT_SIZES.items()}
