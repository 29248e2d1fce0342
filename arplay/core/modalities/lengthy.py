"""Documents that may be so long that what is made of them is made a slice at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from arplay.core.modalities.base import Encoded, Found
from arplay.core.recent import Recent


@dataclass(frozen=True, eq=False, slots=True)
class Begun:
    """How much of a document is cut into tokens, from 0 to 1; ``first`` makes those of its beginning, which stay.

    ``goes_on``: there will be more before all of it is; else nowhere in the rest a cut is sure to change no token.
    """

    done: float
    first: Callable[[], Encoded] | None
    goes_on: bool


@runtime_checkable
class Lengthy(Protocol):
    """A document that may be so long that making its tokens takes a while."""

    def cutting(self, coder: Any, special: bool, parts: Recent[Hashable, Any]) -> Iterator[Begun]:
        """Make what :meth:`Document.encoded` will ask ``parts`` for, and tell in between what there is of it."""
        ...

    def reaches(self, encoded: Any, place: Any) -> bool:
        """Whether the tokens of its beginning go beyond a place."""
        ...

    def search(self, text: str, case: bool) -> Searching:
        """:meth:`Document.find`, a slice at a time."""
        ...


class Searching(Protocol):
    """A search that goes on slice by slice. ``done``: ``found`` is all that there is."""

    @property
    def done(self) -> bool: ...

    @property
    def found(self) -> Found: ...

    def go_on(self) -> None: ...
