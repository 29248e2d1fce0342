"""A text of any length in rows: cut into blocks of tokens, each of which is cut and laid out when it is looked at.

A block ends where a row ends anyway, behind a newline; only in a longer paragraph does its border make a row of its
own. How many rows a block has is estimated until it is laid out: what stands in it is exact, what follows it may move.
Nothing here goes through a text of ten million tokens as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Ids, TokenSet
from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.parts import sentence_rows
from arplay.core.modalities.spans import to_text
from arplay.core.recent import Recent
from arplay.core.rising import place_in
from arplay.gui.canvases.text.heat.layout import Floats, Flow, Ints, Measure, Units, bare_tokens, units
from arplay.gui.canvases.text.heat.signs import CR, FLAG, JAMO, JOINER, LF, MARK, MODIFIER, VIRAMA, direction, kind
from arplay.gui.settings import Wrap

BLOCK = 2048
"""Tokens of a block, about: the k-th one begins with the first newline behind ``k * BLOCK`` tokens."""
LONGEST = 400
"""Columns of a line that is not wrapped; what is longer goes on in the next row."""
_NEAR = 64
_KEPT = 8
"""Blocks that stay laid out: those in sight, and some around them."""
_FAR = 65_536
"""Bytes of a paragraph in which its direction is looked for."""
_SAMPLES = 64
"""Blocks in which newlines and characters are counted, to tell how many rows all have."""


class Blocks:
    """``data`` in blocks of tokens, which end at the bytes ``ends``, shape (n,).

    ``name``: the visible text of a token that owns no bytes. ``measure``: as :func:`units` takes it. In a text that has
    no place for a border far and wide, a block has no tokens and the one before it all of them.
    """

    def __init__(self, data: bytes, ends: Ids, name: Callable[[int], str], measure: Measure | None = None) -> None:
        self.data, self.ends, self._name, self._measure = data, ends, name, measure
        self._size, count = BLOCK, -(-len(ends) // BLOCK)
        self._firsts: Ints = np.full(count + 1, -1, np.int64)
        self._firsts[0], self._firsts[-1] = 0, len(ends)
        self._units = Recent[int, Units](_KEPT)

    @classmethod
    def of(cls, ledger: Ledger, vocabulary: TokenSet | None, measure: Measure) -> Blocks:
        """Of a scored text; tokens that own no bytes have their name in the vocabulary, or their id."""

        def name(index: int) -> str:
            id = int(ledger.ids[index])
            return vocabulary.label(id) if vocabulary is not None else f"#{id}"

        return cls(bytes_of(ledger.encoded), ledger.ends, name, measure)

    def __len__(self) -> int:
        return len(self._firsts) - 1

    def first(self, block: int) -> int:
        """The token that a block begins with; with ``len(self)``, how many there are."""
        if self._firsts[block] < 0:
            cut = _cut(self.data, self.ends, block * self._size, self._size)
            self._firsts[block : cut // self._size + 1] = cut  # from all places before it this is the next one
        return int(self._firsts[block])

    def start(self, block: int) -> int:
        """The byte where a block begins."""
        first = self.first(block)
        return int(self.ends[first - 1]) if first else 0

    def is_empty(self, block: int) -> bool:
        return self.first(block) == self.first(block + 1)

    def of_token(self, index: int) -> int:
        block = min(index // self._size, len(self) - 1)
        while self.first(block) > index:
            block -= 1
        return block

    def token_at(self, byte: int) -> int:
        """The token that has this byte; the last one where it is the end of the text."""
        return min(place_in(self.ends, byte, "right"), len(self.ends) - 1)

    def units(self, block: int) -> Units:
        """The units of one block; its bytes and tokens count from its own first."""
        first, stop, low, high = self.first(block), self.first(block + 1), self.start(block), self.start(block + 1)

        def make() -> Units:
            ends = self.ends[first:stop].astype(np.int64) - low
            names = {index: self._name(first + index) for index in bare_tokens(ends).tolist()}
            return units(self.data[low:high], ends, names, self._measure, self._around(low, high))

        return self._units.get(block, make)

    @cached_property
    def sizes(self) -> Floats:
        """About how many newlines and characters each block has, shape (blocks, 2)."""
        count = len(self)
        if not count:
            return np.zeros((0, 2))
        starts = np.concatenate([[0], self.ends[self._size - 1 :: self._size], self.ends[-1:]])[: count + 1]
        looked = np.linspace(0, count - 1, min(count, _SAMPLES)).astype(np.int64)
        found = np.zeros((len(looked), 2))
        for place, block in enumerate(looked.tolist()):
            part = np.frombuffer(self.data[starts[block] : starts[block + 1]], np.int8)
            found[place] = np.count_nonzero(part == LF), np.count_nonzero(part >= -64)
            found[place] /= max(1, len(part))
        shares = [np.interp(np.arange(count), looked, share) for share in found.T]
        return np.stack(shares, axis=1) * np.diff(starts)[:, None]

    def _around(self, low: int, high: int) -> tuple[int, int, int]:
        """For the paragraphs that bytes [low, high) have only a part of: as :class:`Units` wants it."""
        begin = 1 + self.data.rfind(b"\n", 0, low)
        begin = max(begin, 1 + self.data.rfind(b"\r", begin, low))
        lead, before = self._strong(begin, min(low, begin + _FAR)), self._strong(max(begin, low - _FAR), low, -1)
        if self.data[high - 1 : high] in (b"\n", b"\r"):
            return lead, before, 0
        rest = self.data[high : high + _FAR].replace(b"\r", b"\n").partition(b"\n")[0]
        return lead, before, self._strong(high, high + len(rest))

    def _strong(self, low: int, high: int, step: int = 1) -> int:
        """The direction of the first strong character, or with ``step`` -1 the last one; 0 where there is none."""
        return next(filter(None, map(direction, map(ord, to_text(self.data[low:high])[::step]))), 0)


def _cut(data: bytes, ends: Ids, at: int, size: int) -> int:
    """The first token from ``at`` on that follows a newline; far from all newlines, one that a row may begin with.

    Where the ``size`` tokens from ``at`` on have no such place, that is the one found from ``at + size`` on.
    """
    for first in range(at, len(ends), size):
        for count in (_NEAR, size):  # most often a newline is near
            places = ends[first - 1 : first - 1 + min(count, size)].astype(np.int64)
            own = np.diff(places, prepend=ends[first - 2 : first - 1] if first > 1 else [0]) > 0
            rows = np.flatnonzero(own & (places < len(data)))
            last = np.frombuffer(data, np.uint8)[places[rows] - 1]
            if len(after_newline := rows[last == LF]):
                return first + int(after_newline[0])
        for index in (*rows[last == ord(" ")].tolist(), *rows.tolist()):
            if _stands_alone(data, int(places[index])):
                return first + index
    return len(ends)


def _stands_alone(data: bytes, place: int) -> bool:
    """Whether a character begins here that has nothing to do with the one before it."""
    before, after = to_text(data[max(0, place - 4) : place])[-1], to_text(data[place : place + 4])[0]
    if data[place] & 0xC0 == 0x80 or (ord(before), ord(after)) == (CR, LF):
        return False
    joins = kind(ord(after)) & (MARK | JOINER | MODIFIER | FLAG | JAMO) or kind(ord(before)) & (JOINER | VIRAMA)
    return not joins


class Rows:
    """Blocks in rows of ``columns`` columns, as one :class:`Flow`; ``tops`` of shape (blocks + 1,): the first rows."""

    def __init__(self, blocks: Blocks, columns: int, indent: int = 0, wrap: Wrap = "words") -> None:
        self.blocks, self.columns, self.indent, self.wrap = blocks, columns, indent, wrap
        self.longest = max(columns, LONGEST) if wrap == "lines" else columns
        expected = np.array([1.0, 0.1 / columns] if wrap == "lines" else [0.5, 1.0 / columns])
        self._counts: Ints = np.maximum(1, blocks.sizes @ expected).astype(np.int64)
        self.widest = 0.0
        """Columns of the widest row that is laid out."""
        self._known = np.zeros(len(blocks), bool)
        self._flows = Recent[int, Flow](_KEPT)
        self.moved = 0
        """How often rows moved, since a block before them is not as long as estimated."""
        self._sum()

    def _sum(self) -> None:
        self.tops = np.concatenate([np.zeros(1, np.int64), np.cumsum(self._counts)])

    @property
    def rows(self) -> int:
        return int(self.tops[-1])

    def is_known(self, block: int) -> bool:
        """Whether its rows are counted."""
        return bool(self._known[block])

    @property
    def unknown(self) -> int | None:
        """The first block whose rows are not counted yet."""
        return None if self._known.all() else int(np.argmin(self._known))

    def count(self, block: int) -> int:
        """How many rows a block has, exactly."""
        if not self._known[block]:
            self.flow(block)
        return int(self._counts[block])

    def count_around(self, token: int) -> None:
        """Count the rows of the block that a token is in, and of both neighbours."""
        block = self.blocks.of_token(token)
        for near in range(max(0, block - 1), min(block + 2, len(self.blocks))):
            self.count(near)

    def count_all(self) -> None:
        while (block := self.unknown) is not None:
            self.count(block)

    def flow(self, block: int) -> Flow:
        indent = self.indent if block == 0 else 0
        made = self._flows.get(block, lambda: self._made(block, indent))
        self.widest = max(self.widest, made.widest)
        if not self._known[block]:
            self.moved += int(self._counts[block] != made.rows)
            self._known[block], self._counts[block] = True, made.rows
            self._sum()
        return made

    def _made(self, block: int, indent: int) -> Flow:
        units, hard = self.blocks.units(block), None
        if self.wrap == "sentences":
            begins = sentence_rows(self.blocks.data[self.blocks.start(block) : self.blocks.start(block + 1)])
            hard = np.append(units.starts.searchsorted(begins[begins > 0]), len(units)).tolist()
        return Flow.of(units, self.columns, indent, self.longest, hard)

    def block_at(self, row: int) -> int:
        while True:
            block = int(self.tops.searchsorted(min(row, self.rows - 1), "right")) - 1
            if self._known[block] or not self.blocks.is_empty(block):
                return block
            self.count(block)  # it was taken for one that has rows

    def locate(self, row: int) -> tuple[int, Flow, int]:
        """The first token of the block that has a row, that block's flow, and the row in it."""
        block = self.block_at(row)
        flow = self.flow(block)
        return self.blocks.first(block), flow, min(row - int(self.tops[block]), flow.rows - 1)

    def first_row(self, token: int) -> int:
        block = self.blocks.of_token(token)
        return self.flow(block).first_row(token - self.blocks.first(block)) + int(self.tops[block])

    def last_row(self, token: int) -> int:
        block = self.blocks.of_token(token)
        return self.flow(block).last_row(token - self.blocks.first(block)) + int(self.tops[block])

    def goes_on(self, row: int) -> bool:
        """As of :class:`Flow`; a row at the border of two blocks begins."""
        _, flow, row = self.locate(row)
        return flow.goes_on(row)

    def byte_of(self, row: int) -> int:
        """The byte that a row begins with; the last token's end behind the last row."""
        if row >= self.rows:
            return self.blocks.start(len(self.blocks))
        first, flow, row = self.locate(row)
        return int(flow.units.starts[flow.starts[row]]) + self.blocks.start(self.blocks.of_token(first))

    def tokens(self, first_row: int, stop_row: int) -> tuple[int, int]:
        """The tokens [first, stop) that are in these rows, and perhaps a few around them."""
        (first, flow, row), (last, flow_of_last, row_of_last) = self.locate(first_row), self.locate(stop_row - 1)
        return first + flow.tokens(row, row + 1)[0], last + flow_of_last.tokens(row_of_last, row_of_last + 1)[1]

    def leftwards(self, token: int) -> bool:
        """Whether a token begins with a letter of a script that runs from right to left."""
        block = self.blocks.of_token(token)
        made = self.blocks.units(block)
        directions, first = made.directions, made.firsts[token - self.blocks.first(block)]
        return directions is not None and int(directions[first]) < 0
