"""What painting does to a picture."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.modalities.base import Document, Edit, TokenSet
from arplay.core.modalities.image import Picture, Raster
from arplay.core.tree import Kind
from arplay.gui.intents import Edited


@dataclass(frozen=True, slots=True)
class Pasted(Edited):
    """Another picture came from the clipboard."""

    picture: Picture

    def on(self, document: Document, caret: int, tokens: TokenSet | None) -> tuple[Edit, Kind, int] | None:
        if not isinstance(document, Picture) or len(document) != len(self.picture):
            return None
        return document.become(self.picture), "painted", 0


@dataclass(frozen=True, slots=True)
class Painted(Edited):
    """Pixels got a level (None: the paint was taken off)."""

    cells: tuple[int, ...]
    level: int | None

    def on(self, document: Document, caret: int, tokens: TokenSet | None) -> tuple[Edit, Kind, int] | None:
        """The caret goes on where its own pixel was painted."""
        if not isinstance(document, Picture) or not isinstance(tokens, Raster):
            return None
        edit = document.paint(self.cells, self.level)
        after = document.apply(edit)
        onwards = caret if self.level is None else after.open_from(caret, tokens)
        return edit, "painted", after.reached(onwards, tokens)
