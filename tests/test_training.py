"""Training: the loop, the tokenizer, the split and the figure, on networks that fit in a second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tqdm import tqdm

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.gradient import logit_gradient
from arplay.core.windows import Windows
from arplay.models.hf.networks import llama, save
from arplay.training import readers
from arplay.training.bpe import SEPARATOR, save_tokenizer, train_bpe
from arplay.training.corpus import Document, read_recipe, split
from arplay.training.evaluate import nll, score
from arplay.training.run_folder import Precision
from arplay.training.train import Run, Schedule, rows

TEXT = "The cat sat on the mat. The dog sat on the log. Where did the cat sit? On the mat, in 1961.\n" * 20
CONTEXT = 32


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take most of the time in networks this small."""
    threads, interval = torch.get_num_threads(), tqdm.monitor_interval
    torch.set_num_threads(1)
    tqdm.monitor_interval = 0  # transformers' progress bars would leave a thread behind
    yield
    torch.set_num_threads(threads)
    tqdm.monitor_interval = interval


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_bpe([TEXT], 320)


def new_run(tokenizer: Tokenizer, steps: int = 12) -> Run:
    torch.manual_seed(3)
    network = llama(tokenizer.get_vocab_size(), width=32, layers=2, heads=2, hidden=64, context=CONTEXT)
    ids = [np.array(tokenizer.encode(line).ids) for line in TEXT.splitlines()]
    schedule = Schedule(
        tokens=steps * 4 * CONTEXT, batch=4, context=CONTEXT, muon_rate=0.02, adamw_rate=0.01,
        warmup=0.1, cooldown=0.9, weight_decay=0.1, clip=1.0, seed=5,
    )  # fmt: skip
    return Run(network, ids, schedule)


def weights(run: Run) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in run.network.parameters()])


def test_a_fresh_network_knows_nothing_and_learns_a_tiny_text(tokenizer: Tokenizer) -> None:
    run = new_run(tokenizer, steps=40)
    losses = [run.advance() for _ in range(run.schedule.steps)]
    assert losses[0] == pytest.approx(math.log(tokenizer.get_vocab_size()), rel=0.05)
    assert losses[-1] < 0.3 * losses[0]


def test_without_updates_nothing_is_learnt(tokenizer: Tokenizer) -> None:
    run = new_run(tokenizer, steps=40)
    frozen = weights(run)
    for optimiser, _ in run._optimisers:
        optimiser.step = lambda *_: None  # type: ignore
    losses = [run.advance() for _ in range(5)]
    assert torch.equal(frozen, weights(run))
    assert losses[-1] > 0.9 * losses[0]


def test_a_resumed_run_is_the_unbroken_run(tokenizer: Tokenizer, tmp_path: Path) -> None:
    unbroken, stopped, resumed, half = (new_run(tokenizer) for _ in range(4))
    for _ in range(12):
        unbroken.advance()
    for _ in range(5):
        stopped.advance()
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    half.network.load_state_dict(stopped.network.state_dict())
    half.step = 5
    for _ in range(7):
        resumed.advance()
        half.advance()
    assert torch.equal(weights(unbroken), weights(resumed))
    assert not torch.equal(weights(unbroken), weights(half)), "the optimisers' state must matter"


def test_the_loss_falls_to_the_entropy_of_the_text_and_not_below() -> None:
    draw = np.random.default_rng(1)
    documents = [np.array([0, *draw.integers(1, 5, 2000)]) for _ in range(4)]  # four tokens, one as likely as the other
    torch.manual_seed(3)
    network = llama(64, width=32, layers=1, heads=1, hidden=64, context=CONTEXT)
    run = Run(network, documents, Schedule(60 * 4 * CONTEXT, 4, CONTEXT, 0.02, 0.01, 0.1, 0.5, 0.1, 1.0, 5))
    losses = [run.advance() for _ in range(run.schedule.steps)]
    assert losses[0] == pytest.approx(math.log(64), rel=0.05)
    assert sum(losses[-10:]) / 10 == pytest.approx(math.log(4), rel=0.03)


