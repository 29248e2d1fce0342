"""Which bytes of a text each token owns, where the tokens' own bytes are not simply the text.

Every byte gets exactly one owner. What a tokenizer drops belongs to the token behind it, but accents (combining marks)
to the letter before them, and what stands behind the last token to that one. Tokens made of one changed character share
its bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from arplay.core.modalities.base import Ids
from arplay.core.modalities.spans import char_starts, to_text

REACH = 64
"""How many characters of the text may have been dropped or become unknown before a token that is looked for."""


def ends_by_offsets(data: bytes, written: Sequence[bytes], offsets: NDArray[np.int64]) -> Ids:
    """Ends of the tokens by the tokenizer's own ``offsets``, the code points that each token was made from; (n, 2).

    Tokens whose code points overlap, like the bytes of a split emoji, share them by what they write.

    >>> ends_by_offsets("É 日".encode(), [b" e", b" ", b"\\xe6", b"\\x97", b"\\xa5"],
    ...                 np.array([(0, 1), (1, 2), (2, 3), (2, 3), (2, 3)]))
    array([2, 3, 4, 5, 6])
    """
    edges, text = char_starts(data), to_text(data)
    last_chars = np.maximum.accumulate(offsets[:, 1])
    gaps = np.append(last_chars[:-1] < offsets[1:, 0], last_chars[-1] < len(text))
    for gap in np.flatnonzero(gaps).tolist():
        while last_chars[gap] < len(text) and unicodedata.combining(text[last_chars[gap]]):
            last_chars[gap] += 1
    low, high = edges[offsets[:, 0]], edges[last_chars]
    ends: Ids = high.copy()
    apart = (low[1:] >= high[:-1]) & (offsets[1:, 0] < offsets[1:, 1])  # the second letter of a ligature has no place
    firsts = np.concatenate([[0], 1 + np.flatnonzero(apart), [len(ends)]])
    groups = np.flatnonzero(np.diff(firsts) > 1)
    for first, last in zip(firsts[groups].tolist(), firsts[groups + 1].tolist(), strict=True):
        base = int(low[first])
        ends[first:last] = base + _shared(data[base : int(high[last - 1])], written[first:last])
    ends[-1] = len(data)
    return ends


def ends_without(data: bytes, lacking: bytes, joined: bytes, ends: Ids) -> Ids | None:
    """Ends of tokens that write ``data`` without its ``lacking`` bytes; None where they write something else.

    ``joined`` is what they write, ``ends`` where each ends in that.

    >>> ends_without(b"\x1b[1\x1b", b"\x1b", b"[1", np.array([1, 2]))
    array([2, 4])
    """
    kept = data.translate(None, lacking)
    if joined not in (kept, b" " + kept):
        return None
    places = np.flatnonzero(~np.isin(np.frombuffer(data, np.uint8), np.frombuffer(lacking, np.uint8)))
    ends = np.concatenate([[0], places + 1])[np.maximum(ends - (len(joined) - len(kept)), 0)]
    ends[-1:] = len(data)
    return ends


def ends_by_matching(data: bytes, written: Sequence[bytes]) -> Ids:
    """Ends of the tokens by looking for what each writes, letters' case, accents and spaces aside.

    For tokenizers that tell no offsets. Tokens that are not found within REACH characters share what is left between
    those that are.

    >>> ends_by_matching("Élan  vital".encode(), [b" e", b"lan", b" [UNK]", b"al"])
    array([ 2,  5, 10, 12])
    """
    folded, owner = [], []
    text = to_text(data)
    for index, char in enumerate(text):
        for part in _fold(char):
            folded.append(part)
            owner.append(index)
    haystack, edges = "".join(folded), char_starts(data)
    ends = np.zeros(len(written), np.int64)
    at = end = waiting = 0
    for i, token in enumerate(written):
        wanted = "".join(map(_fold, to_text(token)))
        found = haystack.find(wanted, at, at + REACH + len(wanted)) if wanted else -1
        if found < 0:
            waiting += 1
            continue
        at = found + len(wanted)
        first = owner[found]
        while first and edges[first - 1] >= end and text[first - 1].isspace():
            first -= 1  # a space is this token's, not an unknown one's before it
        ends[i - waiting : i] = _evenly(end, max(end, int(edges[first])), waiting)
        end = ends[i] = int(edges[owner[at - 1] + 1])
        waiting = 0
    ends[len(ends) - waiting :] = _evenly(end, len(data), waiting)
    ends[-1] = len(data)
    return ends


def _shared(data: bytes, written: Sequence[bytes]) -> Ids:
    """Ends within ``data``, whose characters all of these tokens were made from."""
    ends = np.cumsum([len(token) for token in written], dtype=np.int64)
    joined = b"".join(written)
    if joined == data:
        return ends
    if joined == b" " + data:
        return np.maximum(ends - 1, 0)
    if len(written) > 1 and not written[0].strip(b" "):  # a space that the tokenizer put there
        return np.append(0, _shared(data, written[1:]))
    return _evenly(0, len(data), len(written)) if len(to_text(data)) == 1 else ends_by_matching(data, written)


def _evenly(start: int, end: int, count: int) -> Ids:
    return start + (end - start) * np.arange(1, count + 1, dtype=np.int64) // max(count, 1)


@cache
def _fold(char: str) -> str:
    """A character without case, accents and compatibility forms; nothing for a space, a mark or half a character."""
    parts = unicodedata.normalize("NFKD", char.casefold())
    return "".join(p for p in parts if not (unicodedata.combining(p) or p.isspace() or "\ud800" <= p <= "\udfff"))
