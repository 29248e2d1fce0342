"""Places in rising arrays that may be very long, such as the ends of 20 million tokens."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def place_in(rising: NDArray[np.integer], value: int, side: Literal["left", "right"] = "left") -> int:
    """How many of the numbers (n,) are less than ``value``, or with "right" not greater.

    As ``searchsorted`` has it; that given a number of another type makes a copy of the whole array in it first: 40 ms
    for 20 million, which is done in a microsecond here.

    >>> ends = np.array([3, 5, 5, 9], np.int32)
    >>> place_in(ends, 5), place_in(ends, 5, "right"), place_in(ends, 1 << 40)
    (1, 3, 4)
    """
    limits = np.iinfo(rising.dtype)
    if value > limits.max or value < limits.min:
        return len(rising) if value > limits.max else 0
    return int(rising.searchsorted(rising.dtype.type(value), side))
