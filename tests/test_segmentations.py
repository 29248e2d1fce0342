"""All ways to cut a text, beside every chain of ids that writes it, each scored as given."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.models import documents
from tests.tiny_models import save


@pytest.fixture(scope="module")
def english() -> arplay.Model:
    return arplay.load("english")


def test_each_way_is_scored_as_its_ids_are(english: arplay.Model) -> None:
    found = english.segmentations("a night").found
    assert found.whole and len({way.ids for way in found.ways}) == len(found.ways) > 10
    for way in (*found.ways[:3], *found.ways[-3:]):
        document = documents.text_of_ids(way.ids, english.backend.alphabet)
        assert document.file == b"a night"
        assert way.logprob == pytest.approx(-english.score(document).nll_nats, abs=1e-4)
    assert found.canonical.ids == tuple(english.encode("a night").ids.tolist())
    assert found.canonical.logprob == pytest.approx(-english.score("a night").nll_nats, abs=1e-4)
    assert found.marginal == pytest.approx(math.log(sum(math.exp(way.logprob) for way in found.ways)))
    assert 0 < found.share < 1 and found.lost_bits == pytest.approx(-math.log2(found.share))
    assert [way.logprob for way in found.ways] == sorted((way.logprob for way in found.ways), reverse=True)


def test_they_are_as_many_as_there_are_chains_that_write_it(english: arplay.Model) -> None:
    text, vocabulary = b"The a", english.vocabulary
    assert isinstance(vocabulary, Vocabulary)
    pieces = [
        id for id, data in enumerate(vocabulary.written) if data and data in text and id not in vocabulary.special
    ]
    chains = {
        ids
        for size in range(1, len(text) + 1)
        for ids in product(pieces, repeat=size)
        if b"".join(vocabulary.written[id] for id in ids) == text
    }
    assert {way.ids for way in english.segmentations(text).found.ways} == chains


@given(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=6), st.binary(max_size=4), st.booleans())
def test_tokens_that_write_exactly_this(tokens: list[bytes], data: bytes, drops: bool) -> None:
    vocabulary = Vocabulary("some", tuple(tokens), drops_first_space=drops)
    for first in (False, True):
        expected = [id for id in range(len(tokens)) if vocabulary.token(id, first).data == data]
        assert not data or vocabulary.writing(data, first) == expected
    if data:
        cuts = Text.of(data).cuts(0, vocabulary)
        assert [id for id, end in cuts if end == len(data)] == expected, "as at the beginning of a text"


def test_a_search_that_is_cut_short_says_so(english: arplay.Model) -> None:
    short, whole = (english.segmentations("It was", most=most).found for most in (3, 4096))
    assert not short.whole and whole.whole and short.canonical in short.ways
    assert short.marginal < whole.marginal, "a lower bound"


def test_ways_that_do_not_fit_into_the_context_are_missed(tmp_path: Path) -> None:
    """BOS and three tokens are read, and a fourth comes after them: of six ways to write it one has five tokens."""
    model = arplay.load(save(tmp_path, "llama", adds_separator=True, max_position_embeddings=4))
    short, long = (model.segmentations(text).found for text in ("the", "the ca"))
    assert short.whole and not long.whole
    assert {len(way.ids) for way in short.ways} == {1, 2, 3} and max(len(way.ids) for way in long.ways) == 4


def test_one_way_and_none() -> None:
    found = arplay.load("abc").segmentations("BAC").found
    assert len(found.ways) == 1 and found.share == 1 and found.marginal == pytest.approx(math.log(0.12))
    for model, document, words in (("abc", "", "nothing to cut"), ("xo", "#.# .#. #.#", "one way to cut")):
        with pytest.raises(arplay.Problem, match=words):
            arplay.load(model).segmentations(document)


def test_a_model_without_a_first_token_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(arplay.Problem, match="first token has no probability"):
        arplay.load(save(tmp_path_factory.mktemp("tiny"), "llama")).segmentations("The")


def test_on_the_command_line(capsys: pytest.CaptureFixture[str], english: arplay.Model) -> None:
    assert main(["score", "--prompt", "a night", "--segmentations", "--json"]) == 0
    said, found = json.loads(capsys.readouterr().out)["segmentations"], english.segmentations("a night").found
    assert said["whole"] and said["marginal_logprob"] == pytest.approx(found.marginal)
    assert ["".join(way["tokens"]) for way in said["ways"]] == ["a night"] * len(found.ways)
    assert main(["score", "--prompt", "a night", "--segmentations"]) == 0
    assert "a| night (the tokenizer's)" in capsys.readouterr().out.replace("␣", " ")
