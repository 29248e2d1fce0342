"""The LSTM: torch's layers are the published formulas, a session is a fresh pass, a damaged folder is refused."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from arplay import cli
from arplay.core.errors import Problem
from arplay.models.checkpoints import DENSE
from arplay.models.families.lstm.loading import load
from arplay.models.families.lstm.network import Network, lstm
from arplay.models.hf.causal_lm import CHECKPOINT_TOKENS, CausalLM, CausalSession
from arplay.models.hf.networks import put_weights, save
from arplay.models.snapshots import Snapshots, load_network
from tests.tiny_models import one_thread, save_tokenizer, tiny_folders, tokenizer

__all__ = ["one_thread", "tiny_folders"]

TOLERANCE = 1e-5
TOKENS, WIDTH, LAYERS = 300, 16, 2


def network(seed: int = 7) -> Network:
    """Its weights are large enough that tokens long ago matter."""
    torch.manual_seed(seed)
    made = lstm(TOKENS, WIDTH, LAYERS, context=24)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(4)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lstm")
    save(network(), made)
    save_tokenizer(made, tokenizer(adds_separator=True))
    return made


@pytest.fixture(scope="module")
def model(folder: Path) -> CausalLM:
    return opened(folder)


def opened(folder: Path, dtype: str = "auto") -> CausalLM:
    return load(folder, folder.name, "cpu", dtype, lambda fraction, what: None)


def fresh(model: CausalLM, ids: list[int]) -> NDArray[np.float32]:
    """Log-probs after every token by one pass of the bare network, (n, V)."""
    with torch.inference_mode():
        logits = model.network(input_ids=torch.tensor([ids])).logits[0].float()
        result: NDArray[np.float32] = torch.log_softmax(logits, dim=-1).numpy()
    return result


def log_softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max()
    result: NDArray[np.float64] = shifted - math.log(np.exp(shifted).sum())
    return result


def some_ids(n: int) -> list[int]:
    return [int(id) for id in np.random.default_rng(3).integers(0, TOKENS, n)]


def test_forward_is_the_published_step() -> None:
    """Hochreiter and Schmidhuber (1997) with forget gates, as torch's documentation of nn.LSTM writes it."""
    made, ids = network().double(), some_ids(9)
    of = {name: parameter.detach().numpy() for name, parameter in made.named_parameters()}
    hidden, cell = np.zeros((LAYERS, WIDTH)), np.zeros((LAYERS, WIDTH))
    logits = []
    for id in ids:
        x = of["embedding.weight"][id]
        for layer in range(LAYERS):
            sums = of[f"lstm.weight_ih_l{layer}"] @ x + of[f"lstm.bias_ih_l{layer}"]
            sums += of[f"lstm.weight_hh_l{layer}"] @ hidden[layer] + of[f"lstm.bias_hh_l{layer}"]
            i, f, g, o = sums.reshape(4, WIDTH)
            i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
            cell[layer] = f * cell[layer] + i * np.tanh(g)
            x = hidden[layer] = o * np.tanh(cell[layer])
        logits.append(of["embedding.weight"] @ x)
    given = torch.tensor([ids])
    with torch.inference_mode():
        out = made(input_ids=given, use_cache=True)
        last = made(input_ids=given, logits_to_keep=2).logits
        begun = made(input_ids=given[:, :4], use_cache=True)
        continued = made(input_ids=given[:, 4:], state=begun.state)
    assert np.allclose(out.logits[0], logits, atol=1e-12)
    assert np.allclose(last[0], logits[-2:], atol=1e-12)
    assert np.allclose(continued.logits[0], logits[4:], atol=1e-12)
    assert np.allclose(out.state[0][:, 0], hidden, atol=1e-12) and np.allclose(out.state[1][:, 0], cell, atol=1e-12)
    assert continued.state is None


def test_a_fresh_network_expects_every_token_alike() -> None:
    torch.manual_seed(1)
    made = lstm(4096, 64, 2, context=32)
    ids = torch.randint(4096, (8, 33))
    with torch.inference_mode():
        loss = torch.nn.functional.cross_entropy(made(input_ids=ids[:, :-1]).logits.flatten(0, 1), ids[:, 1:].flatten())
    assert float(loss) == pytest.approx(math.log(4096), rel=0.05)
    assert made.num_parameters() == 4096 * 64 + 2 * (8 * 64 * 64 + 8 * 64)


