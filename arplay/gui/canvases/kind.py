"""What the window has to know of a kind of documents: how one begins, and what shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from arplay.core.modalities.base import Document
from arplay.gui.canvases.canvas import Canvas, Heat
from arplay.gui.canvases.field import DistanceField
from arplay.gui.canvases.sketch import WORDS, Sketch
from arplay.gui.widgets.heat.sheet import FiguresSheet, Scored
from arplay.models.family import resolve


class Voice(Protocol):
    """``sounds``: whether something is heard now."""

    @property
    def sounds(self) -> bool: ...

    def hear(self, document: Any, place: Any, ids: Sequence[int]) -> None:
        """``document`` up to ``place`` with ``ids`` behind it. Raises Problem where nothing can be heard."""
        ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """``blank`` makes the empty document for a token set; ``suits`` tells whether one can be read with it.
    ``canvas`` is what it is written in, ``heat`` what its scores are shown on,
    and ``sheet`` the same on paper, of some of its tokens where it comes ``in_parts``. ``field`` is a
    :class:`arplay.gui.canvases.field.FieldView`, which is a widget.

    ``long``: whether a document is too long to be edited. ``verb``: what a model does; ``first``: what to do in the
    canvas, for someone who sees it for the first time, and ``other`` how to try something else in the middle of it.
    ``chat`` opens a form, of a token set and its parent, whose signal ``chosen`` emits a function from a token set
    to a document; None where there are no chats. ``thumbnail`` draws a document with some ids put at its open
    places; None where a continuation is told in words. ``voice`` makes what plays continuations, where they can be
    heard. ``sketch``: a whole document in a small area. ``files``: what writes a document to a file, by its suffix,
    where that is not as the document itself says.
    """

    name: str
    noun: str
    tokens: type
    document: type
    blank: Callable[[Any], Document]
    suits: Callable[[Any, Any], bool]
    canvas: Callable[[], Canvas]
    heat: type[Heat]
    sheet: Callable[[Scored], FiguresSheet]
    in_parts: bool
    long: Callable[[Any], bool]
    verb: str
    first: str
    other: str
    chat: Callable[[Any, QWidget], Any] | None = None
    thumbnail: Callable[[Any, Any, Sequence[int]], QImage] | None = None
    voice: Callable[[], Voice] | None = None
    files: Mapping[str, Callable[[Path, Any], None]] = field(default_factory=dict)
    field: Callable[[], Any] = DistanceField
    sketch: Sketch = WORDS


class _Later:
    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *given: object) -> Any:
        return resolve(self._name)(*given)

    def __getattr__(self, name: str) -> Any:
        return getattr(resolve(self._name), name)


def later(name: str) -> Any:
    """Stands for a "module:class", which is imported when one is made, or something is asked of it.

    >>> later("fractions:Fraction")(1, 2) / later("fractions:Fraction").from_float(0.25)
    Fraction(2, 1)
    """
    return _Later(name)
