"""Any tokenizer as an alphabet: whatever cuts a text into ids becomes tokens that own every byte of it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids
from arplay.core.modalities.spans import to_bytes, to_text
from arplay.core.modalities.vocabulary import Tokens, Vocabulary, visible
from arplay.models.alphabets.places import ends_by_matching, ends_by_offsets, ends_without
from arplay.models.alphabets.stretches import STRETCH, Piece, stretches

PROBE = "The quick fox: 1,234 naïve cafés\n\t«日本» 😀  'tis\u00a0so"
_LONE_BYTE = re.compile("([\udc80-\udcff])")
_RARE = "\U00010380 \U00013000 \U000f1234"  # Ugaritic, a hieroglyph, and a character that nobody assigned
_SPACES = "drops or merges spaces"
_UNKNOWN = "has no token for some characters"
_OF_TEXTS = frozenset(range(0xF5)) - {0xC0, 0xC1}
"""The bytes that UTF-8 uses."""
_NAMED_AT_MOST = 6
_CHANGES = {
    "makes letters lower case": ("A", "The"),
    "changes accents and other characters": ("\u00e9", "e\u0301", "\u212b", "\ufb01", "\u2026"),
    _SPACES: (" a  b", "a\nb", "a\t"),
    _UNKNOWN: ("\u65e5", "\U0001f9ff", "\ue000"),
}


class Cutter(Protocol):
    """Text -> ids, exactly as the model's own library does it. May be called from any thread."""

    def ids(self, text: str, start: bool, special: bool) -> Sequence[int]:
        """The ids of ``text``, which holds no lone surrogate; ``start`` and ``special`` as for Alphabet.encode."""
        ...

    def offsets(self, text: str, start: bool, special: bool) -> NDArray[np.int64] | None:
        """The code points [a, b) that each of these ids was made from, shape (n, 2); None where nobody knows.

        Asked for only where the tokens do not spell the text.
        """
        ...


