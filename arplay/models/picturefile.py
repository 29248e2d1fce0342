"""Reading a user's picture: a PNG, or a text with a line a row, as the levels of a model's raster."""

from __future__ import annotations

import reprlib
from pathlib import Path
from typing import Any

import numpy as np

from arplay.core.errors import Problem
from arplay.core.modalities.image import BLANK, Picture, Raster
from arplay.textfile import read_text

MOST_PIXELS = 4096 * 4096
MOST_BYTES = 64 * 1024 * 1024


class PictureReader:
    tokens: type = Raster
    encoded: bool = False
    also: str = ", or an array of levels"

    def typed(self, data: bytes, tokens: Raster) -> Picture:
        """A line or word a row, ``?`` for a pixel not painted, as in missing rows."""
        rows = [row.ljust(tokens.width, BLANK) for row in data.decode().split()]
        return tokens.picture(rows + [BLANK * tokens.width] * (tokens.height - len(rows)))

    def read(self, path: Path, encoding: str | None, tokens: Raster) -> Picture:
        return read_picture(path, tokens)

    def given(self, value: Any, tokens: Raster) -> Picture | None:
        """A text of other signs than the model's own names a file."""
        if isinstance(value, np.ndarray):
            return tokens.levels(value)
        if not isinstance(value, str) or {*value} <= {*tokens.signs, BLANK, *" \r\n\t"}:
            return None
        if not _is_file(value):
            cause = f"{reprlib.repr(value)} is neither a file nor rows of the signs {' '.join(tokens.signs)}"
            raise Problem(cause, f"check the path, or give {tokens.height} rows of {tokens.width}")
        return read_picture(Path(value), tokens)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # too long a name, a folder that may not be entered
        return False


def read_picture(path: Path, raster: Raster) -> Picture:
    """The picture in a file. Raises Problem for what cannot be read or has another size.

    A PNG may show each pixel as a square of several; its greys count as the nearest level.
    """
    try:
        with path.open("rb") as file:
            is_png = file.read(8) == b"\x89PNG\r\n\x1a\n"
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror or error})", "check the path and its rights") from error
    if is_png:
        return raster.picture(_rows(path, raster))
    return raster.picture(read_text(path).decode("utf-8").split())


def _rows(path: Path, raster: Raster) -> list[str]:
    from PIL import Image

    try:
        if path.stat().st_size > MOST_BYTES:
            raise Problem(f"{path.name} is larger than {MOST_BYTES >> 20} MiB", "make it smaller")
        with Image.open(path, formats=("PNG",)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Problem(f"{path.name} has {image.width:,} × {image.height:,} pixels", "make it smaller")
            ink = 1 - np.asarray(image.convert("L"), np.float64) / 255
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Problem(f"{path.name} cannot be read as PNG ({error})", "save it again") from error
    height, width = ink.shape
    side = width // raster.width
    if side < 1 or (height, width) != (raster.height * side, raster.width * side):
        cause = f"{path.name} has {width:,} × {height:,} pixels, the model {raster.width:,} × {raster.height:,}"
        raise Problem(cause, "give a picture of that size, or of a whole multiple of it")
    cells = ink.reshape(raster.height, side, raster.width, side).swapaxes(1, 2)
    if np.ptp(cells, axis=(2, 3)).max() > 0.5 / (len(raster) - 1):
        raise Problem(
            f"{path.name} has several levels inside of one of the model's pixels", "scale it without smoothing"
        )
    levels = np.rint(cells.mean(axis=(2, 3)) * (len(raster) - 1)).astype(int)
    return ["".join(raster.signs[level] for level in row) for row in levels]
