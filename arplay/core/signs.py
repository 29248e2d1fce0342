"""Signs for what cannot be seen: the one place that makes any text safe to show.

Text from a model, a file or the network may hold what steers a terminal (escape sequences), turns the order of a line
round (bidirectional overrides), ends it, or hides. Whoever shows such text shows :func:`safe` of it; where markup is
read, :func:`markup`; and a name for a file is :func:`file_name` of it.
"""

from __future__ import annotations

import html
import re
import unicodedata

JOINERS = "\u200c\u200d"
"""They shape the letters and emoji beside them (Persian, Devanagari, families) and can do nothing else."""

CONTROLS = (
    *("NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "NP", "CR", "SO", "SI"),
    *("DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US"),
)
"""The names of U+0000 to U+001F. The form feed is NP (new page), as ⟨FF⟩ is the byte 255."""
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that no font draws."""

_SIGNS = {"\n": "↵", "\t": "⇥", "\x7f": "⟨DEL⟩"}
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?![^.])")  # what Windows has no files for
_LONGEST_NAME = 80


def is_seen(text: str) -> bool:
    """Whether every character of ``text`` is seen as itself (a space is)."""
    return text.isprintable() and (text.isascii() or FILLERS.isdisjoint(text))


def sign(char: str) -> str:
    """What is shown in place of a character that cannot be seen; a byte that is part of none is a lone surrogate.

    Control characters go by name: few fonts have pictures of them.

    >>> sign("\\x1b"), sign("\\n"), sign("\\u202e"), sign("\\udce2")
    ('⟨ESC⟩', '↵', '⟨U+202E⟩', '⟨E2⟩')
    """
    code = ord(char)
    if char in _SIGNS:
        return _SIGNS[char]
    if code < 0x20:
        return f"⟨{CONTROLS[code]}⟩"
    return f"⟨{code - 0xDC00:02X}⟩" if 0xDC80 <= code <= 0xDCFF else f"⟨U+{code:04X}⟩"


def safe(text: str, keep: str = "") -> str:
    """``text`` in one line with nothing that steers, reorders or hides: such characters are signs; ``keep`` stays.

    Spaces of every width stay, and a joiner between letters or symbols beyond ASCII, which it belongs to.

    >>> safe("a\\x1b[31m\\u202eb\\n"), safe("a\\nb", keep="\\n"), safe("می\\u200cشود") == "می\\u200cشود"
    ('a⟨ESC⟩[31m⟨U+202E⟩b↵', 'a\\nb', True)
    """
    if is_seen(text) or (keep and is_seen(text.translate(dict.fromkeys(map(ord, keep))))):
        return text
    around = f"\0{text}\0"
    return "".join(
        char if is_seen(char) or char in keep or _is_harmless(*around[i : i + 3]) else sign(char)
        for i, char in enumerate(text)
    )


def _is_harmless(before: str, char: str, after: str) -> bool:
    if char in JOINERS:
        return all(beside > "\x7f" and (beside.isprintable() or beside in JOINERS) for beside in (before, after))
    return unicodedata.category(char) == "Zs"


def markup(text: str) -> str:
    """:func:`safe` text for what reads markup (rich labels, tooltips): its letters only, on lines of its own.

    >>> markup("<b>\\n&")
    '&lt;b&gt;<br>&amp;'
    """
    return html.escape(safe(text, keep="\n")).replace("\n", "<br>")


def file_name(text: str, otherwise: str = "untitled") -> str:
    """A name for a new file or folder made of the letters, digits, ``-``, ``_`` and ``.`` of ``text``.

    It hides nowhere, leads nowhere, and is none that a system keeps for itself.

    >>> file_name("../My model\\x1b[2J.gguf"), file_name("CON.txt"), file_name("…")
    ('My-model-2J.gguf', '_CON.txt', 'untitled')
    """
    words = re.sub(r"[^\w.-]+", "-", text)
    name = re.sub(r"[-.]*\.[-.]*", ".", words).strip("-._")
    while len(name.encode()) > _LONGEST_NAME:
        name = name[:-1]
    name = name.strip("-._")
    return ("_" + name if _RESERVED.match(name) else name) or otherwise
