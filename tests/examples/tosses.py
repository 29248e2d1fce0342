"""A kind of document from outside the package: tosses of a coin, a row of H and T, with a coin that is a model.

It stands on pictures of one row, whose mathematics it shares; form, reader, canvas and heat are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from arplay.core.modalities.image import BLANK, Picture, Raster
from arplay.core.modalities.image_form import PictureForm
from arplay.gui.canvases.kind import Kind
from arplay.gui.canvases.picture.canvas import PictureCanvas
from arplay.gui.canvases.picture.heat import PictureHeat, PictureSheet
from arplay.models.base import Report
from arplay.models.families.looked_up import LookedUp, info_of
from arplay.models.family import Family
from arplay.textfile import read_text


class Tosses(Picture):
    """A row of them."""


class Sides(Raster):
    """The tokens H and T, so many in a row."""

    def row(self, text: str) -> Tosses:
        made = self.picture([text.ljust(self.width, BLANK)])
        return Tosses(made.width, made.signs, made.cells)


class TossesForm(PictureForm):
    document: type = Tosses

    def start_out(self, document: Picture) -> dict[str, Any]:
        return {"tosses": document.rows[0]}

    def is_start(self, fact: Any) -> bool:
        return isinstance(fact, dict) and "tosses" in fact

    def start_in(self, fact: Any) -> Tosses:
        made = super().start_in({"signs": "HT", "rows": [fact["tosses"]]})
        return Tosses(made.width, made.signs, made.cells)


class TossesReader:
    tokens: type = Sides
    encoded: bool = False
    also: str = ""
    writes: tuple[str, ...] = ()

    def typed(self, data: bytes, tokens: Sides) -> Tosses:
        return tokens.row(data.decode().strip())

    def read(self, path: Path, encoding: str | None, tokens: Sides) -> Tosses:
        return self.typed(read_text(path), tokens)

    def said(self, path: Path, tokens: Sides) -> str:
        return ""

    def write(self, path: Path, text: str, tokens: Sides) -> None:
        raise ValueError("it has no files of its own")

    def usual(self, tokens: Sides) -> int | None:
        return tokens.length

    def given(self, value: Any, tokens: Sides) -> None:
        return None


class TossesCanvas(PictureCanvas):
    pass


class TossesHeat(PictureHeat):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid.setAccessibleName("Surprisal of the tosses")


TOSSES = Kind(
    name="tosses",
    noun="row of tosses",
    tokens=Sides,
    document=Tosses,
    blank=lambda sides: sides.row(""),
    suits=lambda tosses, sides: sides.fits(tosses),
    canvas=TossesCanvas,
    heat=TossesHeat,
    sheet=PictureSheet,
    in_parts=False,
    long=lambda tosses: False,
    verb="toss",
    first="Click a toss to go there.",
    other="Paint a toss anew.",
)

COIN = Family(
    name="Coin",
    what="A coin that shows H with the probability in its file (.coin).",
    suffix=".coin",
    file="coin",
    open="tests.examples.tosses:load",
    card="arplay.models.store.cards:of_opened",
    looked_up=True,
    any_context=True,
    tokens="tests.examples.tosses:sides",
)


def sides(path: Path) -> Sides:
    """Those that every coin reads: four in a row."""
    return Sides(1, 4, "HT", (0, 1, 2, 3))


class Coin(LookedUp):
    def __init__(self, heads: float, source: Path) -> None:
        self.alphabet = sides(source)
        self._row = np.log([heads, 1 - heads])
        self._row.flags.writeable = False
        self.info = info_of(source.stem, COIN.name, str(source), "", vocabulary=2, parameters=1)

    def logprobs(self, ids: Sequence[int]) -> NDArray[np.float64]:
        return self._row

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        return np.tile(self._row, (len(ids), 1))


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> Coin:
    return Coin(float(read_text(path)), path)
