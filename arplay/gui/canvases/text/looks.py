"""Room for signs: the characters that a sign is painted over are as wide as that."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QFont, QFontMetricsF, QTextBlock, QTextCharFormat, QTextLayout

from arplay.gui.canvases.text.heat.signs import chip_columns
from arplay.gui.canvases.text.shown import BROKEN, FAR_HIDDEN, HIDDEN, ShownText
from arplay.gui.theme import fixed_font

MANY = 2_000
"""Signs of one line that Qt lays out with room of their own; those of what is no text are squeezed into a letter's."""
_STAND_INS = HIDDEN, BROKEN, FAR_HIDDEN
_LETTERS = "אسक字가ก"
"""One of each script whose fonts may have another stand-in."""


def looks(block: QTextBlock, shown: ShownText) -> list[QTextLayout.FormatRange]:
    """What makes the characters of a block that a sign is painted over as wide as that."""
    text, found = block.text(), list[QTextLayout.FormatRange]()
    if not 0 < sum(map(text.count, _STAND_INS)) <= MANY:
        return found
    base, units = block.position(), text.encode("utf-16-le", "surrogatepass")
    composing = block.layout().preeditAreaPosition()
    composed = len(block.layout().preeditAreaText().encode("utf-16-le", "surrogatepass")) // 2
    look, stop = None, -1
    for byte, end, name in shown.signs(shown.byte(base), shown.byte(base + block.length() - 1)):
        start, former, last = shown.unit(byte) - base, stop, look
        stop = shown.unit(end) - base
        stand_in = units[2 * start : 2 * stop].decode("utf-16-le", "replace")
        if stand_in not in _STAND_INS:  # Qt has just changed the text by itself, which is not told yet
            return []
        look = _look(stand_in, chip_columns(name))
        if start == former and look is last and start != composing:
            found[-1].length += stop - start
            continue
        made = QTextLayout.FormatRange()
        made.start = start + (composed if start >= composing >= 0 else 0)
        made.length, made.format = stop - start, look
        found.append(made)
    return found


@cache
def _look(text: str, columns: int) -> QTextCharFormat:
    """In shares of what ``text`` takes, so that it holds at every size of the type.

    Where the font does not have it, Qt takes it from the font of the letters around it, which may be a narrower one.
    """
    wide, look = QFontMetricsF(fixed_font(100)).horizontalAdvance, QTextCharFormat()
    least = min(wide(text), *(wide(f"{letter}{text}{letter}") - wide(letter * 2) for letter in _LETTERS))
    look.setFontLetterSpacingType(QFont.SpacingType.PercentageSpacing)
    look.setFontLetterSpacing(100 * columns * wide("0") / max(least, 1.0))
    return look
