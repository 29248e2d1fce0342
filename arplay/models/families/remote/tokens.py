"""The tokens of a server: nobody lists them, so they get their ids here one by one, as they are seen."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import Vocabulary

MOST_TOKENS = 1 << 20
MOST_BYTES = 64 * 1024 * 1024
"""What all of them may write together: a server that names longer and longer ones ends here."""


@dataclass(frozen=True, eq=False)
class Seen(Vocabulary):
    """The tokens that were seen so far. A later one of the same name has these and more, under the same ids.

    ``theirs``: the id of each at the server, None where it tells none.
    """

    theirs: tuple[int | None, ...] = ()

    open = True

    def details(self, id: int) -> list[tuple[str, str]]:
        theirs = self.theirs[id]
        return [*super().details(id), *([] if theirs is None else [("the server's id", f"{theirs:,}")])]


class SeenTokens:
    """Learns tokens: each has its bytes, and the server's id where that is told, by which it is known then."""

    def __init__(self) -> None:
        self._name = f"server:{uuid.uuid4().hex}"  # no other run gives these ids to the same tokens
        self._data: list[bytes] = []
        self._theirs: list[int | None] = []
        self._special: set[int] = set()
        self._bytes = 0
        self._ids: dict[bytes | int, int] = {}
        self._vocabulary: Seen | None = None

    def __len__(self) -> int:
        return len(self._data)

    def learn(self, data: bytes, theirs: int | None = None, special: bool = False) -> int:
        """The id of the token that writes ``data``, or that has the id ``theirs`` at the server.

        >>> tokens = SeenTokens()
        >>> tokens.learn(b"a"), tokens.learn(b"b"), tokens.learn(b"a"), tokens.vocabulary.label(1)
        (0, 1, 0, 'b')
        """
        key = data if theirs is None else theirs
        if key not in self._ids:
            if len(self._data) >= MOST_TOKENS:
                raise Problem(f"the server has named more than {MOST_TOKENS:,} tokens", "load the model again")
            self._bytes += len(data)
            if self._bytes > MOST_BYTES:
                cause = f"the tokens that the server has named take more than {MOST_BYTES >> 20} MiB"
                raise Problem(cause, "use another server")
            self._ids[key] = len(self._data)
            if special:
                self._special.add(len(self._data))
            self._data.append(data)
            self._theirs.append(theirs)
            self._vocabulary = None
        return self._ids[key]

    def known(self, theirs: int) -> int | None:
        """The id of the server's token, if it was seen."""
        return self._ids.get(theirs)

    def theirs(self, id: int) -> int:
        """The server's id of a token that was learnt by it."""
        theirs = self._theirs[id]
        assert theirs is not None
        return theirs

    def written(self, id: int) -> bytes:
        return self._data[id]

    @property
    def vocabulary(self) -> Seen:
        """What is known now, frozen."""
        if self._vocabulary is None:
            self._vocabulary = Seen(self._name, tuple(self._data), frozenset(self._special), theirs=tuple(self._theirs))
        return self._vocabulary
