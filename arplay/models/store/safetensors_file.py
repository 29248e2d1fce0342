"""The header of a safetensors file, read by the format's own definition before any library maps the file.

A file is eight bytes (the header's length N, little-endian), N bytes of JSON and the tensors' bytes. The JSON maps a
name to ``{"dtype", "shape", "data_offsets": [begin, end]}``, offsets counted from the end of the header; the tensors
fill the rest of the file without holes or overlaps (github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem

MAX_HEADER_BYTES = 100 * 1024 * 1024
MAX_TENSORS = 200_000
BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4}
BYTES |= {"I64": 8, "U64": 8, "F64": 8}
"""Bytes of one element of each number type that is opened; 4- and 8-bit floats are quantised models' types."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a header says of a tensor: number type as written there (``BF16``), shape, bytes from begin to end."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


def check_safetensors(file: Path) -> dict[str, Tensor]:
    """The tensors of ``file`` by name. Raises Problem for a file that is cut, damaged or says what cannot be."""
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            if size < 8:
                raise ValueError(f"it has only {size} bytes")
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > min(MAX_HEADER_BYTES, size):
                raise ValueError("its header is longer than the file")
            header = json.loads(stream.read(length), object_pairs_hook=_once, parse_constant=_no_json)
        said = header.get("__metadata__", {})
        if not all(type(word) is str for word in (*said.keys(), *said.values())):
            raise ValueError("its metadata are not texts")
        json.dumps(header, ensure_ascii=False).encode()  # half a UTF-16 pair is no text
        tensors = {name: _tensor(name, entry) for name, entry in header.items() if name != "__metadata__"}
        if len(tensors) > MAX_TENSORS:
            raise ValueError(f"{len(tensors):,} tensors are more than {MAX_TENSORS:,}")
        at = 0
        for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
            if tensor.begin != at:
                raise ValueError(f"{_short(name)} begins at byte {tensor.begin}, the one before it ends at {at}")
            at = tensor.end
        if 8 + length + at != size:
            raise ValueError(f"it has {size} bytes, its header promises {8 + length + at}")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise Problem(f"{file.name} is damaged or cut off: {reason}", "fetch the model again") from error
    return tensors


def _tensor(name: str, entry: dict[str, Any]) -> Tensor:
    dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if dtype not in BYTES:
        raise ValueError(f"{_short(name)} has the number type {str(dtype)[:20]}, which is not opened")
    if type(shape) is not list or not all(type(n) is int and 0 <= n < 1 << 48 for n in [*shape, begin, end]):
        raise ValueError(f"{_short(name)} has no shape or place")
    if len(shape) > 8 or BYTES[dtype] * math.prod(shape) != end - begin:
        raise ValueError(f"{_short(name)} has {end - begin} bytes for shape {str(shape)[:60]} of {dtype}")
    return Tensor(dtype, tuple(shape), begin, end)


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object that names nothing twice: two readers of one file must see the same tensor."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("it names something twice")
    return made


def _short(name: str) -> str:
    return name if len(name) < 80 else name[:77] + "..."
