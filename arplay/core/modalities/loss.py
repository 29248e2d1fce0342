"""What of a text its tokens do not say: characters that the tokenizer dropped, did not know, or read as others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from arplay.core.modalities.base import Ids
from arplay.core.modalities.spans import char_starts, to_bytes, to_text
from arplay.core.modalities.vocabulary import Vocabulary, visible

BLOCK = 1 << 15
SHOWN = 6
"""How many different characters a sentence names."""


def loss(data: bytes, ids: Ids, ends: Ids, vocabulary: Vocabulary) -> tuple[int, str]:
    """How many characters of ``data`` its tokens, which own the bytes up to ``ends``, do not write; and which.

    Found by comparing what every token writes with the bytes that it owns, so that it holds for this very text.

    >>> words = Vocabulary("w", (b"a", b"[", b"<unk>"), unknown=2)
    >>> loss(b"a\\x1b[a", np.array([0, 1, 0]), np.array([1, 3, 4]), words)
    (1, 'Of this text the tokenizer drops 1 character (⟨ESC⟩).')
    """
    dropped, unknown, read_as_others = Counter[str](), Counter[str](), Counter[str]()
    for owned, written, is_unknown in _differing(data, ids, ends, vocabulary):
        lost = Counter(to_text(owned)) - Counter(to_text(written))
        whole = (char for char in to_text(written) if char != " " and not _is_lone(char))  # what is left of a cut one
        instead = Counter(whole) - Counter(to_text(owned))
        if is_unknown:
            del lost[" "]  # it is read as one, with the unknown word behind it
        (unknown if is_unknown else read_as_others if instead else dropped).update(lost)
    parts = [
        f"{verb} {_named(found)}"
        for verb, found in (("drops", dropped), ("does not know", unknown), ("reads as others", read_as_others))
        if found
    ]
    sentence = f"Of this text the tokenizer {', '.join(parts)}." if parts else ""
    return dropped.total() + unknown.total() + read_as_others.total(), sentence


def _is_lone(char: str) -> bool:
    """Whether ``char`` stands for a byte that is part of no character."""
    return "\udc80" <= char <= "\udcff"


def _named(found: Counter[str]) -> str:
    count = found.total()
    named = [
        visible(to_bytes(char)) + (f" ×{times:,}" if times > 1 else "") for char, times in found.most_common(SHOWN)
    ]
    more = f" and {len(found) - SHOWN:,} others" if len(found) > SHOWN else ""
    return f"{count:,} character{'s' * (count > 1)} ({', '.join(named)}{more})"


def _differing(data: bytes, ids: Ids, ends: Ids, vocabulary: Vocabulary) -> Iterator[tuple[bytes, bytes, bool]]:
    """(the bytes that they own, those that they write, whether one is unknown) of tokens that differ from their text.

    Neighbours that differ go together, and tokens of one character too. What unknown tokens write is left out.
    """
    if _all_same(data, ids, ends, vocabulary):
        return
    written = list(map(vocabulary.written.__getitem__, ids.tolist()))
    if written and data[:1] != b" ":  # the space that many tokenizers put before a text
        written[0] = written[0].removeprefix(b" ")
    joined = b"".join(written)
    if joined == data or joined == b" " + data:
        return
    whole = np.isin(ends, char_starts(data)).tolist()
    start = low = 0
    begun, same = False, True
    for i, end in enumerate(ends.tolist()):
        same = same and written[i] == data[(int(ends[i - 1]) if i else 0) : end]
        if not whole[i]:
            continue
        # tokens low..i are whole characters
        if same and begun:
            yield _group(data, written, ids, vocabulary, start, low, ends)
        if same:
            start = i + 1
        begun, same, low = not same, True, i + 1
    if begun:
        yield _group(data, written, ids, vocabulary, start, len(ids), ends)


def _all_same(data: bytes, ids: Ids, ends: Ids, vocabulary: Vocabulary) -> bool:
    """Whether the tokens write the text itself, looked at block by block: nobody's thread waits for a long one."""
    low = 0
    for at in range(0, len(ids), BLOCK):
        stop = min(at + BLOCK, len(ids))
        high = int(ends[stop - 1])
        joined = b"".join(map(vocabulary.written.__getitem__, ids[at:stop].tolist()))
        if joined != data[low:high] and (at or joined != b" " + data[:high]):
            return False
        low = high
    return low == len(data)


def _group(
    data: bytes, written: list[bytes], ids: Ids, vocabulary: Vocabulary, first: int, stop: int, ends: Ids
) -> tuple[bytes, bytes, bool]:
    owned = data[int(ends[first - 1]) if first else 0 : int(ends[stop - 1])]
    known = [token for token, id in zip(written[first:stop], ids[first:stop], strict=True) if id != vocabulary.unknown]
    return owned, b"".join(known), len(known) < stop - first
