"""Reading a user's picture: a PNG or the like, or a text with a line a row, as the levels of a model's raster."""

from __future__ import annotations

import contextlib
import io
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.image import BLANK, Picture, Raster
from arplay.textfile import read_text

MOST_PIXELS = 4096 * 4096
MOST_BYTES = 64 * 1024 * 1024
FORMATS = ("PNG", "JPEG", "BMP", "GIF")
_ORIENTATION = 0x0112
"""The EXIF tag of how a camera was held."""
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF8")
"""With what their files begin; no rows of a picture as text do."""


class PictureReader:
    tokens: type = Raster
    encoded: bool = False
    also: str = ", or an array of levels"
    writes: tuple[str, ...] = (".png",)

    def typed(self, data: bytes, tokens: Raster) -> Picture:
        """A line or word a row, ``?`` for a pixel not painted, as in missing rows."""
        rows = [row.ljust(tokens.width, BLANK) for row in data.decode().split()]
        return tokens.picture(rows + [BLANK * tokens.width] * (tokens.height - len(rows)))

    def read(self, path: Path, encoding: str | None, tokens: Raster) -> Picture:
        return read_picture(path, tokens)

    def said(self, path: Path, tokens: Raster) -> str:
        return said(path, tokens)

    def write(self, path: Path, text: str, tokens: Raster) -> None:
        write_picture(path, self.typed(text.encode(), tokens))

    def usual(self, tokens: Raster) -> int:
        return tokens.length

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
    """The picture in a file. Raises Problem for what cannot be read, and for rows of text of another size.

    A picture file is scaled to the raster's size where it has another one, with white around it where its sides are in
    another proportion, and its greys are cut into as many equal parts as there are levels. What is transparent lies on
    white paper, of several pictures the first is read, and 16 bits are read as 8.
    """
    if not _is_picture(path):
        return raster.picture(read_text(path).decode("utf-8").split())
    with _opened(path, path.name) as image:
        return _read(image, raster)[0]


def said(path: Path, raster: Raster) -> str:
    """What :func:`read_picture` does to this file so that it is a picture of the raster, "" where nothing."""
    if not _is_picture(path):
        return ""
    with _opened(path, path.name) as image:
        done = _read(image, raster)[1]
    return f"{path.name}: {done}" if done else ""


def pasted(data: bytes, raster: Raster) -> tuple[Picture, str]:
    """The picture that a file with this content would hold, and what was done to it. Raises Problem."""
    with _opened(io.BytesIO(data), "what was copied") as image:
        return _read(image, raster)


def _read(image: Any, raster: Raster) -> tuple[Picture, str]:
    """As a picture of the raster, and what was done for that, in words."""
    image, done = _on_paper(image)
    if (image.height, image.width) != (raster.height, raster.width):
        done.append(f"scaled from {image.width:,} × {image.height:,} to {raster.width:,} × {raster.height:,} pixels")
    if _is_coloured(image):
        done.append("read as greys without its colours")
    ink = _ink(_scaled(image, raster))
    levels = levels_of(ink, len(raster)).astype(np.int64)
    if not np.array_equal(ink, ink_of(levels, len(raster))):
        done.append(f"its greys cut into {len(raster)} levels")
    return raster.levels(levels), ", ".join(done)


def levels_of(ink: NDArray[np.uint8], levels: int) -> NDArray[np.uint8]:
    """Ink from 0 to 255 as one of so many equal parts of that range.

    >>> levels_of(np.array([0, 31, 32, 255], np.uint8), 8).tolist()
    [0, 0, 1, 7]
    """
    found: NDArray[np.uint8] = (ink.astype(np.uint16) * levels >> 8).astype(np.uint8)
    return found


def ink_of(found: NDArray[np.integer[Any]], levels: int) -> NDArray[np.uint8]:
    """Ink from 0 to 255 of which :func:`levels_of` makes these levels again, evenly spaced as far as that allows.

    >>> ink_of(np.array([0, 1, 7]), 8).tolist()
    [0, 36, 255]
    """
    least, most = -(-256 * found // levels), -(-256 * (found + 1) // levels) - 1
    return np.clip(np.rint(found * 255 / (levels - 1)), least, most).astype(np.uint8)


def grey(path: Path) -> tuple[NDArray[np.uint8], list[str]]:
    """The ink, (H, W), of a grey picture on white paper, and what was done to it, in words.

    Raises Problem for one in colour or that cannot be read.
    """
    with _opened(path, path.name) as image:
        plain, done = _on_paper(image)
        if _is_coloured(plain):
            raise Problem(f"{path.name} is in colour", "save it as greys")
        return _ink(plain), done


def write_picture(path: Path, picture: Picture) -> None:
    """Write a PNG, a pixel each, from which :func:`read_picture` gets the same levels. Raises Problem."""
    from PIL import Image

    if any(cell is None for cell in picture.cells):
        raise Problem("the picture is not complete", "let the model go on to its end")
    ink = ink_of(np.array(picture.cells).reshape(-1, picture.width), len(picture.signs))
    file = io.BytesIO()
    Image.fromarray(255 - ink).save(file, "PNG")
    try:
        path.write_bytes(file.getvalue())
    except OSError as error:
        raise Problem(
            f"{path} cannot be written ({error.strerror or error})", "check the folder and its disk"
        ) from error


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8).startswith(MAGIC)
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror or error})", "check the path and its rights") from error


@contextlib.contextmanager
def _opened(file: Path | io.BytesIO, name: str) -> Iterator[Any]:
    """A picture file of bounded size, whole. Raises Problem."""
    from PIL import Image

    try:
        if (file.stat().st_size if isinstance(file, Path) else file.getbuffer().nbytes) > MOST_BYTES:
            raise Problem(f"{name} is larger than {MOST_BYTES >> 20} MiB", "make it smaller")
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Problem(f"{name} has {image.width:,} × {image.height:,} pixels", "make it smaller")
            image.load()
            yield image
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise Problem(f"{name} cannot be read as a picture ({error})", "save it again") from error


def _on_paper(image: Any) -> tuple[Any, list[str]]:
    """The same with 8 bits a channel and nothing transparent, and what was done for that, in words."""
    from PIL import Image, ImageOps

    done, image_count = [], getattr(image, "n_frames", 1)
    if image_count > 1:
        done.append(f"the first of its {image_count:,} pictures")
    if image.getexif().get(_ORIENTATION, 1) != 1:
        done.append("turned as it says itself")
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        done.append("its 16 bits read as 8")
        image = Image.fromarray((np.clip(np.asarray(image), 0, 65535) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        if clear.getextrema()[3][0] < 255:
            done.append("laid on white where it is transparent")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return image, done


def _is_coloured(image: Any) -> bool:
    if image.mode in ("1", "L"):
        return False
    channels = np.asarray(image.convert("RGB"))
    return bool((channels != channels[:, :, :1]).any())


def _ink(image: Any) -> NDArray[np.uint8]:
    return 255 - np.asarray(image.convert("L"), np.uint8)


def _scaled(image: Any, raster: Raster) -> Any:
    from PIL import Image, ImageOps

    size = (raster.width, raster.height)
    plain = image.convert("L")
    return plain if plain.size == size else ImageOps.pad(plain, size, Image.Resampling.BOX, color=255)
