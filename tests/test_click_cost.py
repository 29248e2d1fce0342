"""A click deep in a long text costs what one at its start costs: nothing is tokenised again, few blocks are made."""

from __future__ import annotations

import random
from typing import cast

import pytest

from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Alphabet, Tokens, Vocabulary
from arplay.engine.explore import Explore, explore
from arplay.engine.state import State
from arplay.models.base import Model
from arplay.models.families.table.model import Table
from tests.ledgers import ABC
from tests.test_jobs import run, state_of

TEXT = bytes(random.Random(3).choices(b"ABC", k=10_000))


class Counting:
    """An alphabet that counts the bytes that it is given."""

    def __init__(self, of: Alphabet) -> None:
        self._of, self.read = of, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._of, name)

    @property
    def vocabulary(self) -> Vocabulary:
        return self._of.vocabulary

    def encode(self, data: bytes, start: bool = True, special: bool = False) -> Tokens:
        self.read += len(data)
        return self._of.encode(data, start, special)


@pytest.fixture
def counted() -> tuple[State, Counting]:
    table = Table.load(ABC)
    counting = Counting(table.alphabet)
    table.alphabet = counting  # type: ignore[assignment]
    return state_of(cast(Model, table)), counting


def look(state: State, document: Text, index: int) -> None:
    answer = run(explore(state, Explore(1, document, document.at(index, index))))[1].answer
    assert answer.prefix.index == index and answer.prefix.actual == answer.encoded.ids[index]


def test_a_click_anywhere_tokenises_nothing(counted: tuple[State, Counting]) -> None:
    state, counting = counted
    document = Text.of(TEXT)
    look(state, document, 50)
    assert counting.read == len(TEXT), "once, as a whole"
    for index in (9_990, 5_000, 1, 9_999, 50):
        look(state, document, index)
    assert counting.read == len(TEXT)
    state._documents.clear()
    look(state, document, 50)
    assert counting.read == len(TEXT), "its typed runs are remembered too"
    state._documents.clear()  # negative control: nothing is remembered
    state._parts.clear()
    look(state, document, 9_990)
    assert counting.read == 2 * len(TEXT)


def test_a_token_more_tokenises_nothing(counted: tuple[State, Counting]) -> None:
    state, counting = counted
    document = Text.of(TEXT)
    look(state, document, 9_000)
    for _ in range(5):
        edit, _ = document.take(len(document), 1, counting.vocabulary)
        document = document.apply(edit)
        look(state, document, len(document) - 1)
    assert counting.read == len(TEXT)
    typed = document.apply(document.replace(3, 3, b"A"))
    look(state, typed, 9_000)
    assert counting.read > 2 * len(TEXT) - 10, "negative control: typing in the middle is another run"
