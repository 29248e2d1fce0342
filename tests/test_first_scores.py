"""The first scores of a long text come while it is still being cut into tokens, and none of them is wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from arplay import load
from arplay.core.modalities import text as text_module
from arplay.core.modalities.base import Encoded
from arplay.core.modalities.lengthy import Begun
from arplay.core.modalities.text import Text
from arplay.core.recent import Recent
from arplay.engine import scoring
from arplay.engine.messages import Progress
from arplay.engine.scoring import Known, Score, Scored
from arplay.engine.state import State
from arplay.gui.intents import Find, Select
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.models.alphabets import TextAlphabet, TokenizerAlphabet, stretches
from arplay.models.alphabets import text as alphabet_text
from arplay.models.alphabets.fast import FastCutter
from tests import tiny_tokenizers
from tests.windows_open import PATIENCE, Open, settle

_PARTS = (
    " the",
    "night",
    " was",
    "\n\n",
    "   ",
    "don't",
    " 1234",
    " é",
    "日本",
    "🙂",
    "👍🏽",
    "🇩🇪",
    "e\u0301",
    ".",
    "\r\n",
)
_RUNS = (" ", "x", "ab", "=", "\n", "7", "日", "🙂", " שלום", "<|endoftext|>", "</s>", "\udcff")
PROSE = st.lists(st.sampled_from(_PARTS), min_size=400, max_size=600).map("".join)
RUNS = st.lists(st.tuples(st.sampled_from([*_PARTS, *_RUNS]), st.sampled_from((1, 2, 400))), max_size=10).map(
    lambda runs: "night" + "".join(part * times for part, times in runs)
)
DENSE = st.text("abcdefg0123日本語🙂🇩🇪", min_size=1500, max_size=2200)
TEXTS = st.one_of(PROSE, RUNS, DENSE)
WHOLE_CHARACTERS = TEXTS.filter(lambda text: "\udcff" not in text)
KINDS = ("byte_level_prefixed", "byte_level_nfc", "llama", "gemma", "unigram", "t5", "wordpiece", "gpt1")


def short(
    text: str, start: bool, cut: stretches.Cut, inner: stretches.Inner, stretch: int = stretches.STRETCH
) -> Iterator[stretches.Piece]:
    """Stretches of 500 characters, unless the text is to stay whole."""
    return stretches.stretches(text, start, cut, inner, stretch if stretch == len(text) else 500)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text need not be long for its first scores to come first."""
    monkeypatch.setattr(alphabet_text, "stretches", short)
    monkeypatch.setattr(text_module, "TOLD", 1)
    monkeypatch.setattr(scoring, "LEDGER_SECONDS", 0.0)


@pytest.fixture(scope="module")
def english() -> TextAlphabet:
    alphabet = load("english")._state.current().alphabet
    assert isinstance(alphabet, TextAlphabet)
    return alphabet


def beginnings(alphabet: TextAlphabet, text: str, special: bool) -> int:
    """How many beginnings of a text there were on the way, all of which have the tokens that the whole has."""
    document = Text.of(text.encode("utf-8", "surrogateescape"))
    whole = document.encoded(alphabet, special, Recent[object, object](2).get)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alphabet_text, "stretches", short)
        patch.setattr(text_module, "TOLD", 1)
        parts = Recent[object, object](2)
        told: list[Begun] = []
        for begun in document.cutting(alphabet, special, parts):  # type: ignore[arg-type]
            assert begun.first is not None
            first = begun.first()
            assert np.array_equal(first.ids, whole.ids[: len(first)])
            assert np.array_equal(first.ends[:-1], whole.ends[: len(first)][:-1]), "the last one may get longer"
            assert first.is_of(document) and not first.whole and not first.counts
            told.append(begun)
        assert [begun.done for begun in told] == sorted(begun.done for begun in told)
        cut = document.encoded(alphabet, special, parts.get)  # type: ignore[arg-type]
    assert np.array_equal(cut.ids, whole.ids) and np.array_equal(cut.ends, whole.ends) and cut.whole
    return sum(begun.goes_on for begun in told)


@given(TEXTS, st.booleans())
@settings(max_examples=50, deadline=None)
def test_the_first_tokens_are_those_of_the_whole(english: TextAlphabet, text: str, special: bool) -> None:
    beginnings(english, text, special)


@pytest.mark.parametrize("name", KINDS)
def test_with_every_kind_of_tokenizer(name: str) -> None:
    tokenizer = getattr(tiny_tokenizers, name)()
    alphabet = TokenizerAlphabet(tokenizer, tokenizer.get_vocab_size(with_added_tokens=True), None, None)
    assert beginnings(alphabet, "the cat sat on the mat and the dog ran " * 60, False) > 2

    @given(WHOLE_CHARACTERS, st.booleans())
    @settings(max_examples=25, deadline=None)
    def whatever(text: str, special: bool) -> None:
        beginnings(alphabet, text, special)

    whatever()


