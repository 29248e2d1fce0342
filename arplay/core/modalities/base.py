"""What a chain stands for, text or a picture, as all the rest of the program sees it: token sets and documents.

A *token set* has V ids; each has a label to show and stands for so many *units* (bytes, pixels), by which totals are
divided. A *document* is frozen and hashable; it knows how to become ids, which ids come before a place in it, and what
of it the ids do not say. A *place* is the document's own word for where it is looked at: the others hand it on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.signedinteger[Any]]
"""Ids, or places: 32 bits of each token of a document, which may be long, else 64."""

Place = Hashable
"""Where in a document: only its modality knows more."""

T = TypeVar("T")
Remember = Callable[[Hashable, Callable[[], Any]], Any]
"""``remember(key, make)``: what ``make`` made for this key, which is kept for a while."""


def afresh(key: Hashable, make: Callable[[], Any]) -> Any:
    """A :data:`Remember` that keeps nothing."""
    return make()


@dataclass(frozen=True, slots=True)
class Unit:
    """What totals are divided by. ``key``: the name of bits per unit in tables and JSON; ``per``: the same in words."""

    one: str
    many: str
    key: str
    per: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know with every total of a document: a figure, what it counts, and a sentence.

    ``label`` is empty for how a long one was read, which views tell in words.
    """

    figure: str
    label: str
    sentence: str


@dataclass(frozen=True, eq=False)
class Prefix:
    """The chain up to a place: its ids, and the token of the document that follows, if a whole one does."""

    ids: Ids
    actual: int | None

    @property
    def index(self) -> int:
        """How many tokens of the document come before the next one."""
        return len(self.ids)


class TokenSet(Protocol):
    """All V tokens of a model, by id, with a name that is the same only for the same tokens."""

    @property
    def name(self) -> str: ...

    @property
    def special(self) -> frozenset[int]: ...

    @property
    def unit(self) -> Unit: ...

    @property
    def length(self) -> int | None:
        """Tokens of a complete document, behind which none comes; None where a document may go on for ever."""
        ...

    @property
    def open(self) -> bool:
        """Whether there are other tokens, which nobody has named yet: V is then not known."""
        ...

    @property
    def lengths(self) -> tuple[tuple[str, int], ...]:
        """Usual lengths of what is written, the shortest first: in words, and in tokens. Often none."""
        ...

    @property
    def ordered(self) -> bool:
        """Whether neighbouring ids mean nearly the same, so that a distribution has a shape along them."""
        ...

    def __len__(self) -> int: ...

    def label(self, id: int) -> str:
        """What views show of it: never empty, nothing hidden."""
        ...

    def record(self, id: int) -> dict[str, Any]:
        """What tables tell of it besides its id; the same columns for each."""
        ...

    def details(self, id: int) -> list[tuple[str, str]]:
        """What a card tells of it besides its label and id, as names and values."""
        ...

    def is_special(self, id: int) -> bool:
        """Whether it stands for itself, or for nothing, and not for units of a document."""
        ...

    def is_unused(self, id: int) -> bool:
        """Whether the model's output has this id, but nothing stands for it."""
        ...

    def named(self, text: str) -> int | None:
        """The id of the token that ``text`` is exactly, or that views show so; the lowest where several are."""
        ...

    def beginning(self, text: str) -> Ids:
        """Ids of the tokens whose writing begins with ``text``, or is it; those that stand for themselves excluded."""
        ...

    @property
    def opening(self) -> Ids:
        """Ids of the tokens that begin with white space, as a new word does; those that stand for themselves excluded.

        None where documents have no words.
        """
        ...

    def writes(self, id: int) -> str:
        """What a token writes, exactly; "" for one that writes nothing, or no whole characters."""
        ...

    def find(self, text: str, limit: int = 200) -> list[int]:
        """Ids whose label (or what it stands for) has ``text`` in it, the best matches first."""
        ...


