"""What differs with what tokens stand for: how the window begins a document, and what shows it. All else asks nobody.

A new kind is a canvas and a heat view in files of their own, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arplay.core.modalities.base import Document, TokenSet
from arplay.core.modalities.image import Picture, Raster
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Kind:
    """``blank`` makes the empty document for a token set; ``suits`` tells whether one can be read with it."""

    name: str
    noun: str
    tokens: type
    document: type
    blank: Callable[[Any], Document]
    suits: Callable[[Any, Any], bool]


TEXT = Kind("text", "text", Vocabulary, Text, lambda tokens: Text(), lambda text, tokens: True)
PICTURE = Kind(
    "picture", "picture", Raster, Picture, lambda raster: raster.blank(), lambda picture, raster: raster.fits(picture)
)

KINDS = (TEXT, PICTURE)


def of_tokens(tokens: TokenSet) -> Kind:
    """The kind of document that a model with these tokens reads."""
    return next(kind for kind in KINDS if isinstance(tokens, kind.tokens))


def of_document(document: Document) -> Kind:
    return next(kind for kind in KINDS if isinstance(document, kind.document))