class TextAlphabet:
    """The alphabet of a vocabulary and what cuts text into its ids. Raises Problem if that gives no ids at all.

    ``beyond``: the tokens with an id that the model's output lacks. A text that needs one is refused; the tokenizer is,
    where plain words do. ``notes`` says how the tokenizer and the output differ, "" where they have the same ids.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        cutter: Cutter,
        lead: tuple[int, ...] = (),
        bos: int | None = None,
        eos: int | None = None,
        beyond: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        if not beyond.keys().isdisjoint((*lead, *cutter.ids(PROBE, True, False))):
            cause = f"the tokenizer has id {max(beyond)} but the model's output only {len(vocabulary)}"
            raise Problem(cause, "tokenizer and weights do not match")
        self.vocabulary, self.lead = vocabulary, lead
        self.bos, self.eos = (None if id in beyond else id for id in (bos, eos))
        self.notes = "; ".join(_notes(vocabulary, beyond))
        self._cutter, self._beyond = cutter, beyond
        self._byte_ids = {data[0]: id for id, data in enumerate(vocabulary.data) if data and len(data) == 1}
        self._knows_bytes = any(byte >= 0x80 for byte in self._byte_ids)
        lacking = (byte for byte in range(256) if byte not in self._byte_ids)
        self._lacking = bytes(lacking if self._knows_bytes else ())
        unknown = vocabulary.special.intersection(cutter.ids(_RARE, True, False))
        self._named = vocabulary.special - unknown
        names = [to_text(vocabulary.written[id]) for id in sorted(self._named)]
        self._in_names = re.compile(
            "|".join(f"(?<={re.escape(name[0])})(?={re.escape(name[1:])})" for name in names if name[1:]) or "(?!)"
        )
        self._begins_otherwise = [*cutter.ids("a", True, False)] != [*cutter.ids("a", False, False)]
        changes = self._changes(unknown)
        self._drops_spaces = _SPACES in changes
        self.lossy = _sentence(changes, guessed=cutter.offsets("a", True, False) is None)
        if not len(self.encode(PROBE.encode())):
            raise Problem("the tokenizer encodes text to nothing", "the folder's tokenizer files are incomplete")

    def encode(self, data: bytes, start: bool = True, special: bool = False) -> Tokens:
        """As Alphabet says. A text of which the tokenizer keeps nothing (only spaces, perhaps) has no tokens.

        A byte that is part of no character is a token of its own, or U+FFFD to a tokenizer that has no such tokens.
        A long one is cut in stretches, about 0.6 s for 1 MB; between them it can be interrupted.
        """
        steps = self.cutting(data, start, special)
        while True:
            try:
                next(steps)
            except StopIteration as ended:
                tokens: Tokens = ended.value
                return tokens

    def cutting(self, data: bytes, start: bool = True, special: bool = False) -> Generator[Tokens, None, Tokens]:
        """As :meth:`encode`; on its way it tells what it has found, as :class:`Stepwise` says."""
        found, at = [Tokens(np.zeros(0, np.int32), np.zeros(0, np.int32))], 0
        for part in self._parts(data):
            if self._knows_bytes and _LONE_BYTE.match(part):
                pieces: Iterable[Piece] = [([self._byte_id(data[at])], np.array([1]), 1)]
            else:
                cut, inner = partial(self._cut, special=special), partial(self._inner, special)
                # behind a special token a text may begin anew, which only the whole tells
                joined = special and self._begins_otherwise and self._in_names.search(part)
                pieces = stretches(part, start and at == 0, cut, inner, len(part) if joined else STRETCH)
            for ids, ends, size in pieces:
                found.append(Tokens(np.array(ids, np.int32), at + ends))
                at += size
                if at < len(data):
                    yield found[-1]
        ends = np.concatenate([piece.ends for piece in found])
        ends[-1:] = len(data)  # what the tokenizer drops at the end belongs to the last token
        return Tokens(np.concatenate([piece.ids for piece in found]), ends)

    def _inner(self, special: bool, text: str) -> Sequence[int]:
        """The ids of what stands in the middle of a text."""
        return self._cutter.ids(_LONE_BYTE.sub("\ufffd", text), False, special)

    def _parts(self, data: bytes) -> list[str]:
        """The text, and each byte alone that is part of no character, where there are tokens for such."""
        try:
            return [text] if (text := data.decode("utf-8")) else []
        except UnicodeDecodeError:
            text = to_text(data)
        return [part for part in _LONE_BYTE.split(text) if part] if self._knows_bytes else [text]

    def _cut(self, part: str, start: bool, special: bool) -> tuple[list[int], Ids]:
        """The ids of ``part`` and where each ends in it."""
        text = _LONE_BYTE.sub("\ufffd", part)
        ids = self._ids(text, start, special)
        if special or self._named.isdisjoint(ids):
            return ids, self._ends(part, text, ids, start, special)
        # the name of a special token may be a word of the library's model too (Unigram): its letters are cut apart
        found: list[int] = []
        ends = [np.zeros(0, np.int64)]
        at = size = 0
        for token in self._in_names.split(text):
            letters = part[at : at + len(token)]
            ids = self._ids(token, start and at == 0, False)
            ends.append(size + self._ends(letters, token, ids, start and at == 0, False))
            found += ids
            at, size = at + len(token), size + len(to_bytes(letters))
        return found, np.concatenate(ends)

    def _ids(self, text: str, start: bool, special: bool) -> list[int]:
        ids = list(self._cutter.ids(text, start, special))
        if self._beyond and (outside := self._beyond.keys() & set(ids)):
            token = visible(self._beyond[min(outside)].encode("utf-8", "replace"))
            raise Problem(f"this text needs the token {token}, which the model's output lacks", "change that word")
        return ids

    def _ends(self, part: str, text: str, ids: list[int], start: bool, special: bool) -> Ids:
        if not ids:
            return np.zeros(0, np.int64)
        data, written = to_bytes(part), list(map(self.vocabulary.written.__getitem__, ids))
        joined, ends = b"".join(written), self.vocabulary.ends(ids)
        if self._lacking and joined != data and (found := ends_without(data, self._lacking, joined, ends)) is not None:
            return found
        # words may be written with a space behind them: where spaces are dropped only offsets tell whose each one is
        if self._drops_spaces and (offsets := self._cutter.offsets(text, start, special)) is not None:
            return ends_by_offsets(data, written, offsets)
        if joined == data:
            return ends
        if joined == b" " + data:  # the space that many tokenizers put before a text
            return np.maximum(ends - 1, 0)
        offsets = self._cutter.offsets(text, start, special)
        return ends_by_matching(data, written) if offsets is None else ends_by_offsets(data, written, offsets)

    def _byte_id(self, byte: int) -> int:
        id = self._byte_ids.get(byte)
        if id is None:
            raise Problem(f"this tokenizer has no token for the lone byte {byte:02X}", "remove the broken character")
        return id

    def _changes(self, unknown: frozenset[int]) -> list[str]:
        """What happens to some telling texts."""
        found = []
        if lacking := [byte for byte in self._lacking if byte in _OF_TEXTS]:
            named = " ".join(f"⟨{byte:02X}⟩" for byte in lacking[:_NAMED_AT_MOST])
            more = " …" if len(lacking) > _NAMED_AT_MOST else ""
            found.append(f"drops {len(lacking)} of the {len(_OF_TEXTS)} bytes of UTF-8 ({named}{more})")
        for what, texts in _CHANGES.items():
            for text in texts if what != _UNKNOWN or not self._knows_bytes else ():
                ids = [id for id in self._cutter.ids(text, True, False) if id not in self._beyond]
                joined = b"".join(map(self.vocabulary.written.__getitem__, ids))
                telling = unknown.isdisjoint(ids) or what == _UNKNOWN
                if telling and joined not in (text.encode(), b" " + text.encode()):
                    found.append(what)
                    break
        return found


def _sentence(changes: list[str], guessed: bool) -> str:
    if not changes:
        return ""
    listed = " and ".join([", ".join(changes[:-1]), changes[-1]] if changes[1:] else changes)
    how = ", found by comparing the letters" if guessed else ""
    return f"This tokenizer {listed}; those bytes belong to the token next to them{how}."


def beyond(tokens: Mapping[str, int], size: int) -> dict[int, str]:
    """The tokens whose ids an output of ``size`` logits lacks."""
    return {id: token for token, id in sorted(tokens.items()) if id >= size}


def _notes(vocabulary: Vocabulary, beyond: Mapping[int, str]) -> Iterator[str]:
    if beyond:
        named = " ".join(visible(beyond[id].encode("utf-8", "replace")) for id in sorted(beyond)[:_NAMED_AT_MOST])
        more = " …" if len(beyond) > _NAMED_AT_MOST else ""
        yield f"{len(beyond):,} tokens have no place in the output ({named}{more}): a text that needs one is refused"
    if unused := sum(not data for data in vocabulary.data):
        yield f"{unused:,} ids of the output have no token: they write nothing"


def lead_of(whole: Sequence[int], plain: Sequence[int]) -> tuple[int, ...]:
    """What the tokenizer itself puts before a text: ``whole`` are its ids with that, ``plain`` without.

    >>> lead_of([1, 7, 8, 2], [7, 8])
    (1,)
    """
    for count in range(len(whole) - len(plain) + 1):
        if list(whole[count : count + len(plain)]) == list(plain):
            return tuple(whole[:count])
    return ()
