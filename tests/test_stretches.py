"""A long text is cut in stretches, between two of which it can be ended; their tokens: test_first_scores.py."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from arplay import load
from arplay.core import waits
from arplay.core.modalities.base import Ids
from arplay.core.modalities.text import Text
from arplay.engine.state import State
from arplay.models.alphabets import TextAlphabet, stretches


@pytest.fixture(scope="module")
def english() -> TextAlphabet:
    alphabet = load("english")._state.current().alphabet
    assert isinstance(alphabet, TextAlphabet)
    return alphabet


def test_where_no_place_is_sure_the_rest_stays_whole() -> None:
    counted: list[str] = []

    def ids(text: str) -> list[int]:
        counted.append(text)
        return [len(text)]  # each text is one token: nothing can be cut

    def cut(text: str, start: bool) -> tuple[list[int], Ids]:
        return ids(text), np.array([len(text)])

    (nothing, _, none), (rest, _, size) = stretches.stretches("a b " * 100, True, cut, ids, stretch=40)
    assert (nothing, none) == ([], 0) and (rest, size) == ([400], 400) and counted
    assert [piece[0] for piece in stretches.stretches("short", True, cut, ids)] == [[5]]


def test_a_long_text_is_cut_step_by_step_and_told(english: TextAlphabet) -> None:
    """The job of scoring says how far it is, and what else is asked comes in between; the tokens are the same."""
    document = Text.of(b"It was a dark night. " * 40_000)
    state = State(load=lambda *_: None)  # type: ignore[arg-type, return-value]
    told, steps = [], state.encoding(document, english, False)
    while True:
        try:
            told.append(next(steps))
        except StopIteration as ended:
            encoded = ended.value
            break
    assert len(told) == 2 and 0.2 < told[0].done < 0.5 < told[1].done < 0.8
    whole = english.encode(document.data)
    assert np.array_equal(encoded.ids, whole.ids) and np.array_equal(encoded.ends, whole.ends)
    assert state.encode(document, english, False) is encoded
    assert list(state.encoding(document, english, False)) == [], "what is known is not cut again"
    more = document.apply(document.take(len(document), 7, english.vocabulary)[0])
    assert list(state.encoding(more, english, False)) == [], "nor is a part of it that is"
    assert state.encode(more, english, False).ids.tolist() == [*whole.ids.tolist(), 7]


def test_it_is_ended_between_two_stretches(english: TextAlphabet) -> None:
    waits.interrupt(threading.get_ident(), False)
    try:
        with pytest.raises(waits.Interrupted, match="cutting the text"):
            english.encode(b"It was a dark night. " * 40_000)
    finally:
        waits.go_on()
    assert len(english.encode(b"It was a dark night. " * 40_000)) == 240_001
