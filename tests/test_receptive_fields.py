"""The receptive field: what a network declares by its connections is what its gradient measures, pixel by pixel."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.core.modalities.text import Caret, Text
from arplay.engine.field import Reach, Reached, reach
from arplay.models import catalogue
from arplay.models.base import Reaching
from arplay.models.families.lstm.network import LOOKED_AT
from arplay.models.families.pixelcnn import network as pixels
from arplay.models.families.pixelcnn.model import PixelCNN
from arplay.models.families.wavenet import network as sounds
from arplay.models.families.wavenet.model import WaveNet
from arplay.models.hf.networks import save
from tests import test_pixelcnn, test_recurrent, test_wavenet
from tests.small_model import SmallModel
from tests.test_jobs import run, state_of
from tests.tiny_models import one_thread, save_tokenizer, tokenizer

__all__ = ["one_thread"]


@cache
def of_pixels(sizes: pixels.Sizes) -> PixelCNN:
    with tempfile.TemporaryDirectory() as folder:
        model = test_pixelcnn.opened(Path(folder), sizes)
    model.network.double()  # so that a faint pixel is no 0
    return model


@cache
def of_samples(sizes: sounds.Sizes) -> WaveNet:
    with tempfile.TemporaryDirectory() as folder:
        model = test_wavenet.opened(Path(folder), sizes)
    model.network.double()
    return model


def drawn(levels: int, n: int, seed: int) -> list[int]:
    ids: list[int] = np.random.default_rng(seed).integers(0, levels, n).tolist()
    return ids


@settings(deadline=None, max_examples=20)
@given(test_pixelcnn.SIZES, st.data())
def test_pixels_that_are_connected_are_those_with_a_gradient(sizes: pixels.Sizes, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, sizes.height * sizes.width - 1))
    field = of_pixels(sizes).field(drawn(sizes.levels, n, n))
    assert len(field.declared) == n and np.array_equal(field.declared, field.gradient > 0)
    assert not (field.blind & field.declared).any() and (sizes.stacks == 1 or not field.blind.any())


@settings(deadline=None, max_examples=20)
@given(test_wavenet.SIZES, st.data())
def test_samples_that_are_connected_are_those_with_a_gradient(sizes: sounds.Sizes, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 3 * sizes.field))
    field = of_samples(sizes).field(drawn(sizes.levels, n, n))
    assert np.array_equal(field.declared, field.gradient > 0)
    assert np.count_nonzero(field.declared) == min(n, sizes.field)
    assert n <= sizes.field or not field.declared.all(), "samples that are out of reach are looked at, too"


def test_one_stack_has_a_blind_spot_and_two_have_none() -> None:
    plain, gated = (of_pixels(pixels.Sizes(7, 7, 3, 3, 4, stacks)) for stacks in (1, 2))
    ids = drawn(3, 6 * 7 + 1, 0)
    missed = plain.field(ids).blind
    assert missed.any() and not plain.field(ids).gradient[missed].any()
    assert gated.field(ids).gradient[missed].all()


@pytest.mark.parametrize("stacks", [1, 2])
def test_a_connection_that_is_not_declared_is_caught(stacks: int) -> None:
    """The negative control: one kernel of the first layer reads a pixel further up than the others say."""
    sizes = pixels.Sizes(6, 6, 3, 3, 2, stacks)
    with tempfile.TemporaryDirectory() as folder:
        model = test_pixelcnn.opened(Path(folder), sizes)
    model.network.double()
    kernel = model.network.deep[0].vertical or model.network.deep[0].horizontal
    kernel.top += 1  # every row above is now the one above that
    kernel.bottom -= 1
    field = model.field(drawn(3, 5 * 6 + 3, 1))
    assert not np.array_equal(field.declared, field.gradient > 0)


def test_an_lstm_reads_all_and_what_is_far_fades(tmp_path: Path) -> None:
    save(test_recurrent.network(), tmp_path)
    save_tokenizer(tmp_path, tokenizer(adds_separator=True))
    model = test_recurrent.opened(tmp_path)
    assert isinstance(model, Reaching) and model.can.field and not model.can.grows
    ids = drawn(test_recurrent.TOKENS, LOOKED_AT + 40, 3)
    short, long = model.field(ids[-40:]), model.field(ids)
    assert short.declared.all() and len(short.gradient) == 40 and len(long.gradient) == LOOKED_AT
    assert short.gradient[-10:].mean() > 10 * short.gradient[:10].mean()


def test_what_cannot_be_asked_is_told() -> None:
    model = of_pixels(pixels.Sizes(2, 2, 2, 1, 1))
    with pytest.raises(Problem, match="complete"):
        model.field([0, 1, 0, 1])
    with pytest.raises(Problem, match="vocabulary"):
        model.field([2])


@pytest.mark.parametrize("name", ["fashion", "digits"])
def test_shipped_pictures_read_what_they_declare_and_nothing_else(name: str) -> None:
    model = catalogue.load(name, "cpu", "float32", test_pixelcnn.quiet)
    assert isinstance(model, PixelCNN)
    sizes = model.network.config
    field = model.field(drawn(sizes.levels, 5 * sizes.width + 3, 0))
    assert not field.gradient[~field.declared].any() and field.gradient[field.declared].all()
    assert not field.blind.any()


def test_the_job_tells_it_of_the_document_alone() -> None:
    model = of_pixels(pixels.Sizes(3, 3, 2, 1, 2))
    picture = model.alphabet.levels(np.array([[0, 1, 0], [1, 1, -1], [-1, -1, -1]]))
    reached = run(reach(state_of(model), Reach(1, picture, None)))[1]
    assert isinstance(reached, Reached)
    assert reached.index == 5 and np.array_equal(reached.field.declared, model.reads(5))


def test_what_stands_before_a_text_is_no_token_of_it(tmp_path: Path) -> None:
    save(test_recurrent.network(), tmp_path)
    save_tokenizer(tmp_path, tokenizer(adds_separator=True))
    text = Text.of(b"the cat")
    reached = run(reach(state_of(test_recurrent.opened(tmp_path)), Reach(1, text, Caret(7))))[1]
    assert isinstance(reached, Reached)
    assert reached.index == len(reached.field.gradient) == len(reached.field.declared) > 0


def test_a_model_without_one_says_so() -> None:
    with pytest.raises(Problem, match="no receptive field"):
        run(reach(state_of(SmallModel()), Reach(1, Text.of(b"BAC"), Caret(3))))
