"""The gradient of the loss by the logits is p minus one-hot, whatever the logits are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.gradient import logit_gradient

SEED = st.integers(0, 2**32 - 1)


def by_autograd(logits: NDArray[np.float64], target: int) -> NDArray[np.float64]:
    given = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.cross_entropy(given[None], torch.tensor([target])).backward()  # type: ignore[no-untyped-call]
    assert given.grad is not None
    return given.grad.numpy()


@settings(deadline=None, max_examples=50)
@given(SEED, st.integers(1, 300), st.floats(0.1, 40.0), st.data())
def test_it_is_what_torch_differentiates(seed: int, size: int, scale: float, data: st.DataObject) -> None:
    logits = scale * np.random.default_rng(seed).normal(size=size)
    target = data.draw(st.integers(0, size - 1))
    found = logit_gradient(logits, target)
    np.testing.assert_allclose(found, by_autograd(logits, target), rtol=0, atol=1e-14)
    assert abs(found.sum()) < 1e-15 * size
    assert found[target] <= 0 and (np.delete(found, target) >= 0).all()
    other = (target + 1) % size
    if size > 1:  # the control: of another target it is another gradient
        assert np.abs(logit_gradient(logits, other) - found).max() > 0.4


def test_a_worked_value() -> None:
    assert logit_gradient(np.log([0.5, 0.25, 0.25]), 1) == pytest.approx([0.5, -0.75, 0.25])


def test_it_is_finite_where_a_table_says_never() -> None:
    logits = np.array([0.0, -np.inf, 0.0, -np.inf])
    assert logit_gradient(logits, 0).tolist() == [-0.5, 0.0, 0.5, 0.0]
    assert logit_gradient(logits, 1).tolist() == [0.5, -1.0, 0.5, 0.0]  # the loss is infinite, what it pulls at is not
    assert logit_gradient(np.array([5.0, -np.inf]), 0).tolist() == [0.0, 0.0]
    assert np.isfinite(logit_gradient(np.array([3e38, -3e38], np.float32), 1)).all()


def test_the_pull_that_is_left_of_a_token_that_is_almost_sure_is_exact() -> None:
    found = logit_gradient(np.array([60.0, 0.0]), 0)
    assert found[1] == pytest.approx(np.exp(-60.0), rel=1e-12)
    assert found[0] == -found[1]  # 1 - p would be 0


@pytest.mark.parametrize("target", [-1, 3])
def test_a_target_that_is_none_is_refused(target: int) -> None:
    with pytest.raises(IndexError, match="outside a vocabulary of 3"):
        logit_gradient(np.zeros(3), target)


@pytest.mark.parametrize("logits", [[np.nan, 0.0], [np.inf, 0.0], [-np.inf, -np.inf]])
def test_what_is_no_distribution_has_no_gradient(logits: list[float]) -> None:
    with pytest.raises(Problem, match="not numbers"):
        logit_gradient(np.array(logits), 0)
