"""Text as nobody wishes it: what steers a terminal, reorders, hides or is markup; and what finds it where it is raw."""

from __future__ import annotations

import random
import unicodedata

STEERING = (
    "\x1b[2J", "\x1b]0;x\x07", "\x1b[31m", "\x9b31m", "\x90q\x9c", "\x08", "\r", "\x0c", "\x7f", "\x85", "\x00", "\x1b",
)  # fmt: skip
REORDERING = tuple(chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C))
HIDING = ("\u200b", "\u2060", "\ufeff", "\u2028", "\u2029", "\u00ad", "\U000e0041", "\u180e", "\n", "\t")
MARKUP = ("<b>x</b>", "<img src='file:///x'>", "&lt;", "<a href='http://x'>y</a>", "<!--", "&amp", "<", "</span>")
PARTS = STEERING + REORDERING + HIDING + MARKUP


def hostile(number: int, without: str = "") -> str:
    """A short text with three of :data:`PARTS`, a pure function of ``number``; none has a character of ``without``."""
    draw = random.Random(number)
    fit = [part for part in PARTS if not set(part) & set(without)]
    return "m" + "".join(f"{draw.choice(fit)}{draw.choice('aé→')}" for _ in range(3))


def raw(text: str, allowed: str = "\n") -> list[str]:
    """The characters of ``text`` that no terminal or label may be given (as U+XXXX)."""
    return [
        f"U+{ord(char):04X}"
        for char in text
        if not char.isprintable() and char not in allowed and unicodedata.category(char) != "Zs"
    ]