def test_the_gradient_with_respect_to_the_logits_is_p_minus_one_hot(tokenizer: Tokenizer) -> None:
    run = new_run(tokenizer)
    batch = torch.from_numpy(run.batch())
    logits = run.network(input_ids=batch[:, :-1], use_cache=False).logits
    logits.retain_grad()
    nll(logits, batch[:, 1:]).sum().backward()
    rows = zip(logits.detach().numpy()[0], logits.grad.numpy()[0], batch[0, 1:].tolist(), strict=True)
    for row, gradient, target in rows:
        assert gradient == pytest.approx(logit_gradient(row, target), abs=1e-6)
        assert gradient[target] < -0.9 < 0 < gradient[target - 1] < 0.1


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_adamw_trains_every_weight_where_muon_has_no_rate(tokenizer: Tokenizer, precision: Precision) -> None:
    run = new_run(tokenizer)
    run = Run(run.network, run.documents, replace(run.schedule, muon_rate=0.0, precision=precision))
    before = [parameter.detach().clone() for parameter in run.network.parameters()]
    run.advance()
    assert [type(optimiser).__name__ for optimiser, _ in run._optimisers] == ["AdamW"]
    assert not any(torch.equal(*pair) for pair in zip(before, run.network.parameters(), strict=True))


def test_a_checkpoint_that_is_not_of_this_run_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    run, file = new_run(tokenizer), tmp_path / "run.safetensors"
    run.advance()
    run.save(file)
    torch.manual_seed(3)
    wider = llama(tokenizer.get_vocab_size(), width=64, layers=2, heads=2, hidden=64, context=CONTEXT)
    adamw_only = Run(new_run(tokenizer).network, run.documents, replace(run.schedule, muon_rate=0.0))
    for other in (Run(wider, run.documents, run.schedule), adamw_only):
        kept = weights(other)
        with pytest.raises(Problem, match="another run"):
            other.resume(file)
        assert torch.equal(kept, weights(other))
        assert other.step == 0
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(Problem, match="damaged or cut off"):
        run.resume(file)


def test_a_text_too_short_for_a_batch_is_a_problem(tokenizer: Tokenizer) -> None:
    run = new_run(tokenizer)
    with pytest.raises(Problem, match="too few tokens for a batch of 129"):
        Run(run.network, [np.arange(128)], run.schedule)
    assert Run(run.network, [np.arange(129)], run.schedule)._steps_per_epoch == 1


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    schedule = Schedule(1000 * 8, 1, 8, 0.02, 0.01, 0.1, 0.9, 0.1, 1.0, 0)
    factors = [schedule.factor(step) for step in range(schedule.steps)]
    assert len(factors) == 1000
    assert max(factors) == factors[99] == 1
    assert factors[:100] == sorted(factors[:100])
    assert factors[100:] == sorted(factors[100:], reverse=True)
    assert factors[-1] == pytest.approx(1 / 900)


@given(st.lists(st.integers(1, 40), min_size=4), st.integers(0, 3))
def test_every_token_is_predicted_once_an_epoch(lengths: list[int], epoch: int) -> None:
    total = sum(lengths)
    tokens = np.arange(total)
    documents = np.split(tokens, np.cumsum(lengths)[:-1])
    if total <= CONTEXT:
        return
    packed = rows(documents, CONTEXT, 7, epoch)
    assert packed.shape == ((total - 1) // CONTEXT, CONTEXT + 1)
    assert len(set(packed[:, 1:].flatten())) == packed[:, 1:].size
    assert np.array_equal(packed, rows(documents, CONTEXT, 7, epoch))


def held_out_texts_in_training(training: list[Document], held_out: list[Document]) -> set[str]:
    return {d.text for d in held_out} & {d.text for d in training}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30))), st.integers(2, 5))
def test_held_out_documents_never_occur_in_training(found: list[tuple[str, int]], every: int) -> None:
    documents = [Document(source, str(i), f"text {text}") for i, (source, text) in enumerate(found)]
    training, held_out = split(documents, every)
    assert not held_out_texts_in_training(training, held_out)
    assert {d.text for d in training + held_out} == {d.text for d in documents}
    if held_out:  # the check sees a leak
        assert held_out_texts_in_training([*training, held_out[0]], held_out)


@pytest.mark.parametrize(("outside", "held"), [({"news"}, ["b", "news", "news", "news"]), (set(), ["b", "news"])])
def test_an_outside_source_is_never_trained_on(outside: set[str], held: list[str]) -> None:
    found = [Document(source, str(i), f"{source} {i}") for source in ("b", "news") for i in range(3)]
    copied = Document("b", "copy", "news 0")  # of a news text, and so not trained on either
    training, held_out = split([*found, copied], 3, outside)
    assert [document.source for document in held_out] == held
    assert (copied in training) == (not outside)


@settings(deadline=None)
@given(st.text())
def test_any_text_round_trips_behind_its_separator(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids
    assert ids[0] == tokenizer.token_to_id(SEPARATOR) == 0
    assert ids[1:] == tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids[1:], skip_special_tokens=False) == text
    if text:  # nothing but the whole gives the text
        assert tokenizer.decode(ids[2:], skip_special_tokens=False) != text


