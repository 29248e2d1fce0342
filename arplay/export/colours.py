"""The heatmap's colours, wherever it is shown: in the window, in its pictures, in a notebook."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ramp = tuple[str, ...]
Rgb = tuple[int, int, int]

ON_WHITE: Ramp = ("#ffffff", "#fdeccf", "#fbc98a", "#ee9440", "#c95a12", "#7c2d05")
ON_BLACK: Ramp = ("#1b1e25", "#3d2a1b", "#6d4019", "#a86420", "#e0974a", "#ffdcae")
"""From expected to surprising; lightness alone orders them, so they read without colour vision."""

COOL_ON_WHITE: Ramp = ("#ffffff", "#e2eefe", "#b4d4f9", "#6dacec", "#2c7bd0", "#0d468c")
COOL_ON_BLACK: Ramp = ("#1b1e25", "#1c2f49", "#234c80", "#3a78bd", "#72ade8", "#c9e4ff")
"""From zero to less than expected: blue as light as the orange of as much above, told apart without red and green."""

STEPS = 128
SOFTNESS = 4.0
"""t = 1 - exp(-nats / 4): the same colour means the same number in every text, and small differences still show."""


def shades(nats: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which of the STEPS colours shows each number; the shape stays.

    >>> shades(np.array([0.0, 1.0, 4.0, np.inf]))
    array([  0,  28,  80, 127])
    """
    return np.round((1.0 - np.exp(-np.maximum(nats, 0.0) / SOFTNESS)) * (STEPS - 1)).astype(np.int64)


def colour(ramp: Ramp, t: float) -> Rgb:
    """Red, green and blue, 0 to 255 each, of t in 0 (expected) .. 1 (surprising).

    >>> colour(("#000000", "#ff8000"), 0.5)
    (128, 64, 0)
    """
    place = min(max(t, 0.0), 1.0) * (len(ramp) - 1)
    low = min(int(place), len(ramp) - 2)
    ends = zip(bytes.fromhex(ramp[low][1:]), bytes.fromhex(ramp[low + 1][1:]), strict=True)
    red, green, blue = (round(a + (b - a) * (place - low)) for a, b in ends)
    return red, green, blue


def contrast(a: Rgb, b: Rgb) -> float:
    """WCAG 2.1 contrast ratio, 1 to 21.

    >>> contrast((0, 0, 0), (255, 255, 255))
    21.0
    """
    bright, dim = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def is_dark_ink(ground: Rgb) -> bool:
    """Whether black is easier to read than white on ``ground``: one of the two always has a contrast of 4.5.

    >>> is_dark_ink((255, 255, 255)), is_dark_ink((124, 45, 5))
    (True, False)
    """
    return contrast((0, 0, 0), ground) >= contrast((255, 255, 255), ground)


def _luminance(rgb: Rgb) -> float:
    channels = (value / 255 for value in rgb)
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
