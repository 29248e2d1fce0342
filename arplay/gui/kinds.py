"""What differs with what tokens stand for: how the window begins a document, and what shows it. All else asks nobody.

A new kind is a canvas and a heat view in files of their own, a form in which it is kept, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arplay.core.modalities.base import Document, TokenSet
from arplay.core.modalities.image import Picture, Raster
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.gui.canvases.canvas import Canvas
from arplay.gui.canvases.picture.canvas import PictureCanvas
from arplay.gui.canvases.picture.heat import PictureHeat, PictureSheet
from arplay.gui.canvases.text.area import too_long
from arplay.gui.canvases.text.canvas import TextCanvas
from arplay.gui.canvases.text.heat.sheet import HeatSheet
from arplay.gui.canvases.text.heat.view import HeatView
from arplay.gui.widgets.heat.sheet import FiguresSheet
from arplay.models.picturefile import read_picture
from arplay.textfile import read_text


@dataclass(frozen=True, slots=True)
class Kind:
    """``blank`` makes the empty document for a token set; ``suits`` tells whether one can be read with it.
    ``canvas`` is what it is written in, ``heat`` what its scores are shown on,
    and ``sheet`` the same on paper, of some of its tokens where it comes ``in_parts``.

    ``read`` reads one from a file, in an encoding that the user may choose where files are ``encoded``; raises Problem.
    ``long``: whether a document is too long to be edited. ``verb``: what a model does; ``first``: what to do in the
    canvas, for someone who sees it for the first time.
    """

    name: str
    noun: str
    tokens: type
    document: type
    blank: Callable[[Any], Document]
    suits: Callable[[Any, Any], bool]
    canvas: Callable[[], Canvas]
    heat: Any
    sheet: Callable[..., FiguresSheet]
    in_parts: bool
    read: Callable[[Path, str | None, Any], Document]
    encoded: bool
    long: Callable[[Any], bool]
    verb: str
    first: str


TEXT = Kind(
    "text",
    "text",
    Vocabulary,
    Text,
    lambda tokens: Text(),
    lambda text, tokens: True,
    TextCanvas,
    HeatView,
    HeatSheet,
    True,
    lambda path, encoding, tokens: Text.of(read_text(path, encoding)),
    True,
    lambda text: too_long(text.data),
    "write",
    "Type here. The caret is the place in the chain: everything before it is the prefix.",
)
PICTURE = Kind(
    "picture",
    "picture",
    Raster,
    Picture,
    lambda raster: raster.blank(),
    lambda picture, raster: raster.fits(picture),
    PictureCanvas,
    PictureHeat,
    PictureSheet,
    False,
    lambda path, encoding, raster: read_picture(path, raster),
    False,
    lambda picture: False,
    "paint",
    "Click a pixel to go there, or choose a paint first. The framed pixel is the place in the chain: the pixels before "
    "it are the prefix.",
)

KINDS = (TEXT, PICTURE)


def of_tokens(tokens: TokenSet) -> Kind:
    """The kind of document that a model with these tokens reads."""
    return next(kind for kind in KINDS if isinstance(tokens, kind.tokens))


def of_document(document: Document) -> Kind:
    return next(kind for kind in KINDS if isinstance(document, kind.document))
