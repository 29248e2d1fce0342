"""Constraints: what may follow is what brute force finds, and every sample matches."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.grammar import Matched, constrained
from arplay.core.decoding.pipeline import Chain, Pipeline
from arplay.core.decoding.stage import Context
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.text import text_of
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.gui.intents import Change, Do
from arplay.models import grammar
from tests.windows_open import Open, opened, settle

__all__ = ["opened"]

WORDS = (b"a", b"b", b"ab", b"ba", b"aab", "é".encode(), b"\xc3", b"\xa9", None, b"<end>")
ENDS = Vocabulary("small", WORDS, frozenset({9}))
ENDLESS = Vocabulary("endless", WORDS[:-1])
PATTERNS = (
    "a", "ab", "(ab)*", "a(b|é)+", "a?b?a?", "(a|b){2,3}", "[^b]{1,3}", "aab|ab|é", "", "(?i)AB?", "a/b|ab", "^ab$",
)  # fmt: skip


def strings(pattern: str, longest: int = 5) -> set[bytes]:
    """All texts of a, b, é, / and so many characters at most that Python's re says match."""
    every = (
        "".join(chars)
        for n in range(longest + 1)
        for chars in itertools.product("abé/", repeat=n)
        if re.fullmatch(pattern, "".join(chars))
    )
    return {text.encode() for text in every}


def by_force(found: set[bytes], vocabulary: Vocabulary, written: tuple[int, ...]) -> list[int]:
    so_far = b"".join(vocabulary.written[id] for id in written)
    may = [
        id
        for id, data in enumerate(vocabulary.written)
        if data and id not in vocabulary.special and any(text.startswith(so_far + data) for text in found)
    ]
    return may + sorted(vocabulary.special if so_far in found else ())


def followers(kind: str, text: str, vocabulary: Vocabulary, written: tuple[int, ...]) -> list[int]:
    ends = tuple(sorted(vocabulary.special))
    return np.flatnonzero(grammar.allowed(kind, text, vocabulary, ends, written)).tolist()  # type: ignore[arg-type]


def walked(found: set[bytes], vocabulary: Vocabulary, data: st.DataObject) -> tuple[int, ...]:
    """Tokens one after the other, each of those that may follow, short enough for what ``strings`` knows."""
    written: tuple[int, ...] = ()
    for _ in range(data.draw(st.integers(0, 2))):
        may = [id for id in by_force(found, vocabulary, written) if id not in vocabulary.special]
        if not may:
            break
        written = (*written, data.draw(st.sampled_from(may)))
    return written


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PATTERNS), st.sampled_from((ENDS, ENDLESS)), st.data())
def test_what_may_follow_is_what_brute_force_finds(pattern: str, vocabulary: Vocabulary, data: st.DataObject) -> None:
    found = strings(pattern, 8 if pattern == "(ab)*" else 5)
    written = walked(found, vocabulary, data)
    if sum(len(vocabulary.written[id]) for id in written) > 2 and pattern in ("(ab)*", "a(b|é)+"):
        return  # texts longer than those that were made up could begin so
    assert followers("regex", pattern, vocabulary, written) == by_force(found, vocabulary, written)


def test_brute_force_would_see_a_wrong_token() -> None:
    assert followers("regex", "ab", ENDS, ()) == by_force(strings("ab"), ENDS, ()) == [0, 2]
    assert followers("regex", "ab", ENDS, ()) != by_force(strings("a"), ENDS, ())


TEXTS = st.lists(st.text("abé", min_size=1, max_size=4), min_size=1, max_size=5)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.data())
def test_choices_are_the_texts_and_nothing_else(texts: list[str], data: st.DataObject) -> None:
    found = {text.encode() for text in texts}
    written = walked(found, ENDS, data)
    assert followers("choices", json.dumps(texts), ENDS, written) == by_force(found, ENDS, written)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PATTERNS[:8]), st.data())
def test_the_same_in_any_order_of_asking(pattern: str, data: st.DataObject) -> None:
    """Window, rewind and branches ask in another order than a sample does."""
    found = strings(pattern)
    chains = [walked(found, ENDS, data) for _ in range(4)]
    fresh = Vocabulary("fresh", WORDS, frozenset({9}))
    forwards = [followers("regex", pattern, ENDS, chain) for chain in chains]
    assert [followers("regex", pattern, fresh, chain) for chain in reversed(chains)][::-1] == forwards


JSON = Vocabulary("json", (*[bytes([n]) for n in range(32, 127)], b'{"', b'": ', b"true", b"<end>"), frozenset({98}))
SCHEMAS: tuple[tuple[dict[str, object], type], ...] = (
    ({"type": "integer", "minimum": 3, "maximum": 25}, int),
    ({"type": "boolean"}, bool),
    ({"enum": ["x", 1, None]}, object),
    ({"type": "array", "items": {"type": "boolean"}, "maxItems": 2}, list),
    ({"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
      "additionalProperties": False}, dict),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SCHEMAS), st.integers(0, 2**32 - 1))
