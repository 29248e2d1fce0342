"""What holds wherever each token is one unit, as of pictures and sounds: no token is special, and none is a part."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids, Note, Prefix, Unit


class EachTokens:
    """Of a token set, which also tells how a model reads them."""

    lead: tuple[int, ...] = ()
    bos: int | None = None
    eos: int | None = None
    lossy: str = ""
    special: frozenset[int] = frozenset()
    open: bool = False
    ordered: bool = True
    lengths: tuple[tuple[str, int], ...] = ()

    @property
    def vocabulary(self) -> Self:
        return self

    def is_special(self, id: int) -> bool:
        return False

    def is_unused(self, id: int) -> bool:
        return False

    def beginning(self, text: str) -> Ids:
        """None: a unit is whole."""
        return np.zeros(0, np.int64)

    @property
    def opening(self) -> Ids:
        return np.zeros(0, np.int64)

    def writes(self, id: int) -> str:
        return ""


class EachEdit:
    """``caret``: a token was taken there."""

    __slots__ = ()
    caret: int | None

    def then(self, edit: Any) -> None:
        """Every edit stays one of its own."""

    def before(self, kind: str, caret: int) -> int | None:
        return self.caret


class EachDocument:
    """The caret counts the units before it, in the order of the model."""

    unit: ClassVar[Unit]

    def prefix(self, encoded: Any, place: int | None, coder: Any, special: bool = False) -> Prefix:
        """The units before the one with index ``place``."""
        at = len(encoded) if place is None else min(max(place, 0), len(encoded))
        return Prefix(encoded.ids[:at], int(encoded.ids[at]) if at < len(encoded) else None)

    def place(self, encoded: Any, index: int) -> int:
        return index

    def read_before(self, encoded: Any, place: int | None, prefix: Prefix, tokens: Any) -> Any:
        return self.first(encoded, prefix.index, tokens)

    def first(self, encoded: Any, count: int, tokens: Any) -> Any:
        """Each kind has its own."""
        raise NotImplementedError

    def notes(self, encoded: Any, tokens: Any) -> tuple[Note, ...]:
        return ()

    def departures(self, encoded: Any, coder: Any, special: bool) -> tuple[tuple[int, int], ...]:
        return ()

    def tail(self, caret: int) -> str:
        return f"{caret:,} {self.unit.many}"

    def at(self, caret: int, index: int | None = None) -> int:
        return caret

    def cuts(self, at: int, tokens: Any) -> list[tuple[int, int]]:
        raise Problem(
            f"each token is one of the {self.unit.many}: there is one way to cut them", "choose a model of texts"
        )

    def find(self, text: str, case: bool) -> None:
        return None

    @property
    def beginning(self) -> Self:
        return self

    def continued(self, data: bytes) -> None:
        return None


class EachEncoded:
    """``ids`` are those from index ``first`` on, n of them."""

    unit: ClassVar[Unit]
    whole: ClassVar[bool] = True
    ids: Ids
    first: int

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def starts(self) -> Ids:
        return read_only(np.arange(len(self.ids), dtype=np.int64))

    @cached_property
    def ends(self) -> Ids:
        return read_only(np.arange(1, len(self.ids) + 1, dtype=np.int64))

    @property
    def expected(self) -> int:
        return len(self.ids)

    def span(self, index: int) -> tuple[int, int]:
        return index, index + 1

    @cached_property
    def fixed(self) -> NDArray[np.bool_]:
        return read_only(np.ones(len(self.ids), bool))

    @property
    def units(self) -> int:
        return len(self.ids)

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        return ()

    def remark(self, index: int) -> str:
        return ""

    def tail(self, index: int, width: int = 40) -> str:
        return f"{index:,} {self.unit.many}"
