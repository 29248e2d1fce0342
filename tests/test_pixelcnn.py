"""PixelCNN: its connections reach earlier pixels only, and whatever is kept between steps changes no number."""

from __future__ import annotations

import itertools
import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.models import catalogue
from arplay.models.families.pixelcnn.model import PixelCNN
from arplay.models.families.pixelcnn.network import FIRST, Kernel, Network, Sizes, above, left
from arplay.models.store.cards import read_card

CLOSE = 1e-4  # nats, in float32
SIZES = st.builds(
    Sizes, height=st.integers(1, 9), width=st.integers(1, 9), levels=st.integers(2, 4), channels=st.integers(1, 3),
    layers=st.integers(1, 4), stacks=st.integers(1, 2),
)  # fmt: skip


def quiet(fraction: float | None, what: str) -> None:
    """Progress that nobody looks at."""


def network(sizes: Sizes, seed: int = 0) -> Network:
    """With weights that leave nothing at 0, in float64, so that what does not depend does not move at all."""
    made, draw = Network(sizes).double().eval(), torch.Generator().manual_seed(seed)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5, generator=draw)
    for kernel in (made.deep[-1].out, made.mix):
        torch.nn.init.constant_(kernel.bias, 20)  # no unit of the last two layers is off, so every gradient passes
    return made


def opened(folder: Path, sizes: Sizes, seed: int = 0) -> PixelCNN:
    network(sizes, seed).float().save_pretrained(folder)
    model = catalogue.load(str(folder), "cpu", "auto", quiet)
    assert isinstance(model, PixelCNN)
    return model


def pixels(sizes: Sizes, seed: int = 0) -> torch.Tensor:
    draw = np.random.default_rng(seed)
    return torch.from_numpy(draw.integers(0, sizes.levels, (1, sizes.height, sizes.width)))


def moved(made: Network, picture: torch.Tensor, at: int) -> set[int]:
    """The pixels whose distribution moves where all pixels from ``at`` on get another level."""
    other = picture.clone()
    other.view(-1)[at:] = (other.view(-1)[at:] + 1) % made.config.levels
    with torch.inference_mode():
        a, b = (made.of(made.planes(each))[0].flatten(1) for each in (picture, other))
    return set((a != b).any(dim=0).nonzero().flatten().tolist())


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(0, 80), st.integers(0, 3))
def test_what_comes_later_moves_nothing(sizes: Sizes, at: int, seed: int) -> None:
    n = sizes.height * sizes.width
    assert all(index > at % n for index in moved(network(sizes, seed), pixels(sizes, seed), at % n))


@pytest.mark.parametrize("part", ["vertical", "horizontal"])
@pytest.mark.parametrize("layer", [0, 1])
def test_a_wrong_mask_is_caught(part: str, layer: int) -> None:
    sizes = Sizes(6, 6, 2, 2, 2)
    made = network(sizes)
    taps = above(1, "B") if part == "vertical" else left(1, "B")
    wrong = (*taps, (0, 1)) if layer or part == "horizontal" else taps  # what the mask of this place leaves out
    wrong = (*wrong, (1, 0)) if layer and part == "vertical" else wrong
    inputs = sizes.levels if layer == 0 else sizes.channels
    kernel = Kernel(inputs, 2 * sizes.channels, wrong).double()
    setattr(made.layers[layer], part, kernel)
    assert any(index <= 14 for index in moved(made, pixels(sizes), 14))


def seen(made: Network, row: int, column: int) -> np.ndarray:
    """The pixels that a distribution depends on, by the gradient, (H, W)."""
    planes = made.planes(pixels(made.config)).requires_grad_()
    (gradient,) = torch.autograd.grad(made.of(planes)[0, :, row, column].square().sum(), planes)
    return (gradient[0] != 0).any(dim=0).numpy()


@settings(max_examples=25, deadline=None)
@given(SIZES, st.integers(0, 80))
def test_the_receptive_field_is_the_one_of_the_taps(sizes: Sizes, at: int) -> None:
    row, column = divmod(at % (sizes.height * sizes.width), sizes.width)
    np.testing.assert_array_equal(seen(network(sizes), row, column), sizes.receptive_field(row, column))


