"""Widgets in a row, or one below the other: a layout as one expression."""

from __future__ import annotations

from typing import Literal, TypeVar

from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

FREE: Literal["free"] = "free"
"""Takes the room that is left."""

Part = QWidget | QLayout | tuple[QWidget | QLayout, int] | Literal["free"]
"""With a number: its share of the room that is left."""

Box = TypeVar("Box", bound=QBoxLayout)


def in_row(
    *parts: Part,
    on: QWidget | None = None,
    margins: int | tuple[int, int, int, int] | None = 0,
    spacing: int | None = None,
) -> QHBoxLayout:
    """``on``: the widget that is laid out so. ``margins``: pixels around all, or left, above, right, below; None, as a
    ``spacing`` of None: as is usual."""
    return _filled(QHBoxLayout(), parts, on, margins, spacing)


def in_column(
    *parts: Part,
    on: QWidget | None = None,
    margins: int | tuple[int, int, int, int] | None = 0,
    spacing: int | None = None,
) -> QVBoxLayout:
    """The same, from above."""
    return _filled(QVBoxLayout(), parts, on, margins, spacing)


def _filled(
    box: Box,
    parts: tuple[Part, ...],
    on: QWidget | None,
    margins: int | tuple[int, int, int, int] | None,
    spacing: int | None,
) -> Box:
    if on is not None:
        on.setLayout(box)
    if margins is not None:
        box.setContentsMargins(*(margins if isinstance(margins, tuple) else (margins,) * 4))
    if spacing is not None:
        box.setSpacing(spacing)
    for part in parts:
        if isinstance(part, str):
            box.addStretch(1)
            continue
        one, share = part if isinstance(part, tuple) else (part, 0)
        if isinstance(one, QWidget):
            box.addWidget(one, share)
        else:
            box.addLayout(one, share)
    return box
