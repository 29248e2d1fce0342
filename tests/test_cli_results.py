"""What next, sample and score say: the exact shapes, the textbook figures, strict JSON, replay."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arplay.cli import main
from arplay.core.picking import uniform
from tests import tiny_models

MODEL = {
    "name",
    "family",
    "source",
    "revision",
    "engine",
    "dtype",
    "device",
    "vocabulary",
    "context",
    "lossy",
    "not_used",
}
ITEM = {"id", "text", "bytes", "logprob", "prob", "decoded_prob", "rank"}
Command = Callable[..., Any]


def refuse(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command with --json and give back what it wrote."""

    def run(*argv: str) -> Any:
        assert main([*argv, "--json"]) == 0, capsys.readouterr().err
        return strict(capsys.readouterr().out)

    return run


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random transformer with a context of 24 whose tokenizer puts a separator before every text."""
    return str(tiny_models.save(tmp_path_factory.mktemp("tiny"), "llama", adds_separator=True))


def text_file(folder: Path, content: bytes) -> str:
    file = folder / "text.txt"
    file.write_bytes(content)
    return str(file)


STEP = {"id", "text", "bytes", "logprob", "prob", "decoded_prob", "rank", "u", "context_start"}


def test_the_strictness_of_these_tests_can_fail() -> None:
    with pytest.raises(AssertionError):
        strict('{"logprob": -Infinity}')


def test_next_has_the_promised_shape_and_figures(ask: Command) -> None:
    said = ask("next", "--model", "abc", "--prompt", "BA", "--top", "2", "--find", "b")
    assert set(said) == {"model", "prefix", "entropy", "top", "rest", "found"}
    assert set(said["model"]) == MODEL
    assert said["prefix"] == {"text": "BA", "ids": [1, 0]}
    assert [item["text"] for item in said["top"]] == ["C", "A"]
    assert all(set(item) == ITEM for item in said["top"] + said["found"])
    first = said["top"][0]
    assert (first["id"], first["bytes"], first["rank"]) == (2, "43", 1)
    assert first["prob"] == pytest.approx(0.6, abs=1e-12)
    assert first["logprob"] == pytest.approx(math.log(0.6), abs=1e-12)
    assert said["rest"]["count"] == 1
    shown = sum(item["prob"] for item in said["top"])
    assert shown + said["rest"]["prob"] == pytest.approx(1, abs=1e-12)
    entropy = -sum(p * math.log(p) for p in (0.6, 0.3, 0.1))
    assert said["entropy"]["nats"] == pytest.approx(entropy, abs=1e-12)
    assert said["entropy"]["bits"] == pytest.approx(entropy / math.log(2), abs=1e-12)
    assert [item["text"] for item in said["found"]] == ["B"]


def test_decoding_changes_decoded_prob_alone(ask: Command) -> None:
    plain = ask("next", "--model", "abc", "--prompt", "BA")
    cut = ask("next", "--model", "abc", "--prompt", "BA", "--top-k", "2", "--temperature", "0.5")
    for before, after in zip(plain["top"], cut["top"], strict=True):
        assert {**before, "decoded_prob": 0} == {**after, "decoded_prob": 0}
    assert [item["decoded_prob"] for item in plain["top"]] == [item["prob"] for item in plain["top"]]
    assert [item["decoded_prob"] for item in cut["top"]] == pytest.approx([0.8, 0.2, 0.0], abs=1e-12)


def test_score_of_the_textbook_example(ask: Command, tmp_path: Path) -> None:
    said = ask("score", text_file(tmp_path, b"BAC"), "--model", "abc")
    assert set(said) == {"model", "tokens", "totals"}
    assert [token["logprob"] for token in said["tokens"]] == pytest.approx([math.log(p) for p in (0.4, 0.5, 0.6)])
    assert set(said["tokens"][0]) == {
        *("index", "id", "text", "bytes", "start", "end", "byte_start", "byte_end"),
        *("logprob", "rank", "entropy", "context"),
    }
    assert [token["context"] for token in said["tokens"]] == [0, 1, 2]
    totals = said["totals"]
    assert set(totals) == {
        *("tokens", "scored", "bytes", "bytes_total", "characters", "words", "nll_nats", "nll_bits"),
        *("perplexity", "bits_per_byte", "first_token", "window", "stride", "notes"),
    }
    assert totals["nll_nats"] == pytest.approx(2.1203, abs=5e-5)
    assert math.exp(-totals["nll_nats"]) == pytest.approx(0.12, abs=1e-12)
    assert totals["perplexity"] == pytest.approx(0.12 ** (-1 / 3), abs=1e-12)
    assert (totals["tokens"], totals["scored"], totals["first_token"]) == (3, 3, "model")


def test_score_of_an_empty_text_has_totals_and_no_crash(ask: Command, tmp_path: Path) -> None:
    said = ask("score", text_file(tmp_path, b""), "--model", "abc")
    assert said["tokens"] == []
    assert (said["totals"]["tokens"], said["totals"]["nll_nats"], said["totals"]["perplexity"]) == (0, 0, None)


def test_an_impossible_token_is_minus_infinity_as_a_text(ask: Command, tmp_path: Path) -> None:
    table = tmp_path / "never.json"
    table.write_text('{"alphabet": ["A", "B"], "rows": {"": {"A": 1.0}}}')
    said = ask("score", text_file(tmp_path, b"AB"), "--model", str(table))
    assert [token["logprob"] for token in said["tokens"]] == [0, "-inf"]
    assert (said["totals"]["nll_nats"], said["totals"]["perplexity"]) == ("inf", "inf")
    assert ask("next", "--model", str(table), "--prompt", "A")["top"][1]["logprob"] == "-inf"


@pytest.mark.parametrize("more", [["--segmentations"], ["--base"], ["--compare"], ["--compare", "--divergence"]])
def test_an_impossible_text_has_every_table(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, text = tmp_path / "never.json", text_file(tmp_path, b"AB")
    table.write_text('{"alphabet": ["A", "B"], "rows": {"": {"A": 1.0}}}')
    values = {"--base": [text], "--compare": [str(table)]}
    given = ["score", text, "--model", str(table), *(part for each in more for part in (each, *values.get(each, [])))]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "∞" in shown and "nan" not in shown.lower()
    assert main([*given, "--json"]) == 0
    strict(capsys.readouterr().out)


def test_what_is_asked_of_several_texts_is_told_of_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / name for name in ("one.txt", "two.txt")]
    for file, text in zip(files, ("BAC", "BA"), strict=True):
        file.write_text(text)
    assert main(["score", *map(str, files), "--model", "abc", "--conventions", "--by", "word"]) == 0
    _, one, two = capsys.readouterr().out.split(".txt:\n")
    for text in (one, two):
        assert "arplay, overlapping windows" in text and "part" in text
    assert "2.0274" in one and "BAC" in one and "2.2361" in two


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--report", "x.html"], "--report"),
        (["--curve", "stride", "--colour-by", "p"], "--curve, --colour-by"),
        (["--by", "word", "--conventions"], "--by, --conventions"),
    ],
)
def test_what_candidates_do_not_have_is_refused(
    more: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = text_file(tmp_path, b"A")
    assert main(["score", "--prompt", "B", "--model", "abc", "--candidates", file, *more]) == 2
    assert f"error: {named}: of a text" in capsys.readouterr().err
    assert not Path("x.html").exists()


def test_a_tokenizer_that_adds_a_separator(ask: Command, tiny: str, tmp_path: Path) -> None:
    text = "The café 😀 sat."
    said = ask("score", text_file(tmp_path, text.encode()), "--model", tiny)
    tokens, totals = said["tokens"], said["totals"]
    assert totals["first_token"] == "tokenizer"
    assert tokens[0]["context"] == 1  # the separator alone
    assert b"".join(bytes.fromhex(token["bytes"]) for token in tokens) == text.encode()
    assert totals["bytes"] == totals["bytes_total"] == len(text.encode())
    assert totals["characters"] == len(text)
    smile = [token for token in tokens if "F0" in token["text"]]
    assert smile, "the smile is cut into bytes, shown as signs"
    assert (smile[0]["start"], smile[0]["end"]) == (text.index("😀"), text.index("😀") + 1)
    # the same position shows the same number in `next`
    expected = ask("next", "--model", tiny, "--prompt", "The caf", "--top", "9999")
    assert expected["prefix"]["ids"][0] == 0
    unscored = ask("score", text_file(tmp_path, text.encode()), "--model", tiny, "--first-token", "unscored")
    assert unscored["tokens"][0]["logprob"] is None
    assert unscored["tokens"][0]["rank"] is None
    assert unscored["totals"]["scored"] == totals["scored"] - 1
    assert unscored["totals"]["bytes"] < unscored["totals"]["bytes_total"]


def test_score_and_next_give_the_same_number_beyond_the_context(ask: Command, tiny: str, tmp_path: Path) -> None:
    text = "The cat sat on the mat, and the dog sat on the log. " * 3
    scored = ask("score", text_file(tmp_path, text.encode()), "--model", tiny)
    assert max(token["context"] for token in scored["tokens"]) == tiny_models.CONTEXT
    for token in scored["tokens"][20:60:13]:
        there = ask("next", "--model", tiny, "--prompt", text[: token["start"]], "--top", "9999")
        mine = next(item for item in there["top"] if item["id"] == token["id"])
        assert mine["logprob"] == pytest.approx(token["logprob"], abs=1e-4)
        assert mine["rank"] == token["rank"]


def test_the_same_seed_samples_the_same_and_a_replay_repeats_it(ask: Command, tmp_path: Path) -> None:
    command = ("sample", "--model", "abc", "--prompt", "B", "-n", "30", "--temperature", "1.5")
    first, again, other = ask(*command, "--seed", "7"), ask(*command, "--seed", "7"), ask(*command, "--seed", "8")
    assert set(first) == {"model", "decoding", "seed", "at_limit", "prefix", "steps", "text", "stopped"}
    assert set(first["steps"][0]) == STEP
    assert first == again
    assert first["text"] == "".join(step["text"] for step in first["steps"])
    assert [step["id"] for step in first["steps"]] != [step["id"] for step in other["steps"]]
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps(first))
    assert ask("sample", "--model", "abc", "--prompt", "B", "--replay", str(trace)) == first
    shorter = ask("sample", "--model", "abc", "--prompt", "B", "--replay", str(trace), "-n", "4")
    assert shorter["steps"] == first["steps"][:4]


def test_u_depends_on_the_place_and_not_on_the_way_there(ask: Command) -> None:
    whole = ask("sample", "--model", "abc", "--prompt", "B", "-n", "8", "--seed", "3")
    half = ask("sample", "--model", "abc", "--prompt", "B" + whole["text"][:4], "-n", "4", "--seed", "3")
    assert half["steps"] == whole["steps"][4:]


def test_greedy_takes_the_first_rank_at_any_u(ask: Command) -> None:
    said = ask("sample", "--model", "abc", "--prompt", "B", "-n", "5", "--greedy")
    assert {(step["rank"], step["decoded_prob"]) for step in said["steps"]} == {(1, 1.0)}
    assert [step["u"] for step in said["steps"]] == [uniform(0, index) for index in range(1, 6)]
    assert said["decoding"] == [{"stage": "greedy"}]


def test_sampling_ends_at_the_end_of_text_or_the_context(ask: Command, tiny: str) -> None:
    said = ask("sample", "--model", tiny, "--prompt", "The cat", "-n", "40", "--greedy")
    read = len(said["prefix"]["ids"]) + len(said["steps"])
    ended = said["steps"][-1]["id"] == 0
    assert said["stopped"] == ("eos" if ended else "context")
    assert ended or read == tiny_models.CONTEXT + 1  # a full context still says what comes next


def test_sampling_slides_on_with_the_newest_half_and_a_replay_does_the_same(
    ask: Command, tiny: str, tmp_path: Path
) -> None:
    command = ("sample", "--model", tiny, "--prompt", "The cat", "--greedy", "-n", "40")
    stopped, slid = ask(*command), ask(*command, "--at-limit", "slide")
    assert stopped["stopped"] == "context" and slid["stopped"] == "length"
    assert slid["steps"][: len(stopped["steps"])] == stopped["steps"]
    first, half = len(slid["prefix"]["ids"]), tiny_models.CONTEXT // 2
    for index, step in enumerate(slid["steps"], first):
        over = max(0, index - tiny_models.CONTEXT)
        assert step["context_start"] == math.ceil(over / half) * half
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps(slid))
    replayed = ask("sample", "--model", tiny, "--prompt", "The cat", "--replay", str(trace))
    assert replayed == slid
    ids = [*slid["prefix"]["ids"], *(step["id"] for step in slid["steps"])]
    step = slid["steps"][-1]
    context = ids[step["context_start"] : -1]
    assert step["logprob"] == pytest.approx(uncached(tiny, context, ids[-1]), abs=1e-4)


def uncached(folder: str, context: list[int], id: int) -> float:
    """log p (nats) of ``id`` after ``context``, by transformers alone."""
    import torch
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        return float(network(torch.tensor([context])).logits[0, -1].log_softmax(-1)[id])


def test_how_special_names_are_read_is_a_choice(ask: Command, tiny: str) -> None:
    command = ("next", "--model", tiny, "--prompt", "cat" + tiny_models.SEPARATOR)
    assert ask(*command, "--special")["prefix"]["ids"][-1] == 0
    assert 0 not in ask(*command)["prefix"]["ids"][1:]  # behind the lead


def test_sampling_says_why_it_ended(ask: Command, tiny: str) -> None:
    outcomes = set()
    for seed in range(12):
        run = ask(
            "sample", "--model", tiny, "--prompt", "The cat", "-n", "6", "--temperature", "20", "--seed", str(seed)
        )
        ids = [step["id"] for step in run["steps"]]
        assert 0 not in ids[:-1]
        assert (ids[-1] == 0) == (run["stopped"] == "eos")
        outcomes.add(run["stopped"])
        assert "endoftext" not in run["text"]
    assert "length" in outcomes


def test_the_text_streams_in_whole_characters(tiny: str, ask: Command, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("sample", "--model", tiny, "--prompt", "The", "-n", "15", "--temperature", "9", "--seed", "2")
    traced = ask(*options)
    assert main(list(options)) == 0
    assert capsys.readouterr().out == traced["text"] + "\n"
    assert "\ufffd" not in traced["text"]
