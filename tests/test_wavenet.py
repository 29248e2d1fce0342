"""WaveNet: its connections reach earlier samples only, and the queues change no number."""

from __future__ import annotations

import itertools
import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.engine.state import State
from arplay.models import catalogue
from arplay.models.families.wavenet.model import A_PASS, WaveNet
from arplay.models.families.wavenet.network import Network, Sizes
from arplay.models.store.cards import read_card

CLOSE = 1e-4  # nats, in float32
SIZES = st.builds(
    Sizes, levels=st.integers(2, 9), width=st.integers(1, 4), skip=st.integers(1, 4), stages=st.integers(1, 4),
    cycles=st.integers(1, 3), rate=st.just(8000),
)  # fmt: skip


def quiet(fraction: float | None, what: str) -> None:
    """Progress that nobody looks at."""


def network(sizes: Sizes, seed: int = 0) -> Network:
    """With weights that leave nothing at 0, in float64, so that what does not depend does not move at all."""
    made, draw = Network(sizes).double().eval(), torch.Generator().manual_seed(seed)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=draw)
    torch.nn.init.constant_(made.mix.bias, 20)  # no unit is off, so every gradient passes
    torch.nn.init.constant_(made.layers[-1][2].bias, 20)
    return made


def opened(folder: Path, sizes: Sizes, seed: int = 0) -> WaveNet:
    network(sizes, seed).float().save_pretrained(folder)
    model = catalogue.load(str(folder), "cpu", "auto", quiet)
    assert isinstance(model, WaveNet)
    return model


@cache
def made_model(sizes: Sizes) -> WaveNet:
    with tempfile.TemporaryDirectory() as folder:
        return opened(Path(folder), sizes)


def drawn(sizes: Sizes, n: int, seed: int = 0) -> list[int]:
    ids: list[int] = np.random.default_rng(seed).integers(0, sizes.levels, n).tolist()
    return ids


def moved(made: Network, ids: list[int], at: int) -> set[int]:
    """The samples whose distribution moves where all from ``at`` on change."""
    levels = made.config.levels
    other = ids[:at] + [(id + 1) % levels for id in ids[at:]]
    with torch.inference_mode():
        a, b = (made(torch.tensor([[levels, *each]])).logits[0] for each in (ids, other))
    return set((a != b).any(dim=1).nonzero().flatten().tolist())


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(0, 39), st.integers(0, 3))
def test_what_comes_later_moves_nothing(sizes: Sizes, at: int, seed: int) -> None:
    assert all(index > at for index in moved(network(sizes, seed), drawn(sizes, 40, seed), at))


def test_a_wrong_shift_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    made, pad = network(Sizes(4, 2, 2, 3, 2, 8000)), torch.nn.functional.pad
    assert 15 in moved(made, drawn(made.config, 30), 14)

    def ahead(past: torch.Tensor, room: tuple[int, ...]) -> torch.Tensor:
        dilation = room[2]
        return pad(past[:, dilation:], (0, 0, 0, dilation))

    monkeypatch.setattr(torch.nn.functional, "pad", ahead)
    assert min(moved(made, drawn(made.config, 30), 14)) < 14


@settings(max_examples=25, deadline=None)
@given(SIZES, st.integers(0, 2))
def test_the_receptive_field_is_the_sum_of_the_dilations(sizes: Sizes, seed: int) -> None:
    made, n = network(sizes, seed), sizes.field + 6
    embedded: list[torch.Tensor] = []
    made.embedding.register_forward_hook(lambda *given: embedded.append(given[2].requires_grad_()))
    logits = made(torch.tensor([[sizes.levels, *drawn(sizes, n - 1, seed)]])).logits
    (gradient,) = torch.autograd.grad(logits[0, -1].square().sum(), embedded[0])
    seen = np.flatnonzero((gradient[0] != 0).any(dim=1).numpy())
    assume(len(seen))  # a rectifier of so few channels may let nothing through
    assert seen[0] == n - sizes.field and seen[-1] == n - 1
    if sizes.stages > 1 or sizes.cycles == 1:
        assert len(seen) == sizes.field  # every sample of the field is read, none is skipped


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([Sizes(5, 3, 4, 3, 2, 8000), Sizes(16, 4, 5, 2, 1, 8000)]), st.integers(0, 30), st.data())
def test_all_places_at_once_are_each_of_them_alone(sizes: Sizes, length: int, data: st.DataObject) -> None:
    model, ids = made_model(sizes), drawn(sizes, length, length)
    first = data.draw(st.integers(0, length))
    found = model.at_once(ids, first)
    assert found.shape == (length - first, sizes.levels)
    for place, row in enumerate(found, first):
        np.testing.assert_allclose(row, model.uncached(ids[:place]), atol=CLOSE)


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([Sizes(5, 3, 4, 3, 2, 8000), Sizes(16, 4, 5, 2, 1, 8000)]), st.integers(1, 30))
def test_what_it_says_to_read_is_what_moves_it(sizes: Sizes, index: int) -> None:
    """Each sample changed alone, and the gradient; what it says it does not read moves nothing at all."""
    made, model, ids = network(sizes), made_model(sizes), drawn(sizes, index, index)
    others = [[(id + (k == at)) % sizes.levels for k, id in enumerate(ids)] for at in range(index)]
    with torch.inference_mode():
        own, *moved = (made(torch.tensor([[sizes.levels, *each]])).logits[0, -1] for each in (ids, *others))
    says, field = model.reads(index), model.field(ids)
    assert [bool((row != own).any()) for row in moved] == says.tolist()
    declared = field.declared.tolist()
    assert declared == says[index - len(declared) :].tolist() == (field.gradient > 0).tolist()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_way_to_a_place_gives_the_same_logits(data: st.DataObject) -> None:
    sizes = data.draw(
        st.sampled_from([Sizes(5, 3, 4, 9, 1, 8000), Sizes(16, 4, 5, 3, 2, 8000), Sizes(2, 1, 1, 1, 1, 100)])
    )
    model = made_model(sizes)
    session, others = model.session(), []
    for _ in range(data.draw(st.integers(1, 8))):
        at = len(session.ids)
        more = drawn(sizes, data.draw(st.sampled_from([0, 1, 7, A_PASS, A_PASS + 1, 900])), at)
        act = data.draw(st.sampled_from(["extend", "read", "rewind", "branch"]))
        if act == "extend":
            scores = session.extend(more)
            np.testing.assert_allclose(scores.logprob, model.teacher_forced(session.ids)[at:], atol=CLOSE)
        elif act == "read":
            session.read(more)
        elif act == "rewind":
            session.rewind(max(0, at - data.draw(st.sampled_from([0, 1, 5, 250, 600, 5000]))))
        else:
            others.append((session, session.ids))
            session = session.branch()
        np.testing.assert_allclose(session.logits(), model.uncached(session.ids), atol=CLOSE)
    for other, ids in others:
        assert other.ids == ids
        np.testing.assert_allclose(other.logits(), model.uncached(ids), atol=CLOSE)


