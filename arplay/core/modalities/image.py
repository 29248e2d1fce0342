"""Pictures of a few levels of grey: a token a pixel, in an order of the pixels that the model chose.

A pixel is given only those before it in that order, so every order gives the same probability to a whole picture
where the conditionals come from one joint distribution: the chain rule does not care.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.format import part_percent
from arplay.core.modalities.base import Ids, Note, Remember, Unit, afresh
from arplay.core.modalities.each import EachDocument, EachEdit, EachEncoded, EachTokens

PIXEL = Unit("pixel", "pixels", "bits_per_dimension", "bits per dimension")
BLANK = "?"
"""A pixel that nobody has painted yet, in texts."""
MOST_PIXELS = 64 * 64
MOST_LEVELS = 256
_RAMP = ".,:;~=+icoahkmw#@"
"""From little ink to much."""
SHOWN = 12
"""Pixels of an order that are told."""


def signs_of(levels: int) -> str:
    """A sign for each of so many levels: up to 17 by how much ink it has, then digits and letters.

    >>> signs_of(2), signs_of(8), len(set(signs_of(256)))
    ('.@', '.:=iohw@', 256)
    """
    if levels <= len(_RAMP):
        return "".join(_RAMP[round(level * (len(_RAMP) - 1) / (levels - 1))] for level in range(levels))
    plain = string.digits + string.ascii_letters
    return (plain + "".join(map(chr, range(0x100, 0x100 + MOST_LEVELS))))[:levels]


@dataclass(frozen=True)
class Raster(EachTokens):
    """The token set of pictures of one size, and how a model reads them; ``order`` lists the pixels row by row.

    ``signs``: one character a level, from white to full ink; a picture as text has a line a row.

    >>> Raster(1, 2, ".#", (1, 0)).label(1)
    '■ black'
    """

    height: int
    width: int
    signs: str
    order: tuple[int, ...]

    unit: Unit = PIXEL

    def checked(self) -> Raster:
        """This raster. Raises Problem where its signs cannot be told apart."""
        signs = self.signs
        if not 2 <= len(set(signs)) == len(signs) <= MOST_LEVELS or BLANK in signs or not signs.isprintable():
            raise Problem(f"signs must be two or more different characters, not {BLANK}", "such as .#")
        return self

    @cached_property
    def name(self) -> str:
        """The same for the same levels in the same order only."""
        told = repr((self.height, self.width, self.signs, self.order))
        return f"raster:{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def __len__(self) -> int:
        return len(self.signs)

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def length(self) -> int:
        return self.pixels

    @property
    def orders(self) -> dict[str, tuple[int, ...]]:
        """Some orders of the pixels, by name."""
        cells = np.arange(self.pixels).reshape(self.height, self.width)
        named = {"by rows": cells, "by columns": cells.T, "backwards": cells[::-1, ::-1]}
        return {name: tuple(order.ravel().tolist()) for name, order in named.items()}

    @property
    def in_words(self) -> str:
        """
        >>> Raster(2, 2, ".#", (0, 2, 1, 3)).in_words
        '2 × 2 pixels of 2 levels (.#), read by columns'
        """
        first = f"in the order {', '.join(str(cell) for cell in self.order[:SHOWN])}{', …' * (self.pixels > SHOWN)}"
        order = next((name for name, order in self.orders.items() if order == self.order), first)
        return f"{self.height} × {self.width} pixels of {len(self)} levels ({self.signs}), read {order}"

    def label(self, id: int) -> str:
        """A swatch and its name."""
        ink = self.ink(id)
        swatch = "□░▒▓■"[round(4 * ink)]
        return f"{swatch} white" if ink == 0 else f"{swatch} black" if ink == 1 else f"{swatch} {part_percent(ink)} ink"

    def ink(self, id: int) -> float:
        """How dark it is on white paper, from 0 to 1."""
        return id / (len(self.signs) - 1)

    def record(self, id: int) -> dict[str, Any]:
        return {"text": self.signs[id], "ink": self.ink(id)}

    def details(self, id: int) -> list[tuple[str, str]]:
        return [("ink", part_percent(self.ink(id)))]

    def named(self, text: str) -> int | None:
        return next((id for id, sign in enumerate(self.signs) if text in (sign, self.label(id))), None)

    def find(self, text: str, limit: int = 200) -> list[int]:
        """By the sign in texts, or by what views show."""
        wanted = text.lower()
        found = (id for id, sign in enumerate(self.signs) if wanted == sign or wanted in self.label(id))
        return list(found)[:limit] if wanted else []

    def place(self, index: int) -> tuple[int, int]:
        """Row and column of the pixel that is the token with this index."""
        return divmod(self.order[index], self.width)

    def picture(self, rows: Sequence[str]) -> Picture:
        """The picture that is written as texts, a row each; BLANK is a pixel not painted. Raises Problem."""
        if len(rows) != self.height or any(len(row) != self.width for row in rows):
            wide = max(map(len, rows), default=0)
            cause = f"a picture of {len(rows)} × {wide} was given to a model of {self.height} × {self.width}"
            raise Problem(cause, f"give {self.height} rows of {self.width} signs")
        unknown = next((sign for row in rows for sign in row if sign not in self.signs + BLANK), None)
        if unknown is not None:
            raise Problem(f"{unknown!r} is no level of this model", f"its levels are {' '.join(self.signs)}")
        ids = (None if sign == BLANK else self.signs.index(sign) for row in rows for sign in row)
        return Picture(self.width, self.signs, tuple(ids))

    def levels(self, cells: NDArray[np.integer[Any]]) -> Picture:
        """The picture of these levels, shape (H, W): 0 is white, the last full ink, and -1 a pixel not painted.

        Raises Problem.

        >>> Raster(1, 2, ".#", (1, 0)).levels(np.array([[-1, 1]])).rows
        ['?#']
        """
        told = f"from 0 (white) to {len(self) - 1} (black), or -1 (not painted)"
        if cells.dtype.kind not in "biu":
            raise Problem(f"an array of {cells.dtype} holds no levels", f"give whole numbers {told}")
        if cells.shape != (self.height, self.width):
            cause = f"an array of shape {cells.shape} was given to a model of {self.height} × {self.width}"
            raise Problem(cause, f"give one of shape ({self.height}, {self.width})")
        ids: list[int] = list(map(int, cells.ravel().tolist()))
        unknown = next((id for id in ids if not -1 <= id < len(self)), None)
        if unknown is not None:
            raise Problem(f"{unknown} is no level of this model", f"its levels are {told}")
        return Picture(self.width, self.signs, tuple(None if id < 0 else id for id in ids))

    def fits(self, picture: Picture) -> bool:
        """Whether it has the pixels and levels of this raster."""
        return (picture.width, picture.signs, len(picture)) == (self.width, self.signs, self.pixels)

    def blank(self) -> Picture:
        return Picture(self.width, self.signs, (None,) * self.pixels)


@dataclass(frozen=True, slots=True)
class Paint(EachEdit):
    """Pixels that change: each with its former and its new level (None: not painted). ``caret``: it was taken there."""

    pixels: tuple[tuple[int, int | None, int | None], ...] = ()
    caret: int | None = field(default=None, compare=False)

    @property
    def inverse(self) -> Paint:
        return Paint(tuple((cell, new, old) for cell, old, new in self.pixels))

    @property
    def is_nothing(self) -> bool:
        return all(old == new for _, old, new in self.pixels)

    @property
    def takes_away(self) -> bool:
        return any(old is not None for _, old, _ in self.pixels)

    def untouched(self, spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return ()

    def opened(self, document: Picture | None) -> str:
        return "Empty picture" if document is None or document.is_blank else "Opened a picture"

    def said(self, kind: str) -> tuple[str, bool]:
        count = len(self.pixels)
        pixels = f"pixel {self.pixels[0][0] + 1}" if count == 1 else f"{count:,} pixels"
        return f"{'Cleared' if all(new is None for _, _, new in self.pixels) else kind.capitalize()} {pixels}", False


@dataclass(frozen=True)
class Picture(EachDocument):
    """Levels row by row; None is a pixel that nobody has painted."""

    width: int
    signs: str
    cells: tuple[int | None, ...]

    nothing: ClassVar[Paint] = Paint()
    unit: ClassVar[Unit] = PIXEL

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def is_blank(self) -> bool:
        return all(cell is None for cell in self.cells)

    @property
    def rows(self) -> list[str]:
        signs = "".join(BLANK if cell is None else self.signs[cell] for cell in self.cells)
        return [signs[at : at + self.width] for at in range(0, len(signs), self.width)]

    @property
    def shown(self) -> str:
        return " ".join(self.rows)

    @property
    def end(self) -> None:
        """The place behind all that can be read: the first pixel of the order that nobody has painted."""
        return None

    def encoded(self, coder: Raster, special: bool = False, remember: Remember = afresh) -> EncodedPicture:
        if not isinstance(coder, Raster):
            raise Problem("this model reads no pictures", "choose a model of pictures")
        if not coder.fits(self):
            raise Problem("this picture has other pixels than the model's", "clear it, or choose another model")
        levels = [self.cells[cell] for cell in coder.order]
        known = levels.index(None) if None in levels else len(levels)
        return EncodedPicture(self, coder, np.array(levels[:known], np.int64))

    def notes(self, encoded: EncodedPicture, tokens: Raster) -> tuple[Note, ...]:
        waiting = sum(cell is not None for cell in self.cells) - len(encoded)
        if not waiting:
            return ()
        come, are = ("pixel comes", "it is") if waiting == 1 else ("pixels come", "they are")
        sentence = f"{waiting:,} painted {come} behind one that is not, so {are} in no total yet."
        return (Note(f"{waiting:,}", "pixels not read", sentence),)

    def before(self, place: int | None) -> Mapping[str, Any]:
        return {"picture": self.rows}

    @property
    def file(self) -> bytes:
        return "".join(f"{row}\n" for row in self.rows).encode()

    def ahead(self, tokens: Raster) -> Mapping[int, int]:
        levels = (self.cells[cell] for cell in tokens.order)
        known = self.open_from(0, tokens)
        return {index: level for index, level in enumerate(levels) if index > known and level is not None}

    def writer(self) -> Painter:
        return Painter(self)

    def become(self, document: Picture) -> Paint:
        return Paint(
            tuple((cell, old, new) for cell, (old, new) in enumerate(zip(self.cells, document.cells, strict=True)))
        )

    def take(self, caret: int, id: int, tokens: Raster) -> tuple[Paint, int]:
        """The caret goes on to the next pixel that nobody has painted."""
        edit = replace(self.paint([tokens.order[caret]], id), caret=caret)
        return edit, self.apply(edit).open_from(caret, tokens)

    def first(self, encoded: EncodedPicture, count: int, tokens: Raster) -> Picture:
        return self.apply(self.paint(tokens.order[count:], None))

    def followed(self, encoded: EncodedPicture, tokens: Raster, other: Picture) -> Picture:
        """What ``other`` has in the pixels that are open here."""
        open_cells = [cell for cell in tokens.order if self.cells[cell] is None]
        cells = list(self.cells)
        for cell in open_cells:
            cells[cell] = other.cells[cell]
        return replace(self, cells=tuple(cells))

    def retokenise(self, tokens: Raster | None = None) -> Paint:
        return self.nothing

    def reached(self, caret: int, tokens: Raster) -> int:
        """Another order of the pixels reaches another one first that nobody has painted."""
        return min(caret, self.open_from(0, tokens)) if isinstance(tokens, Raster) else caret

    @property
    def emptied(self) -> Picture:
        return replace(self, cells=(None,) * len(self.cells))

    def upto(self, caret: int) -> Picture:
        return self

    def open_from(self, caret: int, tokens: Raster) -> int:
        """The first of the pixels from ``caret`` on, in the order of the model, that nobody has painted."""
        return next((i for i in range(caret, tokens.pixels) if self.cells[tokens.order[i]] is None), tokens.pixels)

    def paint(self, cells: Iterable[int], level: int | None) -> Paint:
        """These pixels get a level; None takes the paint off."""
        return Paint(tuple((cell, self.cells[cell], level) for cell in cells))

    def apply(self, edit: Paint) -> Picture:
        cells = list(self.cells)
        for cell, _, new in edit.pixels:
            cells[cell] = new
        return replace(self, cells=tuple(cells))


@dataclass(frozen=True, eq=False)
class EncodedPicture(EachEncoded):
    """The pixels of a picture in the order of a model, up to the first that nobody has painted, n of them."""

    picture: Picture
    raster: Raster
    ids: Ids
    first: int = 0
    unit: ClassVar[Unit] = PIXEL

    @property
    def split_words(self) -> int:
        return 0

    @property
    def divisions(self) -> tuple[str, ...]:
        """Its rows, where they are read one after the other from the beginning."""
        return ("row",) if self.raster.order == tuple(range(len(self.raster.order))) and not self.first else ()

    def parts(self, kind: str) -> Iterator[Ids]:
        yield np.arange(0, len(self.ids), self.raster.width)

    def extract(self, start: int, end: int) -> str:
        return " ".join(str(level) for level in self.ids[start:end].tolist())

    def is_of(self, document: Picture) -> bool:
        return self.picture == document

    def same_as(self, other: Any) -> bool:
        return isinstance(other, EncodedPicture) and self.picture.cells == other.picture.cells

    def begins(self, document: Picture) -> bool:
        cells = self.raster.order[: len(self.ids)]
        known: list[int] = self.ids.tolist()
        return known == [document.cells[cell] for cell in cells]

    def said(self, index: int, tokens: Raster | None, stop: int | None = None) -> str:
        """Its level, row and column, counted from 1."""
        if stop is not None:
            return " ".join(self.said(one, tokens) for one in range(index, stop))
        row, column = self.raster.place(self.first + index)
        return f"{self.raster.label(int(self.ids[index])).removesuffix(' ink')} ({row + 1}, {column + 1})"

    def part(self, first: int, stop: int) -> EncodedPicture:
        return EncodedPicture(self.picture, self.raster, self.ids[first:stop], self.first + first)

    def record(self) -> Mapping[str, NDArray[Any]]:
        places = [self.raster.place(self.first + index) for index in range(len(self.ids))]
        rows, columns = np.array(places, np.int64).reshape(-1, 2).T
        return {"row": rows, "column": columns}


class Painter:
    """A picture that grows cannot be told before it is there: all rows come at the end."""

    def __init__(self, picture: Picture) -> None:
        self._cells, self._picture = list(picture.cells), picture

    def write(self, id: int, tokens: Raster) -> str:
        free = next(cell for cell in tokens.order if self._cells[cell] is None)
        self._cells[free] = id
        return ""

    def end(self) -> str:
        return "\n".join(replace(self._picture, cells=tuple(self._cells)).rows)
