"""Where the words, lines, sentences and paragraphs of a text begin; each part goes on to where the next begins.

The white space before a word is a part of it, as most tokens bring their space along; a line ends with its line break,
and a paragraph with the blank lines behind it. A sentence ends behind ``.``, ``!``, ``?``, ``…`` or their East Asian
kin, closing quotes and brackets with it, where white space follows or the script needs none; abbreviations are not
known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from arplay.core.modalities.spans import to_text

_STARTS = {
    "word": re.compile(r"\s*+\S+"),
    "line": re.compile(r"[^\n\r\x0b\x0c\x85\u2028\u2029]*(?:\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]|\Z)"),
    "sentence": re.compile(r"\s*+\S(?:.*?(?:[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[」』”’）】]*)|.*)", re.DOTALL),
    "paragraph": re.compile(r"\s*+\S.*?(?:\n[ \t\r]*\n\s*|\Z)", re.DOTALL),
}

KINDS = tuple(_STARTS)


BLOCK, READ = 1024, 1 << 14
"""Parts that are looked for at once, or the characters that they take: a few milliseconds."""


def blocks(data: bytes, kind: str) -> Iterator[NDArray[np.int64]]:
    """The byte where each part begins, from 0 on, some at a time; none where the text is empty.

    White space at its end is of the last one.
    """
    text, at, found = to_text(data), 0, [0] if data else []
    place, ascii, pattern, due = 0, len(text) == len(data), _STARTS[kind], READ
    match = pattern.match(text)  # a search would begin anew at each blank of a long run that nothing follows
    while match is not None and at < match.end() < len(text):
        place = match.end() if ascii else place + len(text[at : match.end()].encode("utf-8", "surrogateescape"))
        at = match.end()
        match = pattern.match(text, at)
        if match is not None and match.end() > at:
            if len(found) == BLOCK or at >= due:
                yield np.array(found, np.int64)
                found, due = [], at + READ
            found.append(place)
    if found:
        yield np.array(found, np.int64)


def starts(data: bytes, kind: str) -> NDArray[np.int64]:
    """All of them.

    >>> starts(b"To be,\\nor not.  So?", "word").tolist()
    [0, 2, 6, 9, 14]
    >>> [starts(b"To be,\\nor not.  So?", kind).tolist() for kind in ("line", "sentence", "paragraph")]
    [[0, 7], [0, 14], [0]]
    """
    return np.concatenate([np.zeros(0, np.int64), *blocks(data, kind)])


_SPACE = re.compile(rb"\s*")


def sentence_rows(data: bytes) -> NDArray[np.int64]:
    """The byte where a row of one sentence begins: with it or with its paragraph; line breaks stay with what they end.

    >>> sentence_rows(b"To be,\\nor not.  So?\\n\\nNo").tolist(), sentence_rows(b"One.\\nTwo.").tolist()
    ([0, 14, 21], [0, 5])
    """
    found = np.union1d(starts(data, "sentence"), starts(data, "paragraph")).tolist()
    rows = {0} if found else set()
    for start in found:
        space = _SPACE.match(data, start)
        assert space is not None, "of any length"
        rows.add(start + space[0].rfind(b"\n") + 1)
    return np.array(sorted(row for row in rows if row < len(data)), np.int64)
