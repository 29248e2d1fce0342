"""What is written token by token, in letters."""

from __future__ import annotations

import codecs

from arplay.core.modalities.spans import to_bytes
from arplay.core.modalities.vocabulary import Vocabulary, exact_text


class Writer:
    """Bytes wait until they form a character; one that is part of none has a sign."""

    def __init__(self, first: bool) -> None:
        self._first = first
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def write(self, id: int, tokens: Vocabulary) -> str:
        data = tokens.token(id, self._first).data
        self._first = False
        return self._told(self._decoder.decode(data))

    def end(self) -> str:
        return self._told(self._decoder.decode(b"", final=True))

    @staticmethod
    def _told(text: str) -> str:
        return exact_text(to_bytes(text))