def test_what_is_known_of_it(model: CausalLM, folder: Path) -> None:
    info = model.info
    assert (info.family, info.engine, model.can.rewinds, info.dtype) == ("LSTM", "torch", "checkpoints", "float32")
    assert (info.context, info.vocabulary, info.source) == (None, TOKENS, str(folder))
    assert info.parameters == network().num_parameters()
    assert model.proof.several and model.alphabet.lead == (0,)


def test_rounded_to_bfloat16_it_opens_as_one(folder: Path, model: CausalLM) -> None:
    half, ids = opened(folder, "bfloat16"), some_ids(20)
    assert half.info.dtype == "bfloat16"
    session = half.session()
    stepped = np.concatenate([session.extend(ids[:11]).logprob, session.extend(ids[11:]).logprob])
    assert np.nanmax(np.abs(stepped - half.teacher_forced(ids))) < 0.25
    assert not np.allclose(stepped[1:], model.teacher_forced(ids)[1:], atol=1e-4)


places = st.floats(0, 1)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("extend"), st.lists(st.integers(0, TOKENS - 1), max_size=90)),
        st.tuples(st.just("read"), st.lists(st.integers(0, TOKENS - 1), max_size=90)),
        st.tuples(st.just("rewind"), places),
        st.tuples(st.just("branch"), st.booleans()),
    ),
    max_size=9,
)


class Unmoved(CausalSession):
    """The negative control: it forgets to take its state back."""

    def rewind(self, length: int) -> None:
        del self._ids[length:]


def moved(model: CausalLM, session: CausalSession, script: list[tuple[str, Any]]) -> None:
    """After each move all numbers are those of a fresh pass over the same tokens; the other branch stays as it was."""
    others: list[CausalSession] = []
    for verb, what in [*script, ("extend", [1])]:
        before = list(session.ids)
        if verb == "extend":
            scores = session.extend(what)
            if what:
                forced = model.teacher_forced(before + what)[len(before) :]
                assert np.allclose(scores.logprob, forced, atol=TOLERANCE, rtol=0, equal_nan=True)
        elif verb == "read":
            session.read(what)
        elif verb == "rewind":
            length = round(what * len(before))
            reached = session.reach(length)
            assert reached <= length
            session.rewind(length)
            assert list(session.ids) == before[:length]
        else:
            other = session.branch()
            others.append(session if what else other)
            session = other if what else session
        for each in (session, *others):
            if each.ids:
                assert np.abs(log_softmax(each.logits()) - fresh(model, list(each.ids))[-1]).max() < TOLERANCE


@settings(max_examples=40, deadline=None)
@given(script=moves)
def test_after_any_moves_a_session_is_a_fresh_pass(model: CausalLM, script: list[tuple[str, Any]]) -> None:
    moved(model, model.session(), script)


def test_the_moves_would_show_a_state_that_did_not_go_back(model: CausalLM) -> None:
    with pytest.raises(AssertionError):
        moved(model, Unmoved(model), [("extend", [5, 6, 7, 8]), ("rewind", 0.5)])


def test_going_back_costs_little(model: CausalLM) -> None:
    session, ids = model.session(), some_ids(700)
    session.read(ids[:600])
    for id in ids[600:]:
        session.read([id])
    assert session.evaluated == 700
    for back in (1, 2, 30, 400):
        at, read = len(session.ids) - back, session.evaluated
        reached = session.reach(at)
        session.rewind(at)
        session.logits()
        assert session.evaluated - read == at - reached <= max(CHECKPOINT_TOKENS, back / DENSE + 1)
    assert session.cache_bytes == sum(session.storages.values()) > 0


def test_the_first_token_has_no_distribution(model: CausalLM) -> None:
    assert not model.can.starts_empty
    with pytest.raises(Problem, match="no distribution of a first token"):
        model.session().logits()
    with pytest.raises(Problem, match="outside the vocabulary"):
        model.session().extend([TOKENS])