def test_digits_are_tokens_of_their_own_and_no_space_is_added(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("1961", add_special_tokens=False).tokens == ["1", "9", "6", "1"]
    assert tokenizer.encode("The", add_special_tokens=False).tokens[0][0] == "T"


def test_transformers_opens_the_folder_and_sees_the_separator(tokenizer: Tokenizer, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = new_run(tokenizer)
    save_tokenizer(tokenizer, tmp_path, CONTEXT)
    save(run.network, tmp_path)  # type: ignore[arg-type]
    opened = AutoTokenizer.from_pretrained(tmp_path)
    assert opened("Hello").input_ids[0] == opened.bos_token_id == opened.eos_token_id == 0
    assert 0 not in opened("Hello", add_special_tokens=False).input_ids
    network = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert network.config.max_position_embeddings == opened.model_max_length == CONTEXT
    ids = torch.tensor([tokenizer.encode(TEXT[:60]).ids])
    found = score(network, tokenizer, [TEXT[:60]], Windows.half(CONTEXT))
    with torch.no_grad():
        mean = network(ids, labels=ids).loss.item()
    assert found.tokens == ids.shape[1] - 1 <= CONTEXT
    assert found.nats == pytest.approx(mean * found.tokens, rel=1e-5)


def test_bits_per_byte_of_a_uniform_network(tokenizer: Tokenizer) -> None:
    network = new_run(tokenizer).network
    torch.nn.init.zeros_(network.get_input_embeddings().weight)  # type: ignore[operator]
    text = TEXT[:500] + "é"  # one character, two bytes; longer than the context
    found = score(network, tokenizer, [text, text], Windows.half(CONTEXT))
    tokens = len(tokenizer.encode(text).ids) - 1
    assert tokens > 2 * CONTEXT
    assert (found.tokens, found.bytes) == (2 * tokens, 2 * 502)
    assert found.bits_per_byte == pytest.approx(tokens * math.log2(tokenizer.get_vocab_size()) / 502, rel=1e-6)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("``/`` Why/wrb ?/. ?/. ''/'' (/( he/pps asked/vbd )/) ./.", '"Why?" (he asked).'),
        ("the/at and/or/cc case/nn", "the and/or case"),
    ],
)
def test_brown_reads_like_prose(raw: str, clean: str) -> None:
    assert readers.brown_paragraph(raw) == clean


def test_wiki_markup_becomes_text() -> None:
    box = "{{Infobox|a={{b}}}}\n"
    head = "'''Ice''' is [[water|frozen water]]<ref name=x>y</ref>, and [http://x it] floats on lakes."
    tail = " It is less dense than water, which is why it does so."
    assert readers.wiki_text(box + head + tail) == "Ice is frozen water, and it floats on lakes." + tail


def test_the_recipe_of_english_is_whole() -> None:
    recipe = read_recipe(paths.assets() / "recipes/english.toml")
    assert Schedule(**recipe.schedule).steps > 1000
    assert recipe.outside == {"news"}
    assert all(len(source.sha256) == 64 and source.licence and source.version for source in recipe.sources)


def test_a_bad_recipe_is_a_problem(tmp_path: Path) -> None:
    recipe = tmp_path / "bad.toml"
    with pytest.raises(Problem, match="cannot read"):
        read_recipe(recipe)
    recipe.write_text("name = 3 =")
    with pytest.raises(Problem, match="is no recipe"):
        read_recipe(recipe)
    english = (paths.assets() / "recipes/english.toml").read_text(encoding="utf-8")
    recipe.write_text(english.replace('role = "outside"', 'role = "outsider"'), encoding="utf-8")
    with pytest.raises(Problem, match=r"source\[8\]\.role is 'outsider'; give one of training, outside"):
        read_recipe(recipe)


def test_the_shipped_english_is_small_and_whole() -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = paths.assets() / "models/english"
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 25e6
    opened = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder)
    assert network.dtype == torch.bfloat16
    assert network.num_parameters() >= 5_000_000
    assert network.config.max_position_embeddings >= 512
    assert opened("Hello").input_ids[0] == network.config.bos_token_id
    text = "He looked at her for a long time, and then he went out of the house."
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    network.float()  # type: ignore[no-untyped-call]
    learnt = score(network, tokenizer, [text], Windows.half(512)).bits_per_byte
    torch.nn.init.normal_(network.get_input_embeddings().weight, std=0.02)  # type: ignore[arg-type]
    assert learnt < 2 < score(network, tokenizer, [text], Windows.half(512)).bits_per_byte
