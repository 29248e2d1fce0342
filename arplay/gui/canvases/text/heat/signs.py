"""What single code points are to a layout: seen as themselves or as a sign, standing alone or on the one before."""

from __future__ import annotations

import math
import unicodedata
from functools import cache

from arplay.core.modalities.spans import to_bytes
from arplay.core.modalities.vocabulary import visible

TAB_COLUMNS = 4
CHIP_SCALE = 0.75
"""The type size of a chip such as ⟨E2⟩ relative to the text's: a sign of n characters takes ceil(0.75 n) columns."""

TAB, LF, CR, NBSP = 0x09, 0x0A, 0x0D, 0xA0
BROKEN = 0xDC00
"""A unit that is a lone byte b has the code ``BROKEN + b``."""
BARE = -1
"""The code of the one unit of a token that owns no bytes of the text; it is drawn as a chip with the token's name."""
ZWJ, DOTTED_CIRCLE = 0x200D, "◌"
QUIET = (TAB, LF, NBSP)
"""Blanks with a sign: it is drawn paler than the text."""

# What a code point can be, as bits.
MARK, JOINER, MODIFIER, FLAG, PICTURE, LETTER, VIRAMA, JAMO = (1 << i for i in range(8))
SPACING, CURSIVE, BLANK, WIDE, CHIP, INDIC = (1 << i for i in range(8, 14))
JOINED = PICTURE | MODIFIER | MARK | CURSIVE | INDIC
"""What an invisible joiner does something to; elsewhere it has a sign, because nothing else tells that it is there."""


@cache
def sign(code: int) -> str:
    """What is drawn for a unit: its character, or the sign of something that cannot be seen.

    >>> sign(BROKEN + 0xE2), sign(0), sign(0x202E), sign(ord("é")), sign(LF)
    ('⟨E2⟩', '⟨NUL⟩', '⟨U+202E⟩', 'é', '↵')
    """
    return visible(to_bytes(chr(code)))


def chip_columns(text: str) -> int:
    return math.ceil(CHIP_SCALE * len(text))


_ALIKE = ((0x4E00, 0x9FFF), (0xAC00, 0xD7A3))
"""Ideographs, and Korean syllables: thousands of characters of one kind and width."""


def alike(code: int) -> int:
    """The first of those that are all like this one.

    >>> chr(alike(ord("語"))), chr(alike(ord("é")))
    ('一', 'é')
    """
    return next((low for low, high in _ALIKE if low <= code <= high), code)


@cache
def kind(code: int) -> int:
    """The bits of a code point."""
    if code != alike(code):
        return kind(alike(code))
    if code == BARE or (sign(code).startswith("⟨") and code != ord("⟨")):
        joiner = JOINER if code in (0x200C, ZWJ) or 0xE0020 <= code <= 0xE007F else 0
        return CHIP | joiner
    char = chr(code)
    category, cursive = unicodedata.category(char), unicodedata.bidirectional(char) == "AL"
    bits = {"Mn": MARK, "Me": MARK, "Mc": MARK | SPACING, "So": PICTURE, "Lo": LETTER}.get(category, 0)
    bits |= CURSIVE * (cursive and category[0] == "L") | BLANK * (code in (0x20, TAB))
    bits |= VIRAMA * (unicodedata.combining(char) == 9) | JAMO * (0x1100 <= code <= 0x11FF)
    bits |= WIDE * (unicodedata.east_asian_width(char) in ("W", "F"))
    bits |= INDIC * (category == "Lo" and 0x0900 <= code <= 0x0DFF)
    if 0x1F3FB <= code <= 0x1F3FF:
        bits |= MODIFIER
    if 0x1F1E6 <= code <= 0x1F1FF:
        bits |= FLAG
    if code in (0x0E33, 0x0EB3):  # Thai and Lao am: a vowel that stands on the letter before it, and beside it
        bits |= MARK | SPACING
    return bits


@cache
def columns_of(code: int) -> float:
    """Columns that a unit takes where no font is asked: 0 for a mark, 2 for a wide character, more for chips.

    >>> [columns_of(ord(c)) for c in ("a", "語", "\\u0301", "\\t")], columns_of(BROKEN + 0xE2)
    ([1, 2, 0, 4], 3)
    """
    bits = kind(code)
    if bits & CHIP:
        return chip_columns(sign(code))
    if code == TAB:
        return TAB_COLUMNS
    return 0 if bits & MARK and not bits & SPACING else 2 if bits & WIDE else 1


def direction(code: int) -> int:
    """1 for a strong left-to-right code point, -1 for a Hebrew one, -2 for an Arabic one, 0 for all others.

    >>> [direction(ord(c)) for c in "aאب1 "]
    [1, -1, -2, 0, 0]
    """
    if code == BARE or kind(code) & CHIP:
        return 0
    return {"L": 1, "R": -1, "AL": -2}.get(unicodedata.bidirectional(chr(code)), 0)
