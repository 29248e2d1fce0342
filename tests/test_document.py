"""The document under random edits and picks: bytes, ids and runs stay exactly what they should be."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.modalities.runs import MOST_FIXED, Edit, Fixed, Run, Typed, normal, size
from arplay.core.modalities.text import Caret, Text
from arplay.core.modalities.vocabulary import Token, Tokens, Vocabulary

WORDS = (b"ab", b"b", b" a", b"\xe2\x82", b"\xac", "😀".encode(), b"\r\n", b"a")


class Words:
    """An alphabet of some words and all bytes; canonical is the longest match."""

    lead: tuple[int, ...] = ()
    bos: int | None = None
    eos: int | None = None
    lossy = ""

    def __init__(self, name: str = "words") -> None:
        data = (*WORDS, *(bytes([i]) for i in range(256)))
        self.vocabulary = Vocabulary(name, (*data, None, None))
        self._id = {token: id for id, token in reversed(list(enumerate(data)))}
        longest = sorted(self._id, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, longest)), re.DOTALL)

    def encode(self, data: bytes, start: bool = True, special: bool = False) -> Tokens:
        ids = [self._id[token] for token in self._pattern.findall(data)]
        return Tokens(np.array(ids, np.int64), self.vocabulary.ends(ids))


ALPHABET = Words()
UNUSED = len(ALPHABET.vocabulary) - 1
"""An id that no token owns: it has no bytes."""
tokens = (st.integers(0, UNUSED) | st.just(UNUSED)).map(ALPHABET.vocabulary.token)
some_bytes = st.one_of(st.sampled_from([*WORDS, b"", b"abab", "é".encode()]), st.binary(max_size=3))
runs = st.lists(
    st.one_of(
        some_bytes.map(Typed),
        st.builds(
            lambda name, some, times: Fixed(
                name, tuple(p.id for p in some) * times, tuple(p.data for p in some) * times
            ),
            st.sampled_from(["words", "other"]),
            st.lists(tokens, max_size=4),
            st.sampled_from([1, 1, 1, 1, 70, 150]),
        ),
    ),
    max_size=6,
)
documents = runs.map(lambda made: Text(normal(tuple(made))))


@st.composite
def spots(draw: st.DrawFn) -> tuple[Text, int, int]:
    """A document and two byte positions in it."""
    document = draw(documents)
    a, b = draw(st.integers(0, len(document))), draw(st.integers(0, len(document)))
    return document, min(a, b), max(a, b)


def atoms(document: Text) -> list[tuple[int, int, object]]:
    """Every fixed token as (start, end, (vocabulary, id)): what an edit elsewhere must leave alone."""
    found, base = [], 0
    for run in document.runs:
        if isinstance(run, Fixed):
            at = base
            for id, token in zip(run.ids, run.tokens, strict=True):
                found.append((at, at + len(token), (run.vocabulary, id)))
                at += len(token)
        base += len(run)
    return found


def is_normal(document: Text) -> bool:
    def joins(a: Run, b: Run) -> bool:
        if isinstance(a, Typed) or isinstance(b, Typed):
            return isinstance(a, Typed) and isinstance(b, Typed)
        return a.vocabulary == b.vocabulary and len(a.ids) + len(b.ids) <= MOST_FIXED

    pairs = zip(document.runs, document.runs[1:], strict=False)
    full = all(run.ids if isinstance(run, Fixed) else run.data for run in document.runs)
    short = all(len(run.ids) <= MOST_FIXED for run in document.runs if isinstance(run, Fixed))
    return full and short and not any(joins(a, b) for a, b in pairs)


def survivors(document: Text, start: int, end: int, moved: int) -> list[tuple[int, int, object]]:
    """The fixed tokens that must be left after bytes [start, end) were replaced: those that no bound cuts.

    One without bytes belongs to those before it, and goes with what it stands behind.
    """
    kept = []
    reach = max([end, *(high for low, high, _ in atoms(document) if low < end < high)])
    for low, high, what in atoms(document):
        if high <= start:
            kept.append((low, high, what))
        elif low >= end and (low < high or low > reach):
            kept.append((low + moved, high + moved, what))
    return kept


@given(spots(), some_bytes)
def test_typing_replaces_exactly_these_bytes_and_touches_no_other_token(
    spot: tuple[Text, int, int], data: bytes
) -> None:
    document, start, end = spot
    after = document.apply(document.replace(start, end, data))
    assert after.data == document.data[:start] + data + document.data[end:]
    assert is_normal(after)
    if start == end and not data:
        assert after == document, "an edit of nothing leaves every id alone, also inside a kept token"
    else:
        assert atoms(after) == survivors(document, start, end, len(data) - (end - start))


@given(spots(), some_bytes)
def test_every_edit_has_an_exact_inverse(spot: tuple[Text, int, int], data: bytes) -> None:
    document, start, end = spot
    for edit in (
        document.replace(start, end, data),
        document.put(start, Token(0, WORDS[0]), "words"),
        document.retokenise(),
    ):
        assert document.apply(edit).apply(edit.inverse) == document
        assert document.apply(edit).apply(edit.inverse).apply(edit) == document.apply(edit)


@given(spots(), tokens)
def test_a_pick_keeps_what_stands_before_it_and_its_own_id(spot: tuple[Text, int, int], token: Token) -> None:
    document, at, _ = spot
    after = document.apply(document.put(at, token, "words"))
    assert after.data == document.data[:at] + token.data
    kept = [atom for atom in atoms(document) if atom[1] <= at]
    assert atoms(after) == [*kept, (at, at + len(token.data), ("words", token.id))]


@given(documents)
def test_ids_spell_the_text_and_kept_ids_are_kept(document: Text) -> None:
    encoded = document.encoded(ALPHABET)
    spelled = b"".join(ALPHABET.vocabulary.token(int(id)).data for id in encoded.ids)
    assert spelled == document.data
    mine = [what for _, _, what in atoms(document) if what[0] == "words"]  # type: ignore[index]
    assert [("words", int(id)) for id in encoded.ids[encoded.fixed]] == mine
    assert (encoded.ends[-1] if len(encoded) else 0) == len(document)
    assert np.array_equal(encoded.starts[1:], encoded.ends[:-1])


@given(documents)
def test_runs_of_another_vocabulary_are_typed_together_with_their_neighbours(document: Text) -> None:
    plain = Text(normal(tuple(Typed(run.data) if _foreign(run) else run for run in document.runs)))
    a, b = document.encoded(ALPHABET), plain.encoded(ALPHABET)
    assert np.array_equal(a.ids, b.ids)
    assert np.array_equal(a.fixed, b.fixed)


def _foreign(run: Run) -> bool:
    return isinstance(run, Fixed) and run.vocabulary != "words"


@given(documents)
def test_prefix_is_whole_tokens_and_the_encoding_of_the_rest(document: Text) -> None:
    encoded = document.encoded(ALPHABET)
    edges = [0, *encoded.ends.tolist()]
    for caret in range(len(document) + 1):
        prefix = document.prefix(encoded, Caret(caret), ALPHABET)
        spelled = b"".join(ALPHABET.vocabulary.token(int(id)).data for id in prefix.ids)
        assert spelled == document.data[:caret]
        whole = sum(edge <= caret for edge in edges) - 1
        assert np.array_equal(prefix.ids[:whole], encoded.ids[:whole])
        if caret in edges:
            follows = int(encoded.ids[whole]) if whole < len(encoded) else None
            assert (prefix.index, prefix.actual) == (whole, follows)
        else:
            assert prefix.actual is None, "inside a token nothing is marked as the actual next one"
            rest = ALPHABET.encode(document.data[edges[whole] : caret]).ids
            assert np.array_equal(prefix.ids[whole:], rest)


def test_a_caret_inside_a_token_by_hand() -> None:
    document = Text((Fixed("words", (0, 2), (b"ab", b" a")),))
    prefix = document.prefix(document.encoded(ALPHABET), Caret(3), ALPHABET)
    assert (prefix.ids.tolist(), prefix.actual) == ([0, 8 + ord(" ")], None)
    taken = document.apply(document.put(3, Token(1, b"b"), "words"))
    assert taken.runs == (Fixed("words", (0,), (b"ab",)), Typed(b" "), Fixed("words", (1,), (b"b",)))


def test_editing_inside_a_kept_run_types_the_touched_token_only() -> None:
    document = Text((Fixed("words", (0, 0, 0), (b"ab", b"ab", b"ab")),))
    after = document.apply(document.replace(3, 3, b"x"))
    assert after.runs == (Fixed("words", (0,), (b"ab",)), Typed(b"axb"), Fixed("words", (0,), (b"ab",)))
    assert document.apply(document.replace(3, 3, b"")) == document
    between = document.apply(document.replace(2, 2, b"x"))
    assert between.runs == (Fixed("words", (0,), (b"ab",)), Typed(b"x"), Fixed("words", (0, 0), (b"ab", b"ab")))


def test_positions_outside_of_the_text_are_refused() -> None:
    document = Text.of(b"ab")
    for start, end in ((-1, 0), (0, 3), (2, 1)):
        with pytest.raises(ValueError, match="are not in a text of 2 bytes"):
            document.replace(start, end, b"")
    with pytest.raises(ValueError, match="cut a fixed token"):
        Text((Fixed("words", (0,), (b"ab",)),)).between(0, 1)


@given(spots())
def test_equal_is_what_has_the_same_bytes_and_tokens(spot: tuple[Text, int, int]) -> None:
    """However a long run is cut: texts come to one state by several ways."""
    document, at, _ = spot
    cut = document.apply(document.put(at, ALPHABET.vocabulary.token(8), "words"))
    again = Text(normal(run for run in cut.runs for run in _apart(run)))
    assert again == cut and hash(again) == hash(cut)
    if atoms(cut):  # negative control: other tokens of the same bytes
        typed = cut.apply(cut.retokenise())
        assert typed.data == cut.data and typed != cut


def _apart(run: Run) -> list[Run]:
    if isinstance(run, Typed):
        return [run]
    return [Fixed(run.vocabulary, (id,), (token,)) for id, token in zip(run.ids, run.tokens, strict=True)]


class Forgetful(Text):
    """A broken document: typing makes the whole kept run typed."""

    def replace(self, start: int, end: int, data: bytes) -> Edit:
        return Edit(0, self.runs, normal((Typed(self.data[:start] + data + self.data[end:]),)))


def test_the_rule_about_touched_tokens_catches_a_document_that_forgets_ids() -> None:
    """Negative control."""
    broken = Forgetful((Fixed("words", (0, 0), (b"ab", b"ab")),))
    after = broken.apply(broken.replace(4, 4, b"x"))
    assert after.data == b"ababx"
    assert atoms(after) != survivors(broken, 4, 4, 1)


def test_the_rule_about_normal_form_catches_neighbours_that_belong_together() -> None:
    """Negative control."""
    assert not is_normal(Text((Typed(b"a"), Typed(b"b"))))
    assert not is_normal(Text((Typed(b""),)))
    assert size((Typed(b"a"), Typed(b"b"))) == 2


def test_an_id_without_bytes_stays_in_the_chain_behind_what_it_was_put_after() -> None:
    document, unused = Text.of(b"ab"), ALPHABET.vocabulary.token(UNUSED)
    taken = document.apply(document.put(2, unused, "words"))
    assert taken.data == b"ab" and taken.encoded(ALPHABET).ids.tolist() == [0, UNUSED]
    prefix = taken.prefix(taken.encoded(ALPHABET), Caret(2), ALPHABET)
    assert (prefix.ids.tolist(), prefix.actual) == ([0, UNUSED], None)
    typed = taken.apply(taken.replace(2, 2, b"b"))
    assert typed.encoded(ALPHABET).ids.tolist() == [0, UNUSED, 1]
    assert typed.prefix(typed.encoded(ALPHABET), Caret(2, 1), ALPHABET).actual == UNUSED
    assert Text.of(typed.data) != typed, "negative control: the bytes alone do not tell"


def test_the_end_of_what_stands_before_a_place_has_bytes_where_a_letter_is_cut() -> None:
    text = Text.of("a\n海は".encode())
    assert [text.tail(caret) for caret in (2, 4, 5, 8)] == ["“a↵”", "“a↵⟨E6⟩⟨B5⟩”", "“a↵海”", "“a↵海は”"]
    assert Text.of(("x" + "🌊" * 60).encode()).tail(239) == "“…" + "🌊" * 38 + "⟨F0⟩⟨9F⟩”"
