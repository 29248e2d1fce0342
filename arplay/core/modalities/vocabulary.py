"""Tokens: what a model reads and writes, one id at a time, and the exact bytes behind each id."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np

from arplay.core.errors import Problem
from arplay.core.modalities.base import Coder, Ids, Unit
from arplay.core.signs import is_seen, safe, sign

BYTE = Unit("byte", "bytes", "bits_per_byte", "bits per byte")

MOST_LABELS = 8192
"""Labels that a vocabulary remembers."""
_SPACES = {" ": "␣", "\u00a0": "⍽"}


def visible(data: bytes) -> str:
    """The text of a token with nothing hidden: spaces, newlines, controls and broken bytes have a sign.

    >>> visible(b" Paris\\n"), visible(b"\\xe2\\x82"), visible(b"\\x00")
    ('␣Paris↵', '⟨E2⟩⟨82⟩', '⟨NUL⟩')
    """
    text = data.decode("utf-8", "surrogateescape")
    if is_seen(text):
        return text.replace(" ", "␣")
    return "".join(_SPACES.get(char) or (char if is_seen(char) else sign(char)) for char in text)


def exact_text(data: bytes) -> str:
    """The text of ``data``; only a byte that is part of no whole character is written as a sign.

    >>> exact_text(" é".encode() + b"\\xe2")
    ' é⟨E2⟩'
    """
    text = data.decode("utf-8", "surrogateescape")
    return "".join(f"⟨{ord(c) - 0xDC00:02X}⟩" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)


@dataclass(frozen=True, slots=True)
class Token:
    """One entry of a vocabulary: its id, its exact bytes, and whether it is special.

    A special token (end-of-text and the like) stands for itself: its bytes are those of its name, ``<|endoftext|>``.
    An id that no token owns writes nothing; it is shown as ``<unused 7>``.
    """

    id: int
    data: bytes
    special: bool = False

    @property
    def text(self) -> str:
        """The visible text, as shown on bars and chips; a special one keeps the spaces of its name."""
        if not self.data:
            return f"<unused {self.id}>"
        return safe(self.data.decode("utf-8", "surrogateescape")) if self.special else visible(self.data)


@lru_cache(maxsize=MOST_LABELS)
def _text(token: Token) -> str:
    return token.text


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All V tokens of a model, by id, with a name that is the same only for the same tokens.

    ``data[i]`` is None for an id that the model's output has but no token owns. ``drops_first_space``: the model's
    library reads a text as if a space stood before it, and leaves that space out when it decodes (SentencePiece).
    ``unknown``: the token that stands for any character that no other one writes, if there is one.
    """

    name: str
    data: tuple[bytes | None, ...]
    special: frozenset[int] = frozenset()
    drops_first_space: bool = False
    unknown: int | None = None

    unit = BYTE
    length = None
    open = False
    ordered = False
    lengths = ()

    def __len__(self) -> int:
        return len(self.data)

    def label(self, id: int) -> str:
        """The visible text of a token; those that come again and again are made once."""
        return _text(self.token(id))

    def details(self, id: int) -> list[tuple[str, str]]:
        data = self.token(id).data.hex(" ")
        return [("bytes", data if len(data) <= 72 else data[:72] + " …")]

    def is_special(self, id: int) -> bool:
        return id in self.special or self.is_unused(id)

    def is_unused(self, id: int) -> bool:
        return not self.data[id]

    def record(self, id: int) -> dict[str, Any]:
        """Its exact text (only a byte that is part of no whole character is written as a sign), and its bytes."""
        data = self.token(id).data
        return {"text": exact_text(data), "bytes": data.hex()}

    def token(self, id: int, first: bool = False) -> Token:
        """The token of an id, with what taking it writes.

        ``first``: at a text's beginning, where ``▁Hello`` writes "Hello" if the vocabulary drops the first space, so
        that the text read again gives the same ids. A token that is only that space keeps it.
        """
        data = self.data[id] or b""
        if first and self.drops_first_space and id not in self.special and data[:1] == b" " != data:
            data = data[1:]
        return Token(id, data, self.is_special(id))

    @cached_property
    def written(self) -> tuple[bytes, ...]:
        """The bytes of every token, by id: none for an id that no token owns."""
        return tuple(data or b"" for data in self.data)

    @cached_property
    def sizes(self) -> Ids:
        """How many bytes every token has, shape (V,)."""
        sizes = np.array([len(data) for data in self.written], dtype=np.int64)
        sizes.flags.writeable = False  # a vocabulary is shared by threads
        return sizes

    def ends(self, ids: Sequence[int] | Ids) -> Ids:
        """Where each token of a text ends, in bytes from the start, shape (n,)."""
        return np.cumsum(self.sizes[np.asarray(ids, dtype=np.int64)], dtype=np.int64)

    def named(self, text: str) -> int | None:
        """By what it writes, else by what views show of it (``␣the``, ``⟨E2⟩``)."""
        for written in (text, text.replace("␣", " ")):
            if (id := self._by_bytes.get(written.encode("utf-8", "surrogateescape"))) is not None:
                return id
        return next((id for id in self.find(text) if self.label(id) == text), None)

    def beginning(self, text: str) -> Ids:
        """
        >>> Vocabulary("three", (b" a", b" ", b"a")).beginning(" ")
        array([0, 1])
        """
        data = text.encode("utf-8", "surrogateescape")
        first = bisect_left(self._sorted, (data, 0))
        past = bisect_left(self._sorted, (data + b"\xff" * (1 + self.longest), 0))
        return np.array(sorted(id for _, id in self._sorted[first:past]), dtype=np.int64)

    def writing(self, data: bytes, first: bool) -> list[int]:
        """Ids of the ordinary tokens that write exactly ``data``; ``first``: at the beginning of a text.

        >>> Vocabulary("three", (b" a", b" ", b"a"), drops_first_space=True).writing(b"a", first=True)
        [0, 2]
        """
        found: list[int] = []
        for written in (data, b" " + data) if first and self.drops_first_space else (data,):
            at = bisect_left(self._sorted, (written, 0))
            while at < len(self._sorted) and self._sorted[at][0] == written:
                found.append(self._sorted[at][1])
                at += 1
        return sorted(id for id in found if self.token(id, first).data == data)

    @cached_property
    def opening(self) -> Ids:
        """
        >>> Vocabulary("four", (b" a", b"a", b"\\n", b" end"), frozenset({3})).opening
        array([0, 2])
        """
        texts = ((id, data.decode("utf-8", "surrogateescape")) for id, data in enumerate(self.written))
        found = [id for id, text in texts if text[:1].isspace() and id not in self.special]
        ids: Ids = np.array(found, np.int64)
        ids.flags.writeable = False
        return ids

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest token."""
        return max(map(len, self.written), default=0)

    def writes(self, id: int) -> str:
        try:
            return "" if id in self.special else self.written[id].decode("utf-8")
        except UnicodeDecodeError:
            return ""

    @cached_property
    def _sorted(self) -> tuple[tuple[bytes, int], ...]:
        ordinary = ((data, id) for id, data in enumerate(self.written) if data and id not in self.special)
        return tuple(sorted(ordinary))

    @cached_property
    def _by_bytes(self) -> dict[bytes, int]:
        return {data: id for id, data in reversed(list(enumerate(self.written))) if data}

    def find(self, text: str, limit: int = 200) -> list[int]:
        """Ids whose text contains ``text``: exact matches first, then prefixes, then the rest, shorter first.

        ``text`` is what a token writes, or what the views show of it (``␣the``, ``⟨E2⟩``, ``⟨ESC⟩``), whichever fits;
        upper and lower case are the same, but of those alike the ones written so come first:

        >>> Vocabulary("v", (b"on", b"On", b"only")).find("On")
        [1, 0, 2]
        """
        written, signed = text.lower(), text.lower().replace("␣", " ")
        if not written:
            return []
        texts, shown = self._searchable
        found = {id: (text, signed) for id, text in enumerate(texts) if signed in text}
        found |= {id: (text, written) for id, text in shown.items() if written in text}

        def order(id: int) -> tuple[bool, bool, bool, int, int]:
            text, wanted = found[id]
            return text != wanted, text.lstrip() != wanted, not text.startswith(wanted), len(text), id

        said = text.replace("␣", " ")

        def written_so(id: int) -> tuple[tuple[bool | int, ...], bool]:
            texts = self.written[id].decode("utf-8", "replace"), self.token(id).text
            return order(id)[:-1], said not in texts[0] and text not in texts[1]

        return sorted(heapq.nsmallest(limit, found, key=order), key=written_so)

    @cached_property
    def _searchable(self) -> tuple[tuple[str, ...], dict[int, str]]:
        """The text of every token in small letters; and what the views show of those that have signs other than ␣."""
        texts = [data.decode("utf-8", "replace").lower() for data in self.written]
        signed = ("␣", "\ufffd")
        signs = (
            id
            for id, text in enumerate(texts)
            if not text or not text.isprintable() or any(sign in text for sign in signed)
        )
        return tuple(texts), {id: self.token(id).text.lower() for id in signs}


@dataclass(frozen=True, eq=False, slots=True)
class Tokens:
    """A text cut into tokens: their ids and the byte where each ends, both of shape (n,).

    Token i is bytes [ends[i - 1], ends[i]) of the text, so every byte belongs to exactly one token and the last end is
    the text's length. Most tokens are ``Vocabulary.data`` of their id; where a tokenizer changes text (lower case,
    dropped spaces, normal forms) a token owns the bytes that it was made from, now and then none at all.
    """

    ids: Ids
    ends: Ids

    def __post_init__(self) -> None:
        for name in ("ids", "ends"):
            object.__setattr__(self, name, getattr(self, name).astype(np.int32, copy=False))

    def __len__(self) -> int:
        return len(self.ids)


class Alphabet(Coder, Protocol):
    """How a model cuts text into tokens. Encoding is a pure function; it may be called from any thread."""

    @property
    def vocabulary(self) -> Vocabulary: ...

    def encode(self, data: bytes, start: bool = True, special: bool = False) -> Tokens:
        """The canonical tokens of ``data``; no BOS or EOS is added.

        ``start`` False: other tokens stand before this text, so nothing is done that belongs to a text's beginning
        (like the space that some tokenizers put there). ``special`` True: the name of a special token, like
        ``<|endoftext|>``, is that token; else it is its letters. Raises Problem where the alphabet cannot write
        these bytes.
        """
        ...


@runtime_checkable
class Stepwise(Protocol):
    """An alphabet that can be looked at while it cuts a long text."""

    def cutting(self, data: bytes, start: bool, special: bool) -> Generator[Tokens, None, Tokens]:
        """As :meth:`Alphabet.encode`; on its way it tells what it has found, a piece behind the other, as it stays.

        A piece without tokens comes before a long rest that is cut at once.
        """
        ...


def alphabet_of(coder: Coder) -> Alphabet:
    """The same, of a model that reads text. Raises Problem for one that reads something else."""
    if not isinstance(coder.vocabulary, Vocabulary):
        raise Problem(f"this model reads {coder.vocabulary.unit.many}, no text", "choose a model of text")
    return cast(Alphabet, coder)
