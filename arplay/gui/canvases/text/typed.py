"""What typing does to a text."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.modalities.base import Edit, TokenSet
from arplay.core.modalities.text import Text
from arplay.core.tree import Kind
from arplay.gui.intents import Edited


@dataclass(frozen=True, slots=True)
class Typed(Edited):
    """Bytes [start, end) of the text were replaced by ``data``, leaving the caret at byte ``caret``."""

    start: int
    end: int
    data: bytes
    caret: int

    def on(self, document: Text, caret: int, tokens: TokenSet | None) -> tuple[Edit, Kind, int]:
        return document.replace(self.start, self.end, self.data), "typed", self.caret