def test_saved_and_loaded_it_is_the_same_rounded(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert config["model_type"] == "arplay-rnn" and config["context"] == 24
    loaded = load_network(folder)
    wanted = dict(network().bfloat16().float().named_parameters())
    assert not loaded.training and loaded.config == network().config
    for name, parameter in loaded.named_parameters():
        assert parameter.dtype == torch.float32 and torch.equal(parameter, wanted.pop(name))
    assert not wanted


def test_weights_of_another_moment_are_put_into_a_network(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    save(network(seed=8), tmp_path / "later")
    built, later = load_network(folder), load_network(tmp_path / "later")
    ids = torch.tensor([some_ids(12)])
    put_weights(built, tmp_path / "later" / "model.safetensors")
    with torch.inference_mode():
        assert torch.equal(built(input_ids=ids).logits, later(input_ids=ids).logits)
    replayed = Snapshots(folder)
    assert replayed.context is None
    replayed.put(tmp_path / "later" / "model.safetensors")
    (rows,) = replayed.logits(ids[0].tolist())
    assert np.allclose(rows, later(input_ids=ids).logits[0].detach(), atol=TOLERANCE)


def test_weights_are_put_into_a_transformer_too(tiny_folders: dict[str, Path]) -> None:
    """Its tied embedding is one tensor of the file."""
    built, ids = load_network(tiny_folders["llama"]), torch.tensor([some_ids(12)])
    with torch.inference_mode():
        before = built(input_ids=ids).logits
    with torch.no_grad():
        built.lm_head.weight.zero_()
    put_weights(built, tiny_folders["llama"] / "model.safetensors")
    with torch.inference_mode():
        assert torch.equal(built(input_ids=ids).logits, before)


def test_weights_of_another_network_are_refused_and_nothing_is_changed(folder: Path, tmp_path: Path) -> None:
    built, file = load_network(folder), tmp_path / "model.safetensors"
    before = {name: parameter.clone() for name, parameter in built.named_parameters()}
    weights = load_file(folder / "model.safetensors")
    for change in (
        {"lstm.bias_hh_l0": torch.zeros(4 * WIDTH + 1)},
        {"lstm.bias_hh_l2": torch.zeros(4 * WIDTH)},
        {"lstm.weight_hh_l0": None},
    ):
        held = {name: weight for name, weight in {**weights, **change}.items() if weight is not None}
        save_file(held, file)
        with pytest.raises(Problem, match="belong to another network"):
            put_weights(built, file)
    file.write_bytes((folder / "model.safetensors").read_bytes()[:-1])
    with pytest.raises(Problem, match="damaged or cut off"):
        put_weights(built, file)
    with pytest.raises(Problem, match="cannot be read"):
        put_weights(built, tmp_path / "none.safetensors")
    assert all(torch.equal(parameter, before[name]) for name, parameter in built.named_parameters())


def says(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text()) | changes
        (folder / "config.json").write_text(json.dumps(config))

    return change


def not_numbers(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["lstm.bias_ih_l1"][0] = math.nan
    save_file(weights, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (says(hidden_size=1 << 13), "the network has"),
        (says(hidden_size=1 << 40), "hidden_size is 1099511627776"),
        (says(hidden_size=True), "hidden_size is True"),
        (says(hidden_size=0), "hidden_size is 0"),
        (says(vocab_size="300"), "vocab_size is 300"),
        (says(vocab_size=301), "the network has"),
        (says(num_hidden_layers=3), "the network has nothing|the network has"),
        (says(num_hidden_layers=60), "its weights are 9 tensors"),
        (says(context=None), "context is None"),
        (not_numbers, "not numbers"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x80\x04pickle.."), "damaged or cut off"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "tokenizer"),
    ],
)
def test_a_damaged_folder_is_refused(folder: Path, tmp_path: Path, damage: Callable[[Path], None], cause: str) -> None:
    copied = shutil.copytree(folder, tmp_path / "copy")
    opened(copied)
    damage(copied)
    with pytest.raises(Problem, match=cause):
        opened(copied)


def test_it_opens_on_the_command_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["next", "--model", str(folder), "--prompt", "The cat", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"]["family"] == "LSTM" and told["model"]["engine"] == "torch"
    text = tmp_path / "text.txt"
    text.write_text("The cat sat on the mat, and the dog sat on the log.")
    assert cli.main(["score", str(text), "--model", str(folder), "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["model"]["context"] is None
    forced = opened(folder).teacher_forced([0, *tokenizer().encode(text.read_text()).ids])[1:]
    assert scored["totals"]["scored"] == len(forced)
    assert scored["totals"]["nll_nats"] == pytest.approx(-forced.sum(), abs=len(forced) * TOLERANCE)
