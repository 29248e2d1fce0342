"""Finding in a text: words, the signs that views show for what cannot be seen, and tokens that surprised the model."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Ids
from arplay.core.signs import CONTROLS

MOST = 100_000
"""How many places of one text are counted and shown; where there are more it is said."""

_SPACES = {"␣": " ", "↵": "\n", "⇥": "\t", "⍽": "\u00a0"}
_NAMED = {name: bytes([code]) for code, name in [*enumerate(CONTROLS), (0x7F, "DEL")]}
_SIGN = re.compile(r"⟨(?:U\+([0-9A-Fa-f]{4,6})|([0-9A-Fa-f]{2})|([A-Z0-9]{2,3}))⟩|(.)", re.DOTALL)


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """What a search found: the bytes [start, end) of every place, shape (n, 2), in the order of the text.

    ``at``: the place where it stands now. ``more``: there are more places than these. ``wrapped``: it went on behind
    the end of the text at its start, or the other way round.
    """

    text: str
    case: bool
    spans: Ids
    more: bool = False
    at: int | None = None
    wrapped: bool = False


def find(data: bytes, text: str, case: bool = False) -> Found:
    """Every place of ``text`` in ``data``, from left to right, none over another.

    A sign that the views show (``␣``, ``↵``, ``⟨E2⟩``, ``⟨U+200B⟩``, ``⟨NUL⟩``) stands for what it shows as
    well as for itself. ``case``: upper and lower case are different.

    >>> find("Ab\\x00 é".encode(), "b⟨NUL⟩␣").spans, find("é".encode(), "⟨A9⟩").spans
    (array([[1, 4]]), array([[1, 2]]))
    """
    spans: list[tuple[int, int]] = []
    wanted = b"".join(_wanted(found, case) for found in _SIGN.finditer(text))
    if wanted:
        for match in re.finditer(wanted, data):
            if len(spans) == MOST:
                return Found(text, case, np.array(spans, np.int64), more=True)
            spans.append(match.span())
    return Found(text, case, np.array(spans, np.int64).reshape(-1, 2))


def _wanted(sign: re.Match[str], case: bool) -> bytes:
    """A regular expression of bytes for one character of the query, or one sign."""
    point, byte, name, char = sign.groups()
    kinds = [sign[0].encode("utf-8", "surrogatepass")]
    if byte:
        kinds.append(bytes([int(byte, 16)]))
    elif point and int(point, 16) < 0x110000:
        kinds.append(chr(int(point, 16)).encode("utf-8", "surrogatepass"))
    elif name:
        kinds += [_NAMED[name]] if name in _NAMED else []
    elif char:
        stands = {_SPACES.get(char, char), char}
        cases = stands if case else {other for one in stands for other in _cases(one)}
        kinds += [one.encode("utf-8", "surrogatepass") for one in cases]
    longest_first = sorted({kind for kind in kinds if kind}, key=lambda kind: (-len(kind), kind))
    return b"(?:" + b"|".join(map(re.escape, longest_first)) + b")"


def _cases(char: str) -> set[str]:
    return {char, char.lower(), char.upper(), char.title(), char.casefold()}


def beside(spans: Ids, byte: int, step: int) -> tuple[int, bool] | None:
    """The place of ``spans`` that is first behind ``byte`` (``step`` 1, or at it: 0) or before it (-1).

    Past the last one the search goes on at the first, and the other way round; the flag says so. None: no place.

    >>> beside(np.array([[2, 3], [8, 9]]), 2, 1), beside(np.array([[2, 3], [8, 9]]), 2, -1)
    ((1, False), (1, True))
    """
    if not len(spans):
        return None
    starts = spans[:, 0]
    at = int(starts.searchsorted(byte, "right" if step > 0 else "left")) - (step < 0)
    return at % len(starts), not 0 <= at < len(starts)


def surprise(ledger: Ledger, index: int, step: int, nats: float) -> tuple[int, bool] | None:
    """The next (``step`` 1) or former (-1) token with -log p of at least ``nats``, as in :func:`beside`.

    ``index`` may be len(ledger), the end of the text. None: no scored token is as surprising.
    """
    places = np.flatnonzero(-ledger.logprob[: ledger.done] >= nats)
    found = beside(np.stack([places, places + 1], axis=1), index, step)
    return None if found is None else (int(places[found[0]]), found[1])
