"""How documents and edits of one kind are kept as JSON and come back, as all that keeps them sees it.

What comes back is input like any other: every field is checked, and ValueError says what makes no sense.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from arplay.core.tree import Kind, Plan

MAX_ID = 2**31
_MAX_NUMBER = 2**53
BEGINNING = 60
"""Characters of a document by which it can be told from others."""


class Form(Protocol):
    """``kinds``: of the nodes that documents of this kind have; ``long``: whether one may begin a longer document."""

    document: type
    edit: type
    kinds: Collection[Kind]
    long: bool

    def start_out(self, document: Any) -> Any:
        """A whole document as JSON."""
        ...

    def is_start(self, fact: Any) -> bool:
        """Whether this is JSON of a document of this kind, right or wrong, and of none of the others."""
        ...

    def start_in(self, fact: Any) -> Any: ...

    def put_of(self, edit: Any) -> Any:
        """What is kept of an edit, by values that no longer change."""
        ...

    def put_out(self, put: Any) -> Mapping[str, Any]: ...

    def put_in(self, fact: Mapping[str, Any]) -> Any: ...

    def merge(self, former: Any, more: Any) -> None:
        """Make typing that goes on, or deleting that does, part of what was kept of the edit before, as a tree does."""
        ...

    def edit_in(self, document: Any, plan: Plan) -> Any:
        """The edit of a plan, whose ``edit`` is what was kept of it, for the document that it was made from."""
        ...

    def weight(self, edit: Any) -> int:
        """Bytes that it takes, about."""
        ...

    def begins(self, document: Any) -> str: ...


def words(value: Any, most: int) -> str | None:
    """A string of at most so many characters, or None."""
    if value is not None and not (isinstance(value, str) and len(value) <= most):
        raise ValueError("these are no words")
    return value


def whole(value: Any, most: int = _MAX_NUMBER) -> int:
    """A number from 0 to ``most``."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"this is no number up to {most}")
    return value