def test_chunks_are_longer_than_what_each_reads_anew() -> None:
    state, model = State(catalogue.load), made_model(Sizes(5, 3, 4, 9, 1, 8000))
    state.use(model)
    assert model.can.reach == 512 and state.pace.most == 4 * 512


def test_a_queue_that_is_kept_wrongly_is_caught() -> None:
    model = made_model(Sizes(16, 4, 5, 3, 2, 8000))
    session = model.session()
    session.read(drawn(model.network.config, 12))
    session._queues.kept[2] += 1  # the negative control of the test above
    session.read([2, 3])
    assert np.abs(session.logits() - model.uncached(session.ids)).max() > 10 * CLOSE


def test_sounds_side_by_side_are_those_alone() -> None:
    sizes = Sizes(16, 4, 5, 3, 2, 8000)
    model, chains = made_model(sizes), [[2, 1], [0, 1], [2, 1]]
    batch = model.batch(chains)
    for step in range(24):
        for chain, row, shift in zip(chains, batch.logprobs, batch.shift, strict=True):
            np.testing.assert_allclose(row + shift, model.uncached(chain), atol=CLOSE)
        if step == 7:
            parents = [2, 0, 0, 1]
            batch.reorder(parents)
            chains = [list(chains[parent]) for parent in parents]
        ids = drawn(sizes, len(chains), step)
        batch.step(ids)
        chains = [[*chain, id] for chain, id in zip(chains, ids, strict=True)]


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 4), st.integers(0, 5))
def test_all_short_sounds_sum_to_one(levels: int, seed: int) -> None:
    """Given their length: that a sound ends is no sample."""
    with tempfile.TemporaryDirectory() as folder:
        model = opened(Path(folder), Sizes(levels, 2, 3, 2, 1, 8000), seed)
    every = itertools.product(range(levels), repeat=4)
    assert np.exp([model.teacher_forced(ids).sum() for ids in every]).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("levels", 1),
        ("levels", 257),
        ("stages", 30),
        ("width", 1 << 20),
        ("cycles", True),
        ("rate", "8000"),
        ("skip", 0),
    ],
)
def test_sizes_that_are_none_are_told(tmp_path: Path, key: str, value: object) -> None:
    opened(tmp_path, Sizes(4, 2, 2, 2, 1, 8000))
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(Problem, match=key):
        catalogue.load(str(tmp_path), "cpu", "auto", quiet)
    assert read_card(tmp_path).state == "broken"


def test_weights_of_other_sizes_and_no_numbers_are_told(tmp_path: Path) -> None:
    sizes = Sizes(4, 2, 2, 2, 1, 8000)
    model = opened(tmp_path, sizes)
    assert "receptive field 4 samples" in model.info.why
    card = read_card(tmp_path)
    assert (card.state, card.vocabulary, card.family) == ("ready", 4, "WaveNet")
    told = catalogue.load(str(tmp_path), "cpu", "bfloat16", quiet).info
    assert told.dtype == "float32" and "not on cpu in bfloat16" in told.why
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"width": 2', '"width": 3'))
    with pytest.raises(Problem, match="another network"):
        catalogue.load(str(tmp_path), "cpu", "auto", quiet)
    broken = network(sizes).float()
    torch.nn.init.constant_(broken.mix.bias, float("nan"))
    broken.save_pretrained(tmp_path)
    with pytest.raises(Problem, match="not numbers"):
        catalogue.load(str(tmp_path), "cpu", "auto", quiet)
