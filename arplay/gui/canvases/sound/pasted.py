"""What pasting does to a sound."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.modalities.base import Document, Edit, TokenSet
from arplay.core.modalities.sound import Sound, Splice
from arplay.core.tree import Kind
from arplay.gui.intents import Edited


@dataclass(frozen=True, slots=True)
class Pasted(Edited):
    """``sound`` came in place of samples [first, stop)."""

    sound: Sound
    first: int
    stop: int

    def on(self, document: Document, caret: int, tokens: TokenSet | None) -> tuple[Edit, Kind, int] | None:
        """The caret goes behind it."""
        if not isinstance(document, Sound) or (document.rate, document.levels) != (self.sound.rate, self.sound.levels):
            return None
        return (
            Splice(self.first, document.samples[self.first : self.stop], self.sound.samples),
            "pasted",
            self.first + len(self.sound),
        )
