"""Pictures as images of a pixel each: white paper with ink on it, transparent where nobody has painted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtGui import QImage

from arplay.core.modalities.image import Picture, Raster


def drawn(picture: Picture, raster: Raster, ids: Sequence[int] = ()) -> QImage:
    """The picture, with ``ids`` in the first of its open pixels, in the order of the model."""
    cells = np.array([-1 if level is None else level for level in picture.cells])
    order = np.array(raster.order)
    cells[order[cells[order] < 0][: len(ids)]] = ids
    grey = np.rint(255 * (1 - cells / (len(raster) - 1))).clip(0, 255).astype(np.uint32)
    pixels = np.where(cells < 0, 0, 0xFF000000 | grey << 16 | grey << 8 | grey).astype(np.uint32)
    return QImage(pixels.tobytes(), raster.width, raster.height, 4 * raster.width, QImage.Format.Format_ARGB32).copy()