def test_every_text_that_is_written_fits_its_schema(case: tuple[dict[str, object], type], seed: int) -> None:
    schema, kind = case
    said = json.dumps({**schema, "x-guidance": {"whitespace_flexible": False}})
    random, written = np.random.default_rng(seed), tuple[int, ...]()
    while (id := int(random.choice(followers("json-schema", said, JSON, written)))) != 98:
        written = (*written, id)
        assert len(written) < 200
    value = json.loads(b"".join(JSON.written[id] for id in written))
    assert isinstance(value, kind)
    if kind is int:
        assert 3 <= value <= 25
    elif kind is list:
        assert len(value) <= 2 and all(isinstance(each, bool) for each in value)
    elif kind is dict:
        assert value.keys() == {"a"} and isinstance(value["a"], bool)
    elif kind is object:
        assert value in ("x", 1, None)


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("regex", "(a", "unclosed group"),
        ("regex", "(?=a)b", "look-around"),
        ("regex", r"(a)\1", "backreferences"),
        ("json-schema", '{"type": "foo"}', "foo"),
        ("json-schema", '{"not": {}}', "not"),
        ("json-schema", '{"$ref": "https://example.com/a.json"}', "retriev"),
        ("json-schema", '{"$ref": "file:///etc/hosts"}', "retriev"),
        ("json-schema", '{"a":' * 900 + "1" + "}" * 900, "too large"),
        ("regex", "(a|b|ab|ba|aab)*" * 800, "too large"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(kind: str, text: str, why: str) -> None:
    with pytest.raises(Problem, match=why):
        for written in ((), (0,), (0, 0), (0, 0, 0)):
            followers(kind, text, ENDS, written)


@pytest.mark.parametrize(
    "stage", ["regex:a\\", "json-schema:[1]", "json-schema:nonsense", 'choices:"[]"', "choices:a||b", "choices:[1]"]
)
def test_what_is_no_constraint_at_all_is_refused_at_once(stage: str) -> None:
    with pytest.raises(Problem):
        Pipeline([stage])


def test_the_constraint_begins_where_decoding_began_to_write() -> None:
    own = Distribution(10, np.log(np.full(10, 0.1)))
    known = Context(np.array([1, 1, 0]), tokens=ENDS, drawn=(-1.0,), ends=(9,), grammar=grammar.allowed)
    decoded = Chain(Pipeline("regex:ab")).apply(own, known)
    assert decoded.candidates.ids.tolist() == [1]
    assert decoded.lost(0) is not None and decoded.lost(0).label == "regex ab"  # type: ignore[union-attr]
    assert decoded.traces[0].gone == 9


def test_what_breaks_it_and_what_completes_it_are_told_apart() -> None:
    with pytest.raises(Problem, match="breaks the constraint"):
        followers("regex", "ab", ENDS, (1,))
    assert followers("regex", "ab", ENDS, (2,)) == [9]
    with pytest.raises(Matched):
        known = Context(np.array([2]), tokens=ENDLESS, drawn=(-1.0,), grammar=grammar.allowed)
        constrained("regex", Candidates(9, np.zeros(9)), known, "ab")


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("pattern", ["(AB|BC){2}A", "[AC]{3}", "A?B?C?"])
def test_every_sample_matches(pattern: str, seed: int) -> None:
    sample = arplay.load("abc").sample("B", 200, seed=seed, pipeline=[("regex", (pattern,))])
    assert re.fullmatch(pattern, sample.text) and sample.stopped == "matched"


def test_every_rollout_matches_and_is_the_sample_by_its_seed() -> None:
    model, pipeline = arplay.load("abc"), [("regex", ("(AB|BC){1,3}",))]
    rolled = model.rollouts("B", 6, 30, seed=3, pipeline=pipeline)
    for at, rollout in enumerate(rolled.rollouts):
        assert re.fullmatch("(AB|BC){1,3}", rollout.text) and rollout.stopped == "matched"
        assert rollout.text == model.sample("B", 30, seed=3 + at, pipeline=pipeline).text


def test_where_no_token_goes_on_nothing_is_left() -> None:
    assert followers("regex", "x+y", ENDS, ()) == followers("regex", "x+y", ENDLESS, ()) == []


def test_the_window_has_the_worker_read_the_vocabulary_and_shows_what_is_forbidden(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    play, stages = window.playground, [("regex", ("(AB){2}",))]
    tokens = play.view.loaded.vocabulary if play.view.loaded is not None else None
    assert tokens is not None and not grammar.is_prepared(tokens, ())
    play.handle(Change(replace(play.view.settings, decoding=Pipeline(stages), play_steps=40, play_per_second=200.0)))
    assert not grammar.is_prepared(tokens, ())  # nothing is read in the window's own thread
    qtbot.waitUntil(lambda: play.view.decoded is not None and bool(play.view.decoded.traces) and not play.view.stale)
    assert play.view.decoded is not None and play.view.decoded.candidates.ids.tolist() == [0]
    assert play.view.decoded.lost(1) is not None
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing and len(play.document) == 5)
    settle(window, qtbot)
    assert text_of(play.document).data == b"BABAB" and play.view.undecoded is not None
    play.handle(Do("rewind"))
    settle(window, qtbot)
    assert play.view.decoded is not None and play.view.decoded.candidates.ids.tolist() == [1]


def test_a_picture_has_no_text_to_match() -> None:
    with pytest.raises(Problem, match="writes no text"):
        arplay.load("xo").next("#.# .#. #.?", "regex:a")


def test_the_library_waits_until_a_constraint_is_used() -> None:
    code = "import sys, arplay; m = arplay.load('abc'); m.sample('B', 3); print('llguidance' in sys.modules); {}"
    used = "m.sample('B', 3, pipeline='regex:AB'); print('llguidance' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code.format(used)], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True"]