class Coder(Protocol):
    """How a model reads documents of its modality."""

    @property
    def vocabulary(self) -> TokenSet: ...

    @property
    def lead(self) -> tuple[int, ...]:
        """Ids that it puts before every document by itself (often none)."""
        ...

    @property
    def bos(self) -> int | None: ...

    @property
    def eos(self) -> int | None: ...

    @property
    def lossy(self) -> str:
        """Empty where the tokens are the document itself; else a sentence that says how reading changes it."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """What a search found: the units [start, end) of every place, shape (n, 2), in the order of the document.

    ``at``: the place where it stands now. ``more``: there are more places than these. ``wrapped``: it went on behind
    the end at the start, or the other way round.
    """

    text: str
    case: bool
    spans: Ids
    more: bool = False
    at: int | None = None
    wrapped: bool = False


class Encoded(Protocol):
    """A document as the tokens of one coder, n of them; arrays of shape (n,)."""

    @property
    def ids(self) -> Ids: ...

    @property
    def starts(self) -> Ids:
        """The unit where each token begins."""
        ...

    @property
    def ends(self) -> Ids:
        """The unit where each token ends."""
        ...

    def span(self, index: int) -> tuple[int, int]:
        """The units [start, end) of one token, at once in the longest document."""
        ...

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """Which ids are kept as they were picked or sampled."""
        ...

    @property
    def units(self) -> int:
        """How many units the whole document has."""
        ...

    @property
    def whole(self) -> bool:
        """Whether it has all tokens of the document, and not only the first ones, while it is cut into them."""
        ...

    @property
    def expected(self) -> int:
        """How many tokens the document has: where it is not whole, about so many."""
        ...

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """What else of it may be counted, by name."""
        ...

    @property
    def split_words(self) -> int:
        """Words as lm-evaluation-harness counts them: what stands before and behind each stretch of white space."""
        ...

    @property
    def divisions(self) -> tuple[str, ...]:
        """What kinds of parts it has, by the name of one; often none."""
        ...

    def parts(self, kind: str) -> Iterator[Ids]:
        """The unit where each part of a kind begins, which it goes on from to the next one's; the first at 0.

        They come some at a time, as it takes a while to find them all in a long document.
        """
        ...

    def extract(self, start: int, end: int) -> str:
        """What its units [start, end) are, exactly, for tables."""
        ...

    def is_of(self, document: Any) -> bool:
        """Whether it is what ``document`` says (which ids are fixed apart)."""
        ...

    def same_as(self, other: Any) -> bool:
        """Whether another encoded one is of the same document, whatever tokens it has and in which order."""
        ...

    def begins(self, document: Any) -> bool:
        """Whether ``document`` begins with what this one says."""
        ...

    def said(self, index: int, tokens: Any, stop: int | None = None) -> str:
        """A token as the document has it, nothing hidden; where it has none of its units, its label.

        With ``stop`` tokens [index, stop) together, so that a letter which several of them share is that letter.
        """
        ...

    def remark(self, index: int) -> str:
        """What is to be known of a token besides, in words."""
        ...

    def tail(self, index: int, width: int = 40) -> str:
        """The end of what stands before a token, for the title of a figure, at most about ``width`` characters."""
        ...

    def part(self, first: int, stop: int) -> Encoded:
        """Tokens [first, stop) alone."""
        ...

    def record(self) -> Mapping[str, NDArray[Any]]:
        """Columns that tell where each token is, each with n values."""
        ...

    def __len__(self) -> int: ...


class Writer(Protocol):
    """Tells tokens that are written one after the other as text."""

    def write(self, id: int, tokens: Any) -> str:
        """What can be told now that this token is written, too; perhaps nothing yet."""
        ...

    def end(self) -> str:
        """What is left to be told."""
        ...


class Edit(Protocol):
    """A change of a document, exact in both directions."""

    @property
    def inverse(self) -> Any: ...

    @property
    def is_nothing(self) -> bool: ...

    @property
    def takes_away(self) -> bool:
        """Whether something gave way."""
        ...

    def then(self, edit: Any) -> Any | None:
        """Both as one where they are one stroke of the user's."""
        ...

    def before(self, kind: str, caret: int) -> int | None:
        """Where the caret stood before this edit of that kind left it at ``caret``; None where it does not tell."""
        ...

    def untouched(self, spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        """Those of some spans of units that lie before the change."""
        ...

    def opened(self, document: Any) -> str:
        """What is said where a document was opened; ``document``: the one that a tree began with."""
        ...

    def said(self, kind: str) -> tuple[str, bool]:
        """What was done, for the list of states; and whether that is the document's own words."""
        ...


class Document(Protocol):
    """What a model is asked about. A *caret* is a whole number: where its canvas stands, from 0 at its beginning."""

    nothing: ClassVar[Any]
    """The edit that changes nothing."""

    def __hash__(self) -> int: ...

    def __len__(self) -> int: ...

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it yet."""
        ...

    def encoded(self, coder: Any, special: bool = False, remember: Remember = afresh) -> Encoded:
        """Its tokens; ``special``: whether written names of special tokens are those tokens. Raises Problem."""
        ...

    def prefix(self, encoded: Any, place: Any, coder: Any, special: bool = False) -> Prefix:
        """The chain before ``place``."""
        ...

    def place(self, encoded: Any, index: int) -> Place:
        """Where the token with this index begins (n: the end)."""
        ...

    def notes(self, encoded: Any, tokens: Any) -> tuple[Note, ...]:
        """What its tokens do not say of it."""
        ...

    def at(self, caret: int, index: int | None = None) -> Place:
        """The place at the caret; ``index`` says of which token where several begin there."""
        ...

    def apply(self, edit: Any) -> Any:
        """The document after an edit that was made from this one."""
        ...

    def become(self, document: Any) -> Any:
        """The edit that puts another document in its place."""
        ...

    def take(self, caret: int, id: int, tokens: Any) -> tuple[Any, int]:
        """The edit that writes this token at the caret, and the caret after it."""
        ...

    def first(self, encoded: Any, count: int, tokens: Any) -> Any:
        """The document that its first ``count`` tokens are, of which every id is kept."""
        ...

    def cuts(self, at: int, tokens: Any) -> list[tuple[int, int]]:
        """Each ordinary token that writes what stands from unit ``at`` on, and where it then ends, the shortest first.

        Raises Problem where every token is one unit.
        """
        ...

    def read_before(self, encoded: Any, place: Any, prefix: Any, tokens: Any) -> Any:
        """The document that ``prefix``, the chain before ``place``, is: its ids stay as they are."""
        ...

    def followed(self, encoded: Any, tokens: Any, other: Any) -> Any:
        """``other`` behind all that a model reads of this, whose ids all stay as they are."""
        ...

    def retokenise(self, tokens: Any = None) -> Any:
        """The edit that forgets which ids were kept as they were picked or sampled, but for the special ``tokens``,
        which nobody can write as text."""
        ...

    def reached(self, caret: int, tokens: Any) -> int:
        """The caret, or the last place before it up to which a model with these tokens can read."""
        ...

    def find(self, text: str, case: bool) -> Found | None:
        """Every place of ``text`` in it; None where nothing is written in it. ``case``: upper and lower case differ."""
        ...

    @property
    def emptied(self) -> Any:
        """One of the same kind with nothing in it."""
        ...

    def upto(self, caret: int) -> Any:
        """What a model can read of it before the caret."""
        ...

    @property
    def beginning(self) -> Any:
        """As much of it as a canvas edits."""
        ...

    def continued(self, data: bytes) -> Any | None:
        """The document of a file that holds ``data``, where this is the beginning of it; else None."""
        ...

    def tail(self, caret: int) -> str:
        """The end of what stands before the caret, for the title of a figure."""
        ...

    def before(self, place: Any) -> Mapping[str, Any]:
        """What stands before ``place``, for JSON."""
        ...

    @property
    def shown(self) -> str:
        """What it looks like in a terminal, nothing hidden, as one text."""
        ...

    @property
    def file(self) -> bytes:
        """What a file of it holds."""
        ...

    def ahead(self, tokens: Any) -> Mapping[int, int]:
        """Tokens that are fixed behind an open place: the id at each index."""
        ...

    def writer(self) -> Writer:
        """What tells the tokens that are put at its end."""
        ...

    @property
    def end(self) -> Place:
        """The place behind all of it."""
        ...

    def departures(self, encoded: Any, coder: Any, special: bool) -> tuple[tuple[int, int], ...]:
        """Spans of units in which kept ids are not those that the coder gives by itself."""
        ...
