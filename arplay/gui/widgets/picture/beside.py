"""What is told of a picture, above it or, in a low panel, beside it: a picture needs the height."""

from __future__ import annotations

from PySide6.QtWidgets import QBoxLayout, QWidget

SIDE = 244
"""Pixels of width of what stands beside a picture."""
_ANY = 2**24 - 1
"""The widest that Qt knows."""


def put_beside(layout: QBoxLayout, head: QWidget, width: int | None) -> None:
    """``head`` with this width to the left of the rest; with None above it."""
    beside = width is not None
    layout.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
    head.setMinimumWidth(width or 0)
    head.setMaximumWidth(width or _ANY)
