"""n-gram models: Kneser-Ney by hand, against a slow reference, as distributions, as files and as a model."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from arplay.core.errors import Problem
from arplay.models import catalogue
from arplay.models.base import Model, lead
from arplay.models.families.ngram.model import MAX_ORDER, Counts, Level
from arplay.models.store.cards import read_card
from arplay.training.ngram import save, train
from tests.test_walls import behind_the_wall
from tests.tiny_models import save_tokenizer, tokenizer

V = 5
S, A, B, C, D = range(V)
TEXT = "The cat sat on the mat, and the dog sat on the log. The cat sat on the dog."

tokens = st.integers(0, V - 1)
corpora = st.lists(st.lists(st.integers(1, V - 2), max_size=14).map(lambda ids: [S, *ids]), min_size=1, max_size=4)


def counted(documents: list[list[int]], order: int, vocabulary: int = V) -> Counts:
    return train([np.array(document) for document in documents], order, vocabulary)


def reference(documents: list[list[int]], order: int) -> Callable[[tuple[int, ...], int], Fraction]:
    """p(h, w) as the definition says it: sets, dictionaries and fractions."""
    counts: list[dict[tuple[int, ...], int]] = []
    for n in range(1, order + 1):
        seen: Counter[tuple[int, ...]] = Counter()
        before: defaultdict[tuple[int, ...], set[Any]] = defaultdict(set)
        for number, document in enumerate(documents):
            padded = [*document, S]
            for start in range(1 if n == 1 else 0, len(padded) - n + 1):  # the first separator is not predicted
                gram = tuple(padded[start : start + n])
                seen[gram] += 1
                before[gram].add(padded[start - 1] if start else f"beginning of {number}")
        counts.append(seen if n == order else {gram: len(kinds) for gram, kinds in before.items()})

    def discount(n: int, count: int) -> Fraction:
        of = Counter(counts[n - 1].values())
        found = [Fraction(1, 2), Fraction(1), Fraction(3, 2)]
        if all(of[j] for j in (1, 2, 3, 4)):
            y = Fraction(of[1], of[1] + 2 * of[2])
            made = [j - (j + 1) * y * of[j + 1] / of[j] for j in (1, 2, 3)]
            found = made if min(made) > 0 else found
        return found[min(count, 3) - 1] if count else Fraction(0)

    def p(context: tuple[int, ...], token: int) -> Fraction:
        context = context[max(0, len(context) - order + 1) :]
        lower = p(context[1:], token) if context else Fraction(1, V)
        n = len(context) + 1
        row = {gram[-1]: count for gram, count in counts[n - 1].items() if gram[:-1] == context}
        if not row:
            return lower
        count = row.get(token, 0)
        held_back = sum(discount(n, c) for c in row.values())
        return (count - discount(n, count) + held_back * lower) / sum(row.values())

    return p


def test_bigrams_by_hand() -> None:
    """The text AABBBABABABCCC, its separators S, and a token D that it lacks.

    Bigrams: SA 1, AA 1, AB 4, BB 2, BA 3, BC 1, CC 2, CS 1, so n1 = 4, n2 = 2, n3 = 1, n4 = 1 and
    Y = 4 / (4 + 2*2) = 1/2, D1 = 1 - 2 Y 2/4 = 1/2, D2 = 2 - 3 Y 1/2 = 5/4, D3+ = 3 - 4 Y 1/1 = 1.
    Tokens before each one: A {S, A, B} 3, B {A, B} 2, C {B, C} 2, S {C} 1, D none; 8 together. None has four, so the
    discounts are 1/2, 1, 3/2 and hold back 3/2 + 1 + 1 + 1/2 = 4 of 8: p(w) = (c - D) / 8 + 4/8 * 1/5.
    After A (5 bigrams) D(1) + D(4) = 1/2 + 1 are held back: p(w | A) = (c - D) / 5 + 3/10 p(w).
    """
    counts = counted([[S, A, A, B, B, B, A, B, A, B, A, B, C, C, C]], 2)
    assert counts.levels[1].discounts.tolist() == [0, 0.5, 1.25, 1]
    alone = {
        S: Fraction(1, 16) + Fraction(1, 10),
        A: Fraction(3, 16) + Fraction(1, 10),
        B: Fraction(1, 8) + Fraction(1, 10),
        C: Fraction(1, 8) + Fraction(1, 10),
        D: Fraction(1, 10),
    }
    after_a = {
        S: Fraction(3, 10) * Fraction(13, 80),
        A: Fraction(1, 2) / 5 + Fraction(3, 10) * Fraction(23, 80),
        B: Fraction(3) / 5 + Fraction(3, 10) * Fraction(9, 40),
        C: Fraction(3, 10) * Fraction(9, 40),
        D: Fraction(3, 10) * Fraction(1, 10),
    }
    assert sum(alone.values()) == sum(after_a.values()) == 1
    assert after_a[A] == Fraction(149, 800) and after_a[B] == Fraction(267, 400)
    for context, expected in (([], alone), ([D], alone), ([A], after_a), ([C, D, A], after_a)):
        assert np.exp(counts.next(context)) == pytest.approx([float(expected[token]) for token in range(V)], abs=1e-15)


@settings(max_examples=60)
@given(corpora, st.integers(1, 4), st.lists(st.lists(tokens, max_size=6), max_size=6))
def test_every_context_has_a_distribution(documents: list[list[int]], order: int, contexts: list[list[int]]) -> None:
    counts = counted(documents, order)
    seen = [document[:end] for document in documents for end in range(len(document) + 1)]
    for context in contexts + seen:
        p = np.exp(counts.next(context))
        assert p.min() > 0
        assert math.fsum(p) == pytest.approx(1, abs=1e-12)


@settings(max_examples=40)
@given(corpora, st.integers(1, 4), st.lists(tokens, max_size=6))
def test_it_is_the_slow_reference(documents: list[list[int]], order: int, more: list[int]) -> None:
    counts, p = counted(documents, order), reference(documents, order)
    for ids in ([*documents[0], S], more):
        expected = [math.log(p(tuple(ids[:i]), token)) for i, token in enumerate(ids)]
        assert counts.logprobs(np.array(ids, dtype=np.int64)) == pytest.approx(expected, abs=1e-12)
        assert counts.next(ids) == pytest.approx([math.log(p(tuple(ids), token)) for token in range(V)], abs=1e-12)


def test_counts_that_estimate_their_discounts_are_the_slow_reference() -> None:
    rng = np.random.default_rng(3)
    documents = [[S, *np.minimum(rng.geometric(0.5, 60), D).tolist()] for _ in range(6)]
    counts, p = counted(documents, 4), reference(documents, 4)
    estimated = [level.discounts.tolist() != [0, 0.5, 1, 1.5] for level in counts.levels]
    assert estimated == [False, True, True, True]
    ids = documents[1]
    expected = [math.log(p(tuple(ids[:i]), token)) for i, token in enumerate(ids)]
    assert counts.logprobs(np.array(ids)) == pytest.approx(expected, abs=1e-12)


def test_no_ngram_reaches_from_one_document_into_another() -> None:
    apart = counted([[S, A, B], [S, C, D]], 3)
    assert np.exp(apart.next([A, B])).argmax() == S
    assert apart.next([A, B])[C] == pytest.approx(apart.next([])[C] + math.log(0.5 * 0.5))  # held back twice: BS, ABS
    assert np.exp(counted([[S, A, B, C, D]], 3).next([A, B])).argmax() == C


def test_what_cannot_be_counted() -> None:
    for order in (0, MAX_ORDER + 1):
        with pytest.raises(Problem, match=f"order {order}"):
            counted([[S]], order)
    with pytest.raises(Problem, match="no text"):
        counted([], 3)
    for document in ([], [S, V], [-1]):
        with pytest.raises(ValueError):
            counted([document], 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 3-gram model of one sentence in byte tokens."""
    path = tmp_path_factory.mktemp("grams")
    made = tokenizer(adds_separator=True)
    save_tokenizer(path, made)
    save(train([np.array(made.encode(TEXT).ids)], 3, made.get_vocab_size()), path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return catalogue.load(str(folder), "auto", "auto", lambda *_: None)


def test_a_session_is_teacher_forced(model: Model) -> None:
    assert lead(model.alphabet, model.can.starts_empty, "auto") == ((0,), "tokenizer")
    ids = [0, *model.alphabet.encode(b"The dog sat on a cafe").ids.tolist()]
    session = model.session()
    scores = session.extend(ids)
    assert scores.logprob == pytest.approx(model.teacher_forced(ids), abs=1e-12)
    assert session.cache_bytes == 0 and not model.can.keeps and model.info.context is None
    after = session.logits()
    assert not after.flags.writeable and np.array_equal(after, model.uncached(ids))
    other = session.branch()
    other.rewind(3)
    other.read(ids[3:])
    assert np.array_equal(other.logits(), after) and session.ids == tuple(ids)
    row = np.log(np.exp(model.uncached(ids[:5])))
    assert scores.best_ids[5].tolist() == sorted(range(len(row)), key=lambda id: (-row[id], id))[:5]
    assert scores.entropy[5] == pytest.approx(-np.sum(np.exp(row) * row))
    assert scores.rank[5] == 1 + sorted(range(len(row)), key=lambda id: (-row[id], id)).index(ids[5])
    with pytest.raises(Problem, match="outside the vocabulary"):
        model.teacher_forced([model.info.vocabulary])


def test_a_saved_model_is_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    wide = 70_000  # tokens need more than 16 bits
    counts = train([np.concatenate([[0], rng.zipf(1.3, 3000) % wide])], 4, wide)
    save(counts, tmp_path)
    from arplay.models.families.ngram.model import read
    from arplay.models.store.folder import inspect

    again = read(inspect(tmp_path, causal=False))
    assert again.vocabulary == wide and again.order == 4 and again.entries == counts.entries
    ids = rng.zipf(1.3, 500) % wide
    assert np.array_equal(again.logprobs(ids), counts.logprobs(ids))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_its_card(folder: Path, model: Model) -> None:
    card = read_card(folder)
    assert card.state == "ready" and card.family == model.info.family == "n-gram"
    assert card.parameters == model.info.parameters and card.context is None
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert card.disk_bytes == size


def test_it_opens_without_torch(folder: Path) -> None:
    script = (
        "from arplay.models import catalogue\n"
        "model = catalogue.load(sys.argv[1], 'auto', 'auto', lambda *_: None)\n"
        "model.session().extend([0, 5])\n"
    )
    said = behind_the_wall(("torch", "transformers"), script, str(folder))
    assert said.returncode == 0, said.stderr


Tables = dict[str, Any]


def changed(name: str, change: Callable[[Any], Any]) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {name: change(tables[name].copy())}


def put(place: int, value: int) -> Callable[[Any], Any]:
    def change(table: Any) -> Any:
        table[place] = value
        return table

    return change


BROKEN: list[tuple[Callable[[Tables], Tables], str]] = [
    (lambda tables: {name: table for name, table in tables.items() if name != "starts.3"}, "of order 3"),
    (lambda tables: tables | {"counts.4": tables["counts.3"]}, "of order 3"),
    (changed("counts.2", lambda table: table.astype(np.float32)), "whole numbers"),
    (changed("counts.3", lambda table: table.reshape(1, -1)), "sizes"),
    (changed("counts.1", lambda table: table[1:]), "sizes"),
    (changed("starts.2", lambda table: table[1:]), "sizes"),
    (changed("pieces.3", lambda table: table[1:]), "sizes"),
    (changed("starts.2", put(0, 1)), "2-grams.* follow one another"),
    (changed("starts.2", put(5, 60_000)), "2-grams.* follow one another"),
    (changed("starts.3", put(-1, 1)), "3-grams.* follow one another"),
    (changed("pieces.2", put(3, 60_000)), "outside the vocabulary"),
    (changed("pieces.2", lambda table: table[::-1].copy()), "not sorted"),
    (changed("counts.3", put(2, 0)), "a count of 0"),
    (changed("counts.1", np.zeros_like), "no token was ever counted"),
]


@pytest.mark.parametrize(("change", "reason"), BROKEN)
def test_tables_that_are_no_counts_are_refused(
    folder: Path, tmp_path: Path, change: Callable[[Tables], Tables], reason: str
) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    save_file(change(load_file(folder / "model.safetensors")), tmp_path / "model.safetensors")
    with pytest.raises(Problem, match=reason) as caught:
        catalogue.load(str(tmp_path), "auto", "auto", lambda *_: None)
    assert "model.safetensors" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("order", 0), ("order", MAX_ORDER + 1), ("order", "3"), ("order", True), ("vocab_size", 0), ("vocab_size", None)],
)
def test_a_config_that_says_nonsense_is_refused(folder: Path, tmp_path: Path, key: str, value: object) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(Problem, match=rf"config\.json says {key} is {value}"):
        catalogue.load(str(tmp_path), "auto", "auto", lambda *_: None)


def test_a_file_that_is_cut_off_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    assert read_card(tmp_path).state == "broken"
    with pytest.raises(Problem, match=r"model\.safetensors is damaged or cut off"):
        catalogue.load(str(tmp_path), "auto", "auto", lambda *_: None)


def test_an_id_beyond_the_number_type_of_a_table_is_not_in_it() -> None:
    level = Level(np.array([1, 7], np.uint16), np.array([1, 1], np.uint16), np.array([0, 2], np.uint16))
    assert (level.index(0, 7), level.index(0, 70_000)) == (1, -1)
