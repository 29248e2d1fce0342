"""What training pulls at: the gradient of the next-token loss with respect to the logits, p minus one-hot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import Floats, log_softmax


def logit_gradient(logits: NDArray[np.floating], target: int) -> Floats:
    """d(-log p_target) / d z = p - onehot(target), shape (V,), without unit; it sums to 0.

    With p = softmax(z), -log p_t = log sum_j exp z_j - z_t, whose derivative by z_i is p_i - [i = t] (Bridle 1990).
    A step of gradient descent goes against it: every other token is pushed down by its p, the target is pulled up by
    1 - p. A logit of minus infinity has p = 0. Raises Problem for logits that define no distribution, IndexError for a
    target outside the vocabulary.

    >>> logit_gradient(np.log(np.array([0.5, 0.25, 0.25])), 1)
    array([ 0.5 , -0.75,  0.25])
    """
    if not 0 <= target < len(logits):
        raise IndexError(f"id {target} is outside a vocabulary of {len(logits)}")
    gradient = np.exp(log_softmax(logits))
    gradient[target] = -float(np.sum(gradient[:target]) + np.sum(gradient[target + 1 :]))  # p - 1 without cancellation
    return gradient
