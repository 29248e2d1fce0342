"""A tokenizer with more ids than the model's output, and an output with more ids than its tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from tokenizers import AddedToken, Tokenizer

from arplay.cli import main
from arplay.core.errors import Problem
from arplay.gui.intents import Take
from arplay.models.alphabets import TokenizerAlphabet, open_tokenizer
from tests.tiny_models import network, save_tokenizer, tokenizer
from tests.windows_open import Open, settle

SIZE = tokenizer().get_vocab_size()


def with_added(count: int, special: bool) -> Tokenizer:
    made = tokenizer()
    made.add_tokens([AddedToken(f"[PAD{i}]", special=special, normalized=False) for i in range(count)])
    return made


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("count", [1, 2, 70])
def test_an_id_that_the_output_lacks_is_said_and_refused_only_where_it_is_used(count: int, special: bool) -> None:
    alphabet, plain = (
        TokenizerAlphabet(with_added(count, special), SIZE, 0, SIZE),
        TokenizerAlphabet(tokenizer(), SIZE, 0, 0),
    )
    assert alphabet.notes.startswith(f"{count} tokens have no place") and "[PAD0]" in alphabet.notes
    assert plain.notes == "" and alphabet.eos is None and alphabet.bos == 0
    assert len(alphabet.vocabulary) == SIZE and alphabet.vocabulary.special == plain.vocabulary.special
    for text in (b"The cat", "caf\u00e9 \U0001f600".encode(), b"", b"PAD0"):
        assert alphabet.encode(text).ids.tolist() == plain.encode(text).ids.tolist()
    with pytest.raises(Problem, match=rf"needs the token \[PAD{count - 1}\]"):
        alphabet.encode(f"a [PAD{count - 1}] b".encode(), special=True)
    if special:  # typed, its name is its letters
        assert alphabet.encode(b"[PAD0]").ids.tolist() == plain.encode(b"[PAD0]").ids.tolist()


def test_a_pad_of_the_config_is_one_of_them(tmp_path: Path) -> None:
    save_tokenizer(tmp_path, tokenizer())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"pad_token": "[PAD]"}))
    assert "[PAD]" in open_tokenizer(tmp_path, SIZE).notes


@pytest.fixture(scope="module")
def padded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output of 4 ids more than the tokenizer has; they are the most probable ones everywhere."""
    import torch
    import tqdm

    tqdm.tqdm.monitor_interval = 0
    folder, made = tmp_path_factory.mktemp("padded"), network("gpt2", vocab_size=SIZE + 4, tie_word_embeddings=False)
    with torch.no_grad():
        made.lm_head.weight[SIZE:] = 0.5 * made.lm_head.weight[SIZE:].sign() + made.lm_head.weight[:SIZE].mean(0)
        made.lm_head.weight[SIZE] *= 40
    made.save_pretrained(folder)
    save_tokenizer(folder, tokenizer())
    return folder


def test_an_id_without_a_token_writes_nothing_and_counts_no_bytes(opened: Open, qtbot: QtBot, padded: Path) -> None:
    window = opened(str(padded), b"The cat")
    play = window.playground
    assert play.view.loaded is not None and "4 ids of the output have no token" in play.view.loaded.info.why
    play.handle(Take(SIZE + 1))
    qtbot.waitUntil(lambda: play.view.ledger is not None and int(play.view.ledger.ids[-1]) == SIZE + 1)
    settle(window, qtbot)
    ledger = play.view.ledger
    assert play.document.data == b"The cat" and ledger is not None
    assert ledger.ids.tolist()[-1] == SIZE + 1 and ledger.totals.units_total == 7
    assert play.view.answer is not None and play.view.answer.prefix.ids.tolist() == ledger.ids.tolist()
    assert play.view.loaded.vocabulary.token(SIZE + 1).text == f"<unused {SIZE + 1}>"
    bits = ledger.totals.nll_bits
    assert ledger.totals.bits_per_unit == bits / int((ledger.ends - ledger.starts)[1:].sum())
    window.playground.undo_stack.undo()
    qtbot.waitUntil(lambda: play.view.ledger is not None and int(play.view.ledger.ids[-1]) != SIZE + 1)
    settle(window, qtbot)
    assert play.view.answer is not None and SIZE + 1 not in play.view.answer.prefix.ids.tolist()


def test_sampling_one_is_told_and_writes_nothing(padded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sample", "--prompt", "The cat", "--model", str(padded), "-n", "30", "--json"]
    assert main(command) == 0
    said = capsys.readouterr()
    steps = json.loads(said.out)
    unused = [step for step in steps["steps"] if step["id"] >= SIZE]
    assert unused and all(step["text"] == "" for step in unused)
    assert "unused" not in steps["text"] and f"{len(unused)} of the sampled ids have no token" in said.err
    assert len(unused) < 30, "negative control: others write"
