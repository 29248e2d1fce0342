"""The table of the kinds of documents that the window shows; all else asks nobody what a token stands for.

A new kind is a canvas, a heat view and a :class:`Kind` in files of its own, and a line here.
"""

from __future__ import annotations

from arplay.core.modalities.base import Document, TokenSet
from arplay.gui.canvases.kind import Kind
from arplay.gui.canvases.picture.kind import PICTURE
from arplay.gui.canvases.sound.kind import SOUND
from arplay.gui.canvases.text.kind import TEXT

KINDS = (
    TEXT,
    PICTURE,
    SOUND,
)


def of_tokens(tokens: TokenSet) -> Kind:
    """The kind of document that a model with these tokens reads."""
    return next(kind for kind in KINDS if isinstance(tokens, kind.tokens))


def of_document(document: Document) -> Kind:
    return next(kind for kind in KINDS if isinstance(document, kind.document))
