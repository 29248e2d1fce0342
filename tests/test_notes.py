"""What has to be known with the totals of a text: BOS twice, windows without it, tokens that got no number."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from arplay.cli import main
from arplay.core.modalities.text import Caret, Text
from arplay.core.reading import Reading
from arplay.engine.explore import Explore, explore
from arplay.engine.reconcile import Reconcile, reconcile
from arplay.engine.scoring import Score, score
from arplay.engine.state import State
from arplay.models import catalogue
from tests.test_jobs import run, state_of
from tests.tiny_models import CONTEXT, SEPARATOR, save

LONG = b"The cat sat on the mat, and the dog sat on the log. " * 3


@pytest.fixture(scope="module")
def leading(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("leading"), "llama", adds_separator=True)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The row of one token is not a number; the head is whole."""
    from safetensors.torch import load_file, save_file

    folder = save(tmp_path_factory.mktemp("broken"), "llama", tie_word_embeddings=False)
    tensors = load_file(folder / "model.safetensors")
    tensors["model.embed_tokens.weight"][ord("Z") - ord("!") + 1] = float("nan")  # the token Z
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def load(folder: Path) -> State:
    return state_of(catalogue.load(str(folder), "cpu", "float32", lambda *_: None))


@pytest.mark.parametrize("window_lead", [False, True])
def test_later_windows_begin_as_the_text_does_or_it_is_said(leading: Path, window_lead: bool) -> None:
    state, document = load(leading), Text.of(LONG)
    reading = Reading(window_lead=window_lead)
    _, scored = run(score(state, Score(1, document, reading)))
    ledger, model = scored.ledger, state.current()
    chain = [0, *ledger.ids.tolist()]
    for start, first, stop in ledger.windows.spans(len(chain)):
        read = [*([0] if window_lead and start else []), *chain[start:stop]]
        assert len(read) <= CONTEXT + 1
        expected = model.teacher_forced(read)[first - stop :]
        assert np.allclose(ledger.logprob[max(first, 1) - 1 : stop - 1], expected[-(stop - max(first, 1)) :], atol=1e-5)
        assert ledger.context[stop - 2] == len(read) - 1
    later = len(list(ledger.windows.spans(len(chain)))) - 1
    (note,) = ledger.notes
    assert note.figure == str(later) and ("not before" in note.sentence) == (not window_lead)
    _, checked = run(reconcile(state, Reconcile(2, document, reading)))
    assert checked.largest_difference < 1e-5
    _, explored = run(explore(state, Explore(3, document, Caret(len(LONG) - 1), reading)))
    end = explored.answer.position.end
    read = ledger.windows.read(np.array(chain), explored.answer.position.start, end)
    assert explored.answer.position.context == len(read)


def test_both_totals_differ_for_a_model_that_leans_on_it(leading: Path) -> None:
    state, document = load(leading), Text.of(LONG)
    both = [Reading(window_lead=on) for on in (False, True)]
    totals = [run(score(state, Score(1, document, reading)))[1].ledger.totals for reading in both]
    assert totals[0].scored == totals[1].scored and abs(totals[0].nll_nats - totals[1].nll_nats) > 0.1
    short = Text.of(LONG[:20])
    same = [run(score(state, Score(1, short, reading)))[1].ledger for reading in both]
    assert same[0].totals.nll_nats == same[1].totals.nll_nats and same[0].notes == () == same[1].notes


def test_bos_typed_and_added_is_told(leading: Path) -> None:
    state, document = load(leading), Text.of(f"{SEPARATOR}The cat".encode())
    _, twice = run(score(state, Score(1, document, Reading(special=True))))
    (note,) = twice.ledger.notes
    assert note.figure == "2 ×" and SEPARATOR in note.sentence
    for reading in (Reading(special=False), Reading("unscored", special=True)):
        assert run(score(state, Score(1, document, reading)))[1].ledger.notes == (), "negative control"


Z = (b"a Z b", b"a b Z", b"Zab", LONG[:60] + b"Z", b"Z" + LONG, LONG + b"Z cat")


@pytest.mark.parametrize("text", Z)
def test_tokens_without_a_number_are_told_and_left_out(broken: Path, text: bytes) -> None:
    state = load(broken)
    _, scored = run(score(state, Score(1, Text.of(text))))
    ledger = scored.ledger
    behind = int(np.count_nonzero(ledger.starts > text.index(b"Z")))
    failed = int(np.count_nonzero(np.isnan(ledger.logprob[1:])))
    assert ledger.complete and (failed or not behind)  # those read in the same forward have no number either
    assert [note.figure for note in ledger.notes] == ([str(failed)] if failed else [])
    assert ledger.totals.scored == len(ledger) - 1 - failed and np.isfinite(ledger.totals.nll_nats)
    assert np.all((ledger.rank == 0) == np.isnan(ledger.logprob))


def test_a_text_without_that_token_has_all_its_numbers(broken: Path) -> None:
    """Negative control."""
    _, scored = run(score(load(broken), Score(1, Text.of(LONG))))
    assert scored.ledger.notes == () and scored.ledger.totals.scored == len(scored.ledger) - 1


def test_the_command_line_says_them(
    leading: Path, broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.txt"

    def notes(data: bytes, folder: Path, *options: str) -> list[str]:
        text.write_bytes(data)
        assert main(["score", str(text), "--json", "--model", str(folder), *options]) == 0
        found: list[str] = json.loads(capsys.readouterr().out, parse_constant=_refuse)["totals"]["notes"]
        return found

    _refuse: Callable[[str], None] = pytest.fail
    assert "every total leaves them out" in notes(b"The Zab c", broken)[0]
    assert "not before the" in notes(LONG, leading)[0]
    assert "as well" in notes(LONG, leading, "--window-lead")[0]
    assert "twice in a row" in notes(SEPARATOR.encode() + b"a", leading, "--special")[0]
