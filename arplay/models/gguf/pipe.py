"""Messages between this program and the process in which llama.cpp runs: a JSON header and bytes, through a pipe."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MOST_HEADER = 1 << 16
MOST_BYTES = 1 << 30
"""Bounds of both parts. Logits of a forward take at most 32 MiB; a state is what one sequence keeps of its text."""

STOP = {"do": "stop"}
"""Sent while an answer is awaited: give up what is being done and answer so. It has no answer of its own."""

_SIZES = struct.Struct("<IQ")


class Damaged(Exception):  # noqa: N818 - what arrived is no message; whoever reads it gives the pipe up
    """The other side ended in the middle of a message, or sent what is none."""


def send(pipe: IO[bytes], header: dict[str, Any], data: bytes | memoryview = b"") -> None:
    """Write one message. OSError where the other side is gone."""
    said = json.dumps(header).encode()
    for part in (_SIZES.pack(len(said), len(data)) + said, data):
        left = memoryview(part)
        while left:
            left = left[pipe.write(left) :]
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], NDArray[np.uint8]] | None:
    """The next message: its header and its bytes; None at the end. Raises Damaged, before anything large is allocated.

    >>> import io
    >>> pipe = io.BytesIO()
    >>> send(pipe, {"do": "crop"}, b"ab")
    >>> receive(io.BytesIO(pipe.getvalue()))
    ({'do': 'crop'}, array([97, 98], dtype=uint8))
    >>> receive(io.BytesIO())
    """
    first = pipe.read(_SIZES.size)
    if not first:
        return None
    if len(first) != _SIZES.size:
        raise Damaged("it ended in a message")
    size, more = _SIZES.unpack(first)
    if size > MOST_HEADER or more > MOST_BYTES:
        raise Damaged("a message is too long")
    try:
        header = json.loads(pipe.read(size))
    except ValueError:
        raise Damaged("a message is none") from None
    if not isinstance(header, dict):
        raise Damaged("a message is none")
    data = np.empty(more, np.uint8)
    left = data.data
    while left:
        count = pipe.readinto(left)  # type: ignore[attr-defined]
        if not count:
            raise Damaged("it ended in a message")
        left = left[count:]
    return header, data