@pytest.mark.real_model
def test_with_smollm2(smollm2_folder: Path) -> None:
    """A run of one letter has tokens of four: where it is cut depends on where it began."""
    alphabet = load(str(smollm2_folder))._state.current().alphabet
    assert isinstance(alphabet, TextAlphabet)
    for run in ("x", "\n", " ", "-", "ab", "日本", "🙂"):
        assert beginnings(alphabet, "abcd " + run * 4000, False) > 2

    @given(WHOLE_CHARACTERS, st.booleans())
    @settings(max_examples=60, deadline=None)
    def whatever(text: str, special: bool) -> None:
        beginnings(alphabet, text, special)

    whatever()


def test_where_nothing_is_certain_that_is_told(english: TextAlphabet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tokenizer that makes one token of each word, and a text that is one: nothing is known before its end."""
    tokenizer = tiny_tokenizers.wordpiece()
    alphabet = TokenizerAlphabet(tokenizer, tokenizer.get_vocab_size(with_added_tokens=True), None, None)
    assert beginnings(alphabet, "x" * 3000, False) == 0
    monkeypatch.setattr(alphabet_text, "stretches", short)
    (begun,) = Text.of(b"x" * 3000).cutting(alphabet, False, Recent[object, object](2))  # type: ignore[arg-type]
    assert not begun.goes_on and begun.done == 0.0


LONG = b"It was a dark and stormy night, and the old man said nothing of it. " * 60


def scored(document: Text) -> list[Progress | Scored]:
    """All that a scoring of it tells, the last ledger at the end."""
    model = load("english")
    told, steps = list[Progress | Scored](), scoring.score(model._state, Score(1, document))
    while True:
        try:
            step = next(steps)
        except StopIteration as ended:
            assert isinstance(ended.value, Scored)
            return [*told, ended.value]
        if isinstance(step, Progress | Scored):
            told.append(step)


def test_scores_come_while_a_text_is_cut(soon: None) -> None:
    """Each that was told is the same at the end, and the same as of a text that was cut before."""
    told = scored(Text.of(LONG))
    ledgers = [each.ledger for each in told if isinstance(each, Scored)]
    last = ledgers[-1]
    early = [ledger for ledger in ledgers if not ledger.encoded.whole]
    assert early and last.complete and last.encoded.whole
    for ledger in early:
        assert 0 < ledger.done < len(ledger) < len(last) and not ledger.complete
        assert np.array_equal(ledger.ids, last.ids[: len(ledger)])
        assert np.array_equal(ledger.logprob[: ledger.done], last.logprob[: ledger.done], equal_nan=True)
        assert ledger.totals.units_total == len(LONG) and not ledger.totals.counts
        assert abs(ledger.expected - len(last)) < 0.2 * len(last) and ledger.how_many.startswith("about ")
    assert last.how_many == f"{len(last):,}" and dict(last.totals.counts)["words"] == len(LONG.split())
    done = [ledger.done for ledger in ledgers]
    assert done == sorted(done), "nothing that was told is taken back"
    cutting = [each.fraction for each in told if isinstance(each, Progress) and "cutting" in each.what]
    assert len(cutting) > 5 and cutting == sorted(cutting)
    assert not any(isinstance(each, Progress) and each.what == "scoring" for each in told[:5])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alphabet_text, "stretches", stretches.stretches)
        plain = scored(Text.of(LONG))[-1]
    assert isinstance(plain, Scored)
    np.testing.assert_allclose(last.logprob, plain.ledger.logprob, atol=1e-4)


def test_what_was_cut_and_scored_stays_where_that_is_cancelled(soon: None) -> None:
    """The next job goes on with the text where the first one was ended, and reads no scored token again."""
    document, state = Text.of(LONG), load("english")._state
    coder = state.current().alphabet
    steps = scoring.score(state, Score(1, document))
    while not isinstance(step := next(steps), Scored) or step.ledger.done < 60:
        pass
    steps.close()
    first = state.beginning(document, coder, False)
    work = state.kept(Known).work
    assert first is not None and work is not None and 60 <= work.columns._done < len(first)
    begun = next(state.encoding(document, coder, False))
    assert begun.first is not None and len(begun.first()) > len(first), "the text is not cut again from its start"
    steps, known = scoring.score(state, Score(2, document)), work.columns._done
    while not isinstance(step := next(steps), Scored):
        pass
    assert step.ledger.done >= known
    steps.close()


def test_a_place_that_has_scores_is_looked_at_before_all_is_cut(soon: None) -> None:
    document, state = Text.of(LONG), load("english")._state
    coder = state.current().alphabet
    next(state.encoding(document, coder, False))
    first = state.beginning(document, coder, False)
    assert first is not None
    near, far = document.place(first, 5), document.at(len(document) - 3)
    assert state.encoded_to(document, coder, False, near) is first
    assert state.encoded_to(document, coder, False, far).whole


class Gate:
    """A text that is longer than the editor's is cut on only once it is open; meanwhile others have their turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
        self.opened = threading.Event()

        def held(text: str, *given: Any) -> Iterator[stretches.Piece]:
            for count, piece in enumerate(short(text, *given)):
                while len(text) > text_module.EXCERPT and count == pieces and not self.opened.wait(0.01):
                    yield [], np.zeros(0, np.int64), 0
                yield piece

        monkeypatch.setattr(alphabet_text, "stretches", held)


def test_the_window_shows_them(opened: Open, qtbot: QtBot, soon: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is scored can be looked at; what is not cut yet is not there; and what is in sight stays when it comes."""
    window = opened("english")
    window.resize(1200, 900)
    play, panel = window.playground, window.panels["heatmap"]
    assert isinstance(panel, HeatmapPanel)
    gate, document = Gate(monkeypatch, 4), Text.of(LONG * 5 + b"Zanzibar")
    play.analyse(document, "long.txt")

    def ledger_has(done: int) -> bool:
        ledger = play.view.ledger
        return ledger is not None and ledger.encoded.is_of(document) and ledger.done >= done

    qtbot.waitUntil(lambda: ledger_has(100), timeout=PATIENCE)
    ledger = play.view.ledger
    assert ledger is not None and not ledger.encoded.whole and play.view.scoring
    qtbot.waitUntil(lambda: f" of {play.view.ledger.how_many}" in panel.row.caption.full, timeout=PATIENCE)  # type: ignore[union-attr]
    assert "about " in panel.row.caption.full
    play.handle(Select(50))
    qtbot.waitUntil(lambda: not play.view.stale, timeout=PATIENCE)
    answer = play.view.answer
    assert play.view.selected == 50 and answer is not None and answer.prefix.actual == ledger.ids[50]
    refused: list[str] = []
    play.refused.connect(refused.append)
    play.handle(Select(len(ledger) + 5))
    assert refused == ["Nothing is chosen: the text is not cut into tokens so far yet"] and play.view.selected == 50
    play.handle(Find("Zanzibar", True))
    qtbot.waitUntil(lambda: play.view.sought == "the text is not cut into tokens so far yet", timeout=PATIENCE)
    qtbot.waitUntil(lambda: panel.text.found is play.view.found, timeout=PATIENCE)
    assert panel.text.found is not None and len(panel.text.found.spans) == 1 and not len(panel.text.minimap.found)
    panel.text.scroll_to(120, 0.0)
    top = panel.text._anchor()
    assert top is not None and top > 0
    gate.opened.set()
    qtbot.waitUntil(lambda: play.view.ledger is not None and play.view.ledger.encoded.whole, timeout=PATIENCE)
    qtbot.waitUntil(lambda: panel.text.ledger is not None and panel.text.ledger.encoded.whole, timeout=PATIENCE)
    assert panel.text._anchor() == top, "what stood at the top still does"
    qtbot.waitUntil(lambda: len(panel.text.minimap.found) == 1, timeout=PATIENCE)
    settle(window, qtbot)
    whole: Encoded | None = play.view.ledger.encoded if play.view.ledger is not None else None
    assert whole is not None and np.array_equal(whole.ids[: len(ledger)], ledger.ids)
    assert "about" not in panel.row.caption.full


def test_a_scoring_is_paused_while_the_text_is_cut(
    opened: Open, qtbot: QtBot, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened("english")
    play = window.playground
    gate, document = Gate(monkeypatch, 2), Text.of(LONG * 5)
    play.analyse(document, "long.txt")
    qtbot.waitUntil(lambda: play.view.ledger is not None and play.view.ledger.done > 20, timeout=PATIENCE)
    play.asking.halt("paused")
    qtbot.waitUntil(lambda: not play.bridge.waits_for(Score), timeout=PATIENCE)
    ledger = play.view.ledger
    assert ledger is not None and play.view.halted == "paused" and not ledger.encoded.whole
    gate.opened.set()
    play.asking.resume()
    settle(window, qtbot)
    after = play.view.ledger
    assert after is not None and after.complete and np.array_equal(after.ids[: len(ledger)], ledger.ids)


def test_a_cut_that_fails_is_no_longer_gone_on_with() -> None:
    """Nothing half made is left where a tokenizer raises."""
    state = State(load=lambda *_: None)  # type: ignore[arg-type, return-value]
    alphabet = load("english")._state.current().alphabet
    document = Text.of(b"It was a dark night. " * 40_000)
    steps = state.encoding(document, alphabet, False)
    next(steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastCutter, "ids", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            list(steps)
    assert state.beginning(document, alphabet, False) is None
    assert len(list(state.encoding(document, alphabet, False))) == 2
