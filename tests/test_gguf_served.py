"""Tokenizers that llama.cpp serves: whatever it knows may be opened, and every text is its own or told what it lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.core.modalities.loss import loss
from arplay.models import catalogue
from arplay.models.alphabets import TextAlphabet, TokenizerAlphabet
from arplay.models.gguf import file as gguf_file
from arplay.models.gguf import tokenizer as gguf_tokenizer
from arplay.models.gguf import ways as gguf_ways
from arplay.models.gguf.parent import Process
from arplay.models.gguf.served import served
from tests import served_ggufs, tiny_ggufs
from tests.served_ggufs import KINDS, WHOLE, Llama, byte_level
from tests.tiny_models import one_thread

pytest.importorskip("llama_cpp", reason="needs the extra: pip install 'arplay[gguf]'")
__all__ = ["one_thread"]

LETTERS = (
    "the cat sat on 1234567890 thé 日本語 ابجد नमस्ते ไทย 👩‍👩‍👧 ½ ǅ İ e\u0301 's'LL don’t\r\n\n\t\u00a0\u3000x.,;!?/_-"
)
TEXT = st.text(st.sampled_from(LETTERS) | st.characters(exclude_categories=["Cs"]), max_size=24)
HARD = "The cat's  12345 naïve «é» 😀,\n\n\tHE'LL  日本 e\u0301 x\r\n \u00a0\u3000ابجد\x00\x1b "


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def process() -> Process:
    return Process("m.gguf", "take another file")


def quiet(fraction: float | None, what: str) -> None:
    pass


def of(process: Process, path: Path) -> TextAlphabet:
    return served(process, str(path), None, None)


def joined(alphabet: TextAlphabet, text: str) -> bytes:
    return b"".join(alphabet.vocabulary.written[id] for id in alphabet.encode(text.encode()).ids.tolist())


def same(path: Path, alphabet: TextAlphabet, texts: st.SearchStrategy[str] = TEXT, examples: int = 25) -> None:
    """Ids are those of llama.cpp, every byte of a text has an owner, and what is not written is told."""
    with Llama(path) as llama:

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(texts)
        @example(HARD)
        @example("aÀ ÀaÉBc e\u0301x ǅa")
        def check(text: str) -> None:
            tokens, data = alphabet.encode(text.encode()), text.encode()
            assert tokens.ids.tolist() == llama.ids(text)
            assert not len(tokens) or tokens.ends[-1] == len(data)
            count, _ = loss(data, tokens.ids, tokens.ends, alphabet.vocabulary)
            if joined(alphabet, text) in (data, b" " + data):
                assert count == 0
            elif len(tokens) and joined(alphabet, text).replace(b" ", b"") != data.replace(b" ", b""):
                assert count, "something is lost, and told"

        check()


def test_every_rule_that_llama_cpp_knows_gives_back_every_text(place: Path) -> None:
    names = served_ggufs.rules(place)
    assert len(names) > 60 and {"falcon", "deepseek-llm", "tekken", "qwen35"} < set(names) > set(gguf_tokenizer._RULES)
    cut, broken, process = {}, [], Process("m.gguf", "take another file")
    for name in names:
        path = served_ggufs.write(place / "m.gguf", byte_level(name))
        try:
            alphabet = of(process, path)
        except Problem as problem:  # a rule that asks for another kind of vocabulary
            assert "GGML_ASSERT" in problem.cause
            broken.append(name)
            process = Process("m.gguf", "take another file")
            continue
        cut[name] = tuple(alphabet.encode(HARD.encode()).ids.tolist())
        if name not in ("gemma4", "granite-embed-multi-311m", "sarvam-moe"):  # theirs is no alphabet of bytes
            with Llama(path) as llama:
                assert list(cut[name]) == llama.ids(HARD)
            assert alphabet.lossy == "" and joined(alphabet, HARD) == HARD.encode()
    assert len(set(cut.values())) >= 3, "negative control: the rules do differ"
    assert len(broken) <= 2, broken


@pytest.mark.parametrize("name", gguf_tokenizer._RULES)
def test_the_rules_that_are_here_are_llama_cpps(name: str, place: Path, process: Process) -> None:
    path = served_ggufs.write(place / "m.gguf", byte_level(name))
    ours, theirs = gguf_tokenizer.open_tokenizer(gguf_file.read(path)), of(process, path)
    assert isinstance(ours, TokenizerAlphabet) and ours.lead == theirs.lead
    assert ours.vocabulary.name == theirs.vocabulary.name
    same(path, ours, examples=60)


def test_another_rule_would_be_seen(place: Path) -> None:
    """Negative control of the one above."""
    path = served_ggufs.write(place / "m.gguf", byte_level("gpt-2"))
    ours = gguf_tokenizer.open_tokenizer(gguf_file.read(served_ggufs.write(place / "o.gguf", byte_level("smollm"))))
    with pytest.raises(AssertionError):
        same(path, ours, st.text("the0123456789 ", max_size=8) | st.just("the cat  sat"), examples=300)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_vocabulary_is_cut_as_llama_cpp_does(kind: str, place: Path, process: Process) -> None:
    path = served_ggufs.write(place / f"{kind}.gguf", KINDS[kind]())
    alphabet = of(process, path)
    same(path, alphabet, TEXT | st.text("the cats on. é", max_size=20), examples=100)
    assert (alphabet.lossy == "") == (kind in WHOLE)
    if kind not in WHOLE:
        with pytest.raises(AssertionError, match="comes back"):  # negative control
            assert joined(alphabet, HARD) in (HARD.encode(), b" " + HARD.encode()), "it comes back"


def test_a_text_that_goes_on_has_no_space_put_before_it(place: Path, process: Process) -> None:
    for kind in ("llama", "t5"):
        alphabet = of(process, served_ggufs.write(place / "m.gguf", KINDS[kind]()))
        first, later = (alphabet.encode(b"the cat", start=start) for start in (True, False))
        written = alphabet.vocabulary.written
        assert b"".join(written[id] for id in first.ids) == b" the cat"
        assert b"".join(written[id] for id in later.ids) == b"the cat" and later.ends[-1] == 7


def test_the_served_vocabulary_is_the_restored_one(place: Path, process: Process) -> None:
    path = served_ggufs.write(place / "m.gguf", KINDS["llama"]())
    ours, theirs = gguf_tokenizer.open_tokenizer(gguf_file.read(path)), of(process, path)
    assert ours.vocabulary.data == theirs.vocabulary.data and ours.lead == theirs.lead == (1,)
    assert ours.vocabulary.unknown == theirs.vocabulary.unknown
    for text in ("the cat  on é 日\n", " the", "\r\n"):
        assert ours.encode(text.encode()).ends.tolist() == theirs.encode(text.encode()).ends.tolist()


def test_words_of_one_score_are_left_to_llama_cpp(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two such words the first in the text is made first; a list of merges has another order."""
    values = KINDS["llama"]()
    values["tokenizer.ggml.scores"] = np.trunc(values["tokenizer.ggml.scores"])
    path = served_ggufs.write(place / "m.gguf", values)
    alphabet = gguf_tokenizer.open_tokenizer(gguf_file.read(path))
    same(path, alphabet, st.text("the cats on. ", max_size=20))
    monkeypatch.setattr(gguf_tokenizer, "_ties", lambda file: False)
    with pytest.raises(AssertionError):
        same(path, gguf_tokenizer.open_tokenizer(gguf_file.read(path)), st.just("the cat"))


