"""Replayed steps, caches that grow in place and weights kept in 16 bits: the same numbers, or the network's own way."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_models import network, one_thread, tiny_folders

__all__ = ["one_thread", "tiny_folders"]

FAST = ("llama", "gpt2")


def ids(n: int) -> Any:
    import torch

    return torch.randint(0, 250, (1, n), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("family", FAST)
def test_a_replayed_step_gives_the_networks_own_logits(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from arplay.models.hf import fast_step
    from arplay.models.hf.passes import Passes

    net = network(family)
    faster = fast_step.speed_up(net)
    assert "recording" in faster.done and faster.not_used == ()
    replays: list[int] = []
    real = fast_step.FastStep.__call__
    monkeypatch.setattr(fast_step.FastStep, "__call__", lambda *a: replays.append(1) or real(*a))
    text = ids(20)[0].tolist()
    plain, fast = Passes(network(family)), Passes(net, faster.step)
    with torch.inference_mode():
        (own, theirs), (mine, kept) = plain.cached(text[:4], None, 1), fast.cached(text[:4], None, 1)
        for id in text[4:]:
            (own, theirs), (mine, kept) = plain.cached([id], theirs, 1), fast.cached([id], kept, 1)
            assert float((own - mine).abs().max()) < 1e-4
        assert len(replays) == 16
        fast.cached(text[:2], kept, 1)  # several tokens go the network's own way
        fast.cached(text[:1], None, 1)
        assert len(replays) == 16


def test_a_recording_that_is_wrong_is_not_used_and_told() -> None:
    from arplay.models.hf import fast_step

    net = network("llama")
    real = net.model.layers[0].forward

    def forgets(hidden: Any, *args: Any, **more: Any) -> Any:
        """A decision by the numbers, which a recording takes once and for all."""
        return real(hidden * (1.5 if float(hidden.sum()) > 0 else 1.0), *args, **more)

    net.model.layers[0].forward = forgets
    faster = fast_step.speed_up(net)
    assert faster.step is None and "recording" not in faster.done
    assert len(faster.not_used) == 1 and "differs from the network's own by" in faster.not_used[0]


def test_a_sliding_window_goes_its_own_way() -> None:
    from arplay.models.hf import fast_step

    faster = fast_step.speed_up(network("mistral"))
    assert faster.step is None and "keeps more than keys and values that grow" in faster.not_used[0]


def test_branches_do_not_overwrite_each_other() -> None:
    import torch

    from arplay.models.hf.fast_cache import RoomyLayer, give_room
    from arplay.models.hf.library import Forward

    with torch.inference_mode():
        cache = Forward(network("llama"))(ids(6), keep=True)[1]
    give_room(cache)
    one = cache.layers[0]
    assert type(one) is RoomyLayer

    def rows(value: float, n: int) -> Any:
        return torch.full((*one.keys.shape[:2], n, one.keys.shape[3]), value)

    with torch.inference_mode():
        one.update(rows(1.0, 2), rows(1.0, 2))
        other = copy.copy(one)
        seen = other.keys.clone()
        one.crop(-2)
        one.update(rows(2.0, 2), rows(2.0, 2))
        assert torch.equal(other.keys, seen)
        assert float(one.keys[0, 0, -1, 0]) == 2.0
        place = one.keys.data_ptr()
        one.update(rows(3.0, 1), rows(3.0, 1))
        assert one.keys.data_ptr() == place  # it has room, and nobody else looks there
        other.update(rows(4.0, 1), rows(4.0, 1))
        assert float(one.keys[0, 0, -1, 0]) == 3.0 and float(other.keys[0, 0, -1, 0]) == 4.0


def test_only_sixteen_bit_numbers_are_kept_in_sixteen_bits() -> None:
    import torch

    from arplay.models.hf.fast_weights import HalvedLinear, _sixteen

    weight = torch.randn(64, 256, generator=torch.Generator().manual_seed(2))
    assert not _sixteen(weight)
    assert _sixteen(weight.half().float()) and _sixteen(weight.bfloat16().float())
    assert not _sixteen((weight * 1e9).bfloat16().float())  # more than float16 holds
    assert not _sixteen((weight * 1e-9).bfloat16().float())  # less than its smallest step
    if {"fbgemm", "x86"} & set(torch.backends.quantized.supported_engines):
        exact = weight.bfloat16().float()
        layer, row = HalvedLinear(exact, torch.ones(64)), torch.randn(1, 1, 256)
        assert torch.equal(layer.weight, exact.half().float())
        assert float((layer(row) - (row @ exact.T + 1)).abs().max()) < 1e-4


def test_a_recording_unpacks_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder reads every property of a module, and would keep each weight in 32 bits beside its 16."""
    import torch

    from arplay.models.hf import fast_step, fast_weights

    if not {"fbgemm", "x86"} & set(torch.backends.quantized.supported_engines):
        pytest.skip("this processor has no such product")
    monkeypatch.setattr(fast_weights, "_pays", lambda plain, other: True)
    monkeypatch.setattr(fast_weights, "LEAST_WEIGHTS", 1)
    net = network("llama").eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.half().float())
    asked: list[str] = []
    real = fast_weights.HalvedLinear.__getattr__
    monkeypatch.setattr(
        fast_weights.HalvedLinear, "__getattr__", lambda self, name: asked.append(name) or real(self, name)
    )
    assert "16 bits" in (done := fast_step.speed_up(net).done) and "recording" in done
    assert not {"weight", "bias"} & set(asked)
    assert net.lm_head.weight.shape == (net.config.vocab_size, 16) and "weight" in asked


@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_a_row_spread_over_the_threads_is_the_same_product(kind: str) -> None:
    import torch
    from transformers.pytorch_utils import Conv1D

    from arplay.models.hf.fast_weights import SpreadConv1D, SpreadLinear

    layer: Any = torch.nn.Linear(48, 64) if kind == "linear" else Conv1D(64, 48)
    row, rows = torch.randn(1, 1, 48), torch.randn(1, 3, 48)
    with torch.inference_mode():
        want = layer(row), layer(rows)
        layer.__class__ = SpreadLinear if kind == "linear" else SpreadConv1D
        for mine, theirs in zip((layer(row), layer(rows)), want, strict=True):
            assert mine.shape == theirs.shape and float((mine - theirs).abs().max()) < 1e-5


def test_a_session_steps_by_replays(tiny_folders: dict[str, Path]) -> None:
    from arplay.core.distribution import log_softmax
    from arplay.models.hf import loading

    model = loading.load(tiny_folders["gpt2"], "tiny", "cpu", "float32", lambda fraction, what: None)
    assert "recording" in model.info.why
    session = model.session()
    session.read([1, 2, 3])
    for id in (7, 8, 9):
        session.read([id])
        fresh = model.uncached(list(session.ids))
        assert abs(log_softmax(session.logits()) - log_softmax(fresh)).max() < 1e-4
