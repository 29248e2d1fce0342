"""``arplay train`` as a user runs it: stopped, killed, without room, resumed to the same bits; every error by name."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file

from arplay import cli
from arplay.core.errors import Problem
from arplay.models import catalogue
from arplay.training.corpus import Document
from arplay.training.make import make
from arplay.training.order import RunRequest
from arplay.training.run_folder import Report, RunFolder, write_whole
from arplay.training.sizes import count_of, llama_parameters, transformer
from arplay.training.stop import PARENT
from arplay.training.texts import cut_documents, hold_out, read_files

TEXT = "".join(
    f"The {a} sat on the {b}.\nWhere did the {b} go, in {year}?\n\n"
    for year in range(1900, 1950)
    for a, b in (("cat", "mat"), ("dog", "log"), ("hen", "pen"))
)
SMALL = ["--params", "8k", "--context", "16", "--vocab", "280", "--threads", "1", "--device", "cpu"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "sat.txt"
    file.write_text("\ufeff" + TEXT, encoding="utf-8")
    return file


def order(text: Path, out: Path, steps: int = 10) -> RunRequest:
    tokens = steps * 128
    return RunRequest((text,), out, params=8_000, context=16, vocabulary=280, tokens=tokens, threads=1, device="cpu")


def quietly(what: str) -> None:
    """Nobody listens."""


def at_step(step: int, do: Callable[[], None]) -> Callable[[Report], None]:
    def tell(report: Report) -> None:
        if report.step == step:
            do()

    return tell


def assert_same(one: Path, other: Path) -> None:
    """The same weights in float32, the same optimisers, the same model in bfloat16."""
    for name in ("training/state.safetensors", "model.safetensors"):
        mine, others = load_file(one / name), load_file(other / name)
        assert mine.keys() == others.keys()
        assert all(torch.equal(mine[key], others[key]) for key in mine), name


def problem_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["train", *arguments]) == 1
    return capsys.readouterr().err


def test_a_run_leaves_a_model_and_all_that_others_read(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    assert cli.main(["train", str(text), "--out", str(out), *SMALL, "--tokens", "1280"]) == 0
    said = capsys.readouterr().out
    assert "step 10/10" in said
    assert "held-out sat.txt: 1 of 1 documents" in said
    run = RunFolder(out)
    reports = run.reports()
    assert run.done()
    assert run.snapshots() == run.plan().snapshots()
    assert (reports[0].step, reports[-1].step, reports[-1].tokens) == (0, 10, 1280)
    assert reports[0].loss == pytest.approx(5.63, rel=0.05)  # log 280
    assert reports[-1].held_out is not None
    assert reports[-1].held_out < reports[0].loss
    model = catalogue.load(str(out), "cpu", "float32", lambda *_: None)
    assert model.info.vocabulary == 280
    assert "sat.txt" in (out / "README.md").read_text("utf-8")
    again = problem_of(["--out", str(out), "--resume"], capsys)
    assert "is done" in again
    assert "holds a training run" in problem_of([str(text), "--out", str(out)], capsys)


def test_a_pause_and_a_full_disk_cost_nothing(text: Path, tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    assert make(order(text, unbroken), quietly, lambda _: None)
    assert not make(order(text, broken), quietly, at_step(2, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert not make(replace(order(text, broken), resume=True), quietly, at_step(4, lambda: os.kill(os.getpid(), 15)))

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # noqa: E731
        with pytest.raises(Problem, match=r"no room on the disk .*continue with --resume"):
            make(RunRequest((), broken, resume=True), quietly, at_step(6, limit))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    run = RunFolder(broken)
    assert run.problem()
    assert not list(broken.rglob("*.partial"))
    assert make(RunRequest((), broken, resume=True), quietly, lambda _: None)
    assert run.problem() is None
    assert_same(unbroken, broken)
    steps = [report.step for report in run.reports()]
    assert steps == sorted(set(steps))
    assert make(replace(order(text, tmp_path / "other"), seed=2), quietly, lambda _: None)
    with pytest.raises(AssertionError):
        assert_same(unbroken, tmp_path / "other")


@pytest.mark.slow
def test_a_run_that_was_killed_is_resumed_to_the_same_bits(text: Path, tmp_path: Path) -> None:
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    steps = 40
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "arplay",
            "train",
            str(text),
            "--out",
            str(killed),
            *SMALL,
            "--tokens",
            f"{steps * 128}",
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as child:
        run = RunFolder(killed)
        end = time.monotonic() + 120
        while child.poll() is None and not (run.reports() and run.reports()[-1].step >= 5) and time.monotonic() < end:
            time.sleep(0.01)
        child.kill()
    assert 5 <= run.reports()[-1].step < steps
    assert cli.main(["train", "--out", str(killed), "--resume"]) == 0
    assert make(order(text, unbroken, steps), quietly, lambda _: None)
    assert_same(unbroken, killed)


def test_a_run_stops_when_the_program_that_asked_for_it_is_gone(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PARENT, str(os.getpid()))  # nobody is a child of itself
    assert cli.main(["train", str(text), "--out", str(tmp_path / "a"), *SMALL, "--tokens", "256"]) == 130
    assert "stopped" in capsys.readouterr().out
    monkeypatch.setenv(PARENT, str(os.getppid()))
    assert cli.main(["train", str(text), "--out", str(tmp_path / "b"), *SMALL, "--tokens", "256"]) == 0


def test_two_cannot_train_in_one_folder(text: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    with RunFolder(out).locked(), pytest.raises(Problem, match="being trained already"):
        make(order(text, out), quietly, lambda _: None)
    assert RunFolder(out).problem() is None  # it is not that run's


def test_minutes_become_tokens_that_stand_in_the_plan(text: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    assert make(replace(order(text, out), tokens=None, minutes=0.001), quietly, lambda _: None)
    plan = RunFolder(out).plan()
    assert plan.tokens % 128 == 0 < plan.tokens
    assert (plan.threads, plan.device) == (1, "cpu")
    assert RunFolder(out).reports()[-1].tokens == plan.tokens


def test_a_checkpoint_has_its_report_and_a_first_step_that_is_done_again_has_one(text: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    assert not make(order(text, out), quietly, at_step(3, lambda: os.kill(os.getpid(), signal.SIGINT)))
    run = RunFolder(out)
    with safe_open(run.state, "pt") as file:
        assert json.loads(file.metadata()["run"])["step"] == run.reports()[-1].step
    run.state.unlink()  # as if it was killed before its first checkpoint
    assert make(RunRequest((), out, resume=True), quietly, lambda _: None)
    assert [report.step for report in run.reports()][:2] == [0, 1]
    state = run.state.read_bytes()
    (out / "training" / "log.jsonl").write_text("")  # nothing is read of a checkpoint where no plan is
    (out / "training" / "plan.json").unlink()
    assert make(order(text, out), quietly, lambda _: None)
    assert load_file(run.state).keys() == safetensors.torch.load(state).keys()
    assert RunFolder(out).done()


def test_an_order_that_is_too_high_is_told_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "no.txt"), "--out", str(tmp_path / "out"), "--family", "ngram", "--order", "12"]
    assert "choose --order 1 to 9" in problem_of(arguments, capsys)
    assert not (tmp_path / "out").exists()


def test_a_link_in_place_of_a_partial_file_is_not_written_through(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "log.partial").symlink_to(other)
    write_whole(tmp_path / "log", "theirs")
    assert (other.read_text(), (tmp_path / "log").read_text()) == ("mine", "theirs")


def test_the_other_families(text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make(replace(order(text, tmp_path / "rnn", 4), family="rnn"), quietly, lambda _: None)
    assert RunFolder(tmp_path / "rnn").plan().batch == 32
    counted = ["--family", "ngram", "--order", "3", "--vocab", "280"]
    assert cli.main(["train", str(text), "--out", str(tmp_path / "ngram"), *counted]) == 0
    for name, family in (("rnn", "arplay-rnn"), ("ngram", "arplay-ngram")):
        assert json.loads((tmp_path / name / "config.json").read_text())["model_type"] == family
        assert catalogue.load(str(tmp_path / name), "cpu", "auto", lambda *_: None).info.vocabulary == 280
        assert RunFolder(tmp_path / name).done()
    report = RunFolder(tmp_path / "ngram").reports()[-1]
    assert report.held_out is not None
    assert report.loss < report.held_out < 5.7


def test_a_tokenizer_of_another_model_is_taken(text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = tmp_path / "first"
    assert cli.main(["train", str(text), "--out", str(first), "--family", "ngram", "--vocab", "280"]) == 0
    taken = ["--tokenizer", str(first), "--tokens", "256", "--params", "8k", "--context", "16", "--threads", "1"]
    assert cli.main(["train", str(text), "--out", str(tmp_path / "second"), *taken]) == 0
    assert RunFolder(tmp_path / "second").plan().vocabulary == 280
    assert (first / "tokenizer.json").read_bytes() == (tmp_path / "second" / "tokenizer.json").read_bytes()
    (first / "tokenizer.json").write_text("{}")
    assert "cannot be read" in problem_of([str(text), "--out", str(tmp_path / "third"), *taken], capsys)


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"", [], "no text to train on; give at least 1,000 bytes"),
        (b"A few words.", [], "only 12 bytes"),
        (b"caf\xe9 " * 400, [], r"is not UTF-8 (byte 3)"),
        (TEXT.encode(), ["--vocab", "4096"], "the text supports only"),
        (TEXT.encode(), ["--vocab", "2M"], "is too large; choose at most 1,048,576"),
        (TEXT.encode(), ["--vocab", "280", "--params", "9000000M", "--context", "16"], "B of memory, of "),
        (TEXT.encode(), ["--context", "100k"], "less than a context of 100,000"),
        (TEXT.encode(), ["--vocab", "280", "--params", "2k"], "no network with 280 tokens has about 2,000 parameters"),
        (TEXT.encode(), [*SMALL, "--tokens", "100"], "100 tokens are less than a step of 128"),
    ],
)
def test_what_cannot_be_trained_on_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, options: list[str], said: str
) -> None:
    text, out = tmp_path / "a.txt", tmp_path / "out"
    text.write_bytes(content)
    told = problem_of([str(text), "--out", str(out), *options], capsys)
    assert said in told
    kept = RunFolder(out).problem()
    assert kept is not None
    assert said in "; ".join(kept)
    assert not RunFolder(out).resumable()
    text.write_bytes(TEXT.encode())  # the same folder does for the next try
    assert cli.main(["train", str(text), "--out", str(out), *SMALL, "--tokens", "128"]) == 0


def test_folders_that_will_not_do(text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = [str(text), "--out", str(tmp_path / "small"), "--vocab", "100"]
    assert "does not hold every byte" in problem_of(small, capsys)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.tex").write_text("")
    assert "holds other files already (thesis.tex)" in problem_of([str(text), "--out", str(taken)], capsys)
    assert [path.name for path in taken.iterdir()] == ["thesis.tex"]
    assert "holds no training run" in problem_of(["--out", str(tmp_path / "new"), "--resume"], capsys)
    assert "cannot be used" in problem_of([str(text), "--out", str(text)], capsys)
    assert "nothing can be written" in problem_of([str(text), "--out", str(text / "below")], capsys)
    assert "cannot read" in problem_of([str(tmp_path / "no.toml"), "--out", str(tmp_path / "x")], capsys)
    assert "cannot be read" in problem_of([str(tmp_path / "no.txt"), "--out", str(tmp_path / "y")], capsys)


def test_a_resumed_run_keeps_to_its_plan(text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model"
    assert not make(order(text, out), quietly, at_step(1, lambda: os.kill(os.getpid(), signal.SIGINT)))
    for change in (["--context", "32"], ["--seed", "2"], ["--tokens", "1k"], ["--params", "60k"], ["--threads", "2"]):
        said = problem_of(["--out", str(out), "--resume", *change], capsys)
        assert change[0] in said
        assert "Sizes" not in said
        assert "start a new run" in said
    other = tmp_path / "other.txt"
    assert "its text" in problem_of([str(other), "--out", str(out), "--resume"], capsys)
    text.write_text(TEXT + "And more.", encoding="utf-8")
    assert "not what it was" in problem_of(["--out", str(out), "--resume"], capsys)
    text.write_text("\ufeff" + TEXT, encoding="utf-8")
    assert cli.main(["train", str(text), "--out", str(out), *SMALL, "--tokens", "1280", "--resume"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.toml", "b.txt"],
        ["a.toml", "--params", "6M"],
        ["a.toml", "--family", "rnn", "--vocab", "300"],
        ["a.txt", "--threads", "100k"],
        ["a.txt", "--tokens", "9" * 400],
        ["a.txt", "--params", "six"],
        ["a.txt", "--tokens", "0"],
        ["a.txt", "--minutes", "nan"],
        ["a.txt", "--minutes", "abc"],
        ["a.txt", "--tokens", "1k", "--minutes", "1"],
        ["a.txt", "--order", "3"],
        ["a.txt", "--family", "ngram", "--minutes", "3"],
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", *arguments, "--out", "nowhere"]) == 2
    assert "usage: arplay train" in capsys.readouterr().err


@given(st.text(alphabet="ab \n\ré", max_size=60), st.integers(1, 400))
def test_documents_are_the_text(part: str, times: int) -> None:
    text = part * times
    cut = list(cut_documents(text))
    assert "".join(cut) == text
    assert all(5000 < len(document) <= 10_000 for document in cut[:-1])


def test_documents_end_with_paragraphs() -> None:
    paragraphs = [f"{number} " + "word " * 150 + "end.\n\n" for number in range(60)]
    cut = list(cut_documents("".join(paragraphs)))
    assert len(cut) > 3
    assert all(document.endswith("end.\n\n") for document in cut)


@given(st.integers(1, 100))
def test_some_documents_are_held_out(count: int) -> None:
    documents = [Document("a", str(i), f"the text number {i} " * 40) for i in range(count)]
    training, held_out = hold_out(documents)
    assert training
    assert held_out
    assert "".join(sorted(d.text for d in training + held_out)) if count > 1 else True
    assert not {d.text for d in training} & {d.text for d in held_out}
    if count == 1:
        assert training[0].text + held_out[0].text == documents[0].text
        assert len(held_out[0].text) == pytest.approx(len(documents[0].text) / 10, rel=0.3)
    else:
        assert len(training) + len(held_out) == count
        assert len(held_out) == max(1, count // 20)


def test_a_separator_in_a_file_ends_a_document_and_repeated_ones_count_once(tmp_path: Path) -> None:
    file = tmp_path / "stories.txt"
    file.write_text("<|endoftext|>".join([TEXT[:900], "Once upon a time.", TEXT[:900], "\n"]), encoding="utf-8")
    texts = read_files([file], "<|endoftext|>")
    assert [d.text for d in (*texts.training, *texts.held_out)] == [TEXT[:900], "Once upon a time."]


@given(st.sampled_from(["100k", "500k", "1M", "3M", "6M", "7.4M", "20M", "100M"]), st.sampled_from([300, 1000, 4096]))
def test_networks_are_about_as_large_as_asked(params: str, vocabulary: int) -> None:
    asked = count_of(params)
    sizes = transformer(asked, vocabulary)
    assert llama_parameters(sizes, vocabulary) == pytest.approx(asked, rel=0.16)
    assert sizes.width % sizes.heads == 0
    assert sizes.width // sizes.heads in (16, 32, 64, 128)


def test_the_size_of_a_network_is_known_before_it_is_made() -> None:
    from arplay.models.families.lstm.network import lstm
    from arplay.models.hf.networks import llama
    from arplay.training.sizes import lstm_parameters, recurrent

    sizes = transformer(60_000, 300)
    made = llama(300, sizes.width, sizes.layers, sizes.heads, sizes.hidden, 16)
    assert made.num_parameters() == llama_parameters(sizes, 300)
    sizes = recurrent(60_000, 300)
    assert lstm(300, sizes.width, sizes.layers, 16).num_parameters() == lstm_parameters(sizes, 300)
