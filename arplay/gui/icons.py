"""Phosphor icons as Qt icons, drawn from the font that QtAwesome ships.

Only QtAwesome's data files are used: importing the package takes (through qtpy) as long as building the window.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap


def phosphor(name: str, color: QColor, disabled: QColor) -> QIcon:
    """The icon called ``name`` ("play", "arrow-left"). Raises KeyError for a name that the font does not have."""
    family, glyphs = _font()
    return QIcon(_Glyph(family, chr(int(glyphs[name], 16)), color, disabled))


class _Glyph(QIconEngine):
    """One character of a font, as large as the place it is given."""

    def __init__(self, family: str, glyph: str, color: QColor, disabled: QColor) -> None:
        super().__init__()
        self._given = family, glyph, color, disabled

    def clone(self) -> QIconEngine:
        return _Glyph(*self._given)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        family, glyph, color, disabled = self._given
        font = QFont(family)
        font.setPixelSize(max(1, round(0.95 * min(rect.width(), rect.height()))))
        painter.save()
        painter.setFont(font)
        painter.setPen(disabled if mode == QIcon.Mode.Disabled else color)
        painter.drawText(QRectF(rect), Qt.AlignmentFlag.AlignCenter, glyph)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        picture = QPixmap(size)
        if size.isEmpty():  # of a button that has no room
            return picture
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return picture


@cache
def _font() -> tuple[str, dict[str, str]]:
    """The family of the font and the code point of every name, in hexadecimal."""
    package = find_spec("qtawesome")
    assert package is not None and package.origin is not None, "QtAwesome is a dependency"
    folder = Path(package.origin).parent / "fonts"
    file = next(folder.glob("phosphor-[0-9]*.ttf"))
    names: dict[str, str] = json.loads(next(folder.glob("phosphor-charmap-*.json")).read_text("utf-8"))
    loaded = QFontDatabase.addApplicationFont(str(file))
    return QFontDatabase.applicationFontFamilies(loaded)[0], names
