"""Never more than 64 MiB of logits at once, whatever the vocabulary and whatever the forward can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from arplay.core.distribution import log_softmax
from arplay.models.base import LOGITS_BYTES, Info
from arplay.models.hf import causal_lm
from arplay.models.hf.causal_lm import CausalLM
from arplay.models.hf.proof import proved
from tests.tiny_models import network, one_thread

__all__ = ["one_thread"]

LONG = 66


def model_of(family: str, **changes: Any) -> CausalLM:
    """A model without a tokenizer."""
    import torch

    made = network(family, **changes)
    proof = proved(torch, made, family)
    alphabet: Any = None
    info = Info(family, family, "", "", "float32", "cpu", proof.vocabulary, LONG, 0)
    return CausalLM(made, alphabet, info, proof)


@contextmanager
def logits_of(model: CausalLM) -> Iterator[list[int]]:
    """Bytes of what the head makes in each forward."""
    made: list[int] = []
    hook = model.network.get_output_embeddings().register_forward_hook(
        lambda module, args, out: made.append(out.numel() * out.element_size())
    )
    yield made
    hook.remove()


def everything(model: CausalLM, ids: list[int]) -> list[np.ndarray]:
    session = model.session()
    scores = session.extend(ids)
    other = model.session()
    other.read(ids)
    other.rewind(len(ids) - 5)
    again = other.extend(ids[-5:])
    return [scores.logprob[1:], again.logprob, model.teacher_forced(ids)[1:], log_softmax(session.logits())[:9]]


def test_a_vocabulary_of_256k_is_read_in_chunks() -> None:
    import torch

    size = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "max_position_embeddings": LONG}
    model = model_of("llama", vocab_size=1 << 18, **size)
    ids = [int(id) for id in np.random.default_rng(0).integers(0, 1 << 18, LONG)]
    with logits_of(model) as made:
        scored = model.session().extend(ids).logprob[1:]
        model.session().read(ids)
        forced = model.teacher_forced(ids)[1:]
    assert LOGITS_BYTES / 2 < max(made) <= LOGITS_BYTES and len(made) == 2 + 1 + 2
    assert np.abs(scored - forced).max() < 1e-4
    with logits_of(model) as made, torch.inference_mode():
        model.passes.fresh(ids, LONG)  # negative control: all rows at once
    assert max(made) > LOGITS_BYTES


@pytest.mark.parametrize("family", ["llama", "gemma2", "mamba", "jamba", "recurrent_gemma"])
def test_a_forward_that_always_gives_all_logits_is_not_let(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(family)
    ids = [int(id) for id in np.random.default_rng(0).integers(0, 259, 22)]
    rows = 4
    monkeypatch.setattr(causal_lm, "LOGITS_BYTES", (rows + 1) * 4 * model.info.vocabulary)
    model = CausalLM(model.network, model.alphabet, model.info, model.proof)
    asked = everything(model, ids)
    monkeypatch.setattr(model.passes.forward, "_taken", model.passes.forward._taken - {"logits_to_keep"})
    with logits_of(model) as made:
        cut = everything(model, ids)
    assert max(made) <= causal_lm.LOGITS_BYTES
    for mine, theirs in zip(cut, asked, strict=True):
        assert np.abs(mine - theirs).max() < 1e-5
