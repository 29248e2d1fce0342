"""Where the words, lines, sentences and paragraphs of a text begin; each part goes on to where the next begins.

The white space before a word is a part of it, as most tokens bring their space along; a line ends with its line break,
and a paragraph with the blank lines behind it. A sentence ends behind ``.``, ``!``, ``?``, ``…`` or their East Asian
kin, closing quotes and brackets with it, where white space follows or the script needs none; abbreviations are not
known.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from arplay.core.modalities.spans import to_text

_STARTS = {
    "word": re.compile(r"\s*\S+"),
    "line": re.compile(r"[^\n\r\x0b\x0c\x85\u2028\u2029]*(?:\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]|\Z)"),
    "sentence": re.compile(r"\s*\S(?:.*?(?:[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[」』”’）】]*)|.*)", re.DOTALL),
    "paragraph": re.compile(r"\s*\S.*?(?:\n[ \t\r]*\n\s*|\Z)", re.DOTALL),
}

KINDS = tuple(_STARTS)


def starts(data: bytes, kind: str) -> NDArray[np.int64]:
    """The byte where each part begins, from 0 on; none where the text is empty. White space at its end is of the last.

    >>> starts(b"To be,\\nor not.  So?", "word").tolist()
    [0, 2, 6, 9, 14]
    >>> [starts(b"To be,\\nor not.  So?", kind).tolist() for kind in ("line", "sentence", "paragraph")]
    [[0, 7], [0, 14], [0]]
    """
    if not data:
        return np.zeros(0, np.int64)
    text = to_text(data)
    found = [match.start() for match in _STARTS[kind].finditer(text) if match.end() > match.start()]
    if len(text) != len(data):
        offsets = np.zeros(len(text) + 1, np.int64)
        np.cumsum([len(letter.encode("utf-8", "surrogateescape")) for letter in text], out=offsets[1:])
        places = offsets[np.array(found, np.int64)]
    else:
        places = np.array(found, np.int64)
    if not len(places) or places[0] > 0:
        places = np.append(0, places)
    return places