@pytest.mark.parametrize("layers", [4, 9])
def test_one_stack_has_a_blind_spot_and_two_have_none(layers: int) -> None:
    row, column, size = 12, 3, 13
    before = np.arange(size * size).reshape(size, size) < row * size + column
    near = (row - np.arange(size)[:, None]) <= FIRST + layers - 1  # rows that a stack of this depth reaches at all
    fields = [seen(network(Sizes(size, size, 2, 2, layers, stacks)), row, column) for stacks in (1, 2)]
    blind = fields[1] & ~fields[0]
    assert not (fields[1] & ~before).any() and not (fields[0] & ~fields[1]).any()
    assert blind.any() and (np.argwhere(blind)[:, 1] > column).all()  # above and to the right, at any depth
    reach = FIRST + layers - 1
    assert fields[1][near[:, 0]][:, max(0, column - reach) : column + reach + 1][:-1].all()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_way_to_a_place_gives_the_same_logits(data: st.DataObject) -> None:
    sizes = data.draw(st.sampled_from([Sizes(5, 7, 3, 2, 3), Sizes(6, 6, 2, 2, 2, 1), Sizes(1, 4, 2, 3, 1)]))
    n = sizes.height * sizes.width
    model = made_model(sizes)
    session = model.session()
    others = []
    for _ in range(data.draw(st.integers(1, 8))):
        at = len(session.ids)
        more = data.draw(st.lists(st.integers(0, sizes.levels - 1), max_size=n - at))
        act = data.draw(st.sampled_from(["extend", "read", "rewind", "branch"]))
        if act == "extend":
            scores = session.extend(more)
            expected = model.teacher_forced(session.ids)[at:]
            np.testing.assert_allclose(scores.logprob, expected, atol=CLOSE)
        elif act == "read":
            session.read(more)
        elif act == "rewind":
            session.rewind(data.draw(st.integers(0, at)))
        else:
            others.append((session, session.ids))
            session = session.branch()
        if len(session.ids) < n:
            np.testing.assert_allclose(session.logits(), model.uncached(session.ids), atol=CLOSE)
    for other, ids in others:
        assert other.ids == ids
        if len(ids) < n:
            np.testing.assert_allclose(other.logits(), model.uncached(ids), atol=CLOSE)


@cache
def made_model(sizes: Sizes) -> PixelCNN:
    with tempfile.TemporaryDirectory() as folder:
        return opened(Path(folder), sizes)


def test_rows_that_are_kept_wrongly_are_caught() -> None:
    model = made_model(Sizes(5, 5, 3, 2, 3))
    session = model.session()
    session.extend([1] * 12)
    session.logits()
    session._rows._v[1][:, :, 2] += 1  # the negative control of the test above
    session.read([2] * 4)
    assert np.abs(session.logits() - model.uncached(session.ids)).max() > 100 * CLOSE


@pytest.mark.parametrize("stacks", [1, 2])
def test_pictures_side_by_side_are_those_alone(stacks: int) -> None:
    model = made_model(Sizes(5, 4, 3, 2, 3, stacks))
    draw = np.random.default_rng(1)
    chains = [[2, 1], [0, 1], [2, 1]]
    batch = model.batch(chains)
    for step in range(18):
        for chain, row, shift in zip(chains, batch.logprobs, batch.shift, strict=True):
            np.testing.assert_allclose(row + shift, model.uncached(chain), atol=CLOSE)
        if step == 7:
            parents = [2, 0, 0, 1]
            batch.reorder(parents)
            chains = [list(chains[parent]) for parent in parents]
        if step < 17:
            ids = draw.integers(0, 3, len(chains)).tolist()
            batch.step(ids)
            chains = [[*chain, id] for chain, id in zip(chains, ids, strict=True)]
    with pytest.raises(Problem, match="complete"):
        batch.step([0] * len(chains))


@pytest.mark.parametrize("stacks", [1, 2])
def test_all_pictures_sum_to_one(stacks: int) -> None:
    model = made_model(Sizes(2, 2, 2, 3, 2, stacks))
    every = itertools.product(range(2), repeat=4)
    assert np.exp([model.teacher_forced(ids).sum() for ids in every]).sum() == pytest.approx(1, abs=1e-6)


def test_a_whole_picture_is_complete() -> None:
    model = made_model(Sizes(2, 2, 2, 2, 1))
    session = model.session()
    session.extend([0, 1, 1, 0])
    for ask in (
        session.logits,
        lambda: session.extend([0]),
        lambda: model.uncached([0] * 4),
        lambda: model.batch([[0] * 4]),
    ):
        with pytest.raises(Problem, match="the picture is complete"):
            ask()
    with pytest.raises(Problem, match="vocabulary"):
        model.session().extend([2])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("levels", 1),
        ("levels", 999),
        ("height", 0),
        ("channels", 1 << 20),
        ("layers", True),
        ("stacks", 3),
        ("width", "4"),
    ],
)
def test_sizes_that_are_none_are_told(tmp_path: Path, key: str, value: object) -> None:
    opened(tmp_path, Sizes(4, 4, 2, 2, 1))
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(Problem, match=key):
        catalogue.load(str(tmp_path), "cpu", "auto", quiet)
    assert read_card(tmp_path).state == "broken"


def test_weights_of_other_sizes_and_no_numbers_are_told(tmp_path: Path) -> None:
    sizes = Sizes(4, 4, 2, 2, 1)
    opened(tmp_path, sizes)
    card = read_card(tmp_path)
    assert (card.state, card.vocabulary, card.family) == ("ready", 2, "PixelCNN")
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"channels": 2', '"channels": 3'))
    with pytest.raises(Problem, match="another network"):
        catalogue.load(str(tmp_path), "cpu", "auto", quiet)
    broken = network(sizes).float()
    torch.nn.init.constant_(broken.mix.bias, float("nan"))
    broken.save_pretrained(tmp_path)
    with pytest.raises(Problem, match="not numbers"):
        catalogue.load(str(tmp_path), "cpu", "auto", quiet)