def test_names_of_special_tokens_are_letters_unless_asked(place: Path, process: Process) -> None:
    alphabet = of(process, served_ggufs.write(place / "m.gguf", KINDS["llama"]()))
    assert 1 in alphabet.encode(b"the <s> cat", special=True).ids
    assert 1 not in alphabet.encode(b"the <s> cat").ids


def test_both_ways_of_a_file_use_it(tmp_path: Path) -> None:
    file = tiny_ggufs.write(tmp_path / "m.gguf", "llama", **{"tokenizer.ggml.pre": "falcon"})
    models = [catalogue.load(f"{file}#{way}", "cpu", "auto", quiet) for way in ("native", "dequantised")]
    assert "text is cut by llama.cpp" in models[0].info.why
    given = [model.alphabet.encode(b"The cat  sat 1961.").ids.tolist() for model in models]
    assert given[0] == given[1]
    np.testing.assert_allclose(*(model.teacher_forced(given[0]) for model in models), atol=1e-4, rtol=0)


REFUSED: dict[str, dict[str, Any]] = {
    r"unknown pre-tokenizer type: 'no-such'": {"tokenizer.ggml.pre": "no-such"},
    r"unknown tokenizer: 'words'": {"tokenizer.ggml.model": "words"},
    r"does not say how it cuts text": {"tokenizer.ggml.pre": None},
    r"m\.gguf has no vocabulary, so no text": {"tokenizer.ggml.model": "no_vocab"},
    r"m\.gguf has no vocabulary, so no text.*": {"tokenizer.ggml.tokens": None},
    r"m\.gguf has no vocabulary, so no text.*another": {"tokenizer.ggml.model": None, "tokenizer.ggml.tokens": None},
    r"broke off .*GGML_ASSERT": {"tokenizer.ggml.pre": "whitespace"},  # its vocabulary has no tokens with a space
}


@pytest.mark.parametrize("says", REFUSED)
@pytest.mark.parametrize("way", ["native", "dequantised"])
def test_what_nobody_can_cut_is_refused_in_a_sentence(says: str, way: str, tmp_path: Path) -> None:
    file = tiny_ggufs.write(tmp_path / "m.gguf", "llama", **REFUSED[says])
    with pytest.raises(Problem, match=says) as caught:
        catalogue.load(f"{file}#{way}", "cpu", "auto", quiet)
    assert "\n" not in str(caught.value) and caught.value.remedy


def test_without_llama_cpp_its_rules_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_ways, "find_spec", lambda name: None)
    for changes in ({"tokenizer.ggml.pre": "falcon"}, {"tokenizer.ggml.model": "bert", "tokenizer.ggml.pre": None}):
        file = tiny_ggufs.write(tmp_path / "m.gguf", "llama", **changes)
        with pytest.raises(Problem, match=r"only llama\.cpp knows; run: pip install 'arplay\[gguf\]'"):
            gguf_tokenizer.open_tokenizer(gguf_file.read(file))
    gguf_tokenizer.open_tokenizer(gguf_file.read(tiny_ggufs.write(file, "llama")))
