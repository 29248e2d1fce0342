"""On a GPU: the same numbers as on the CPU, and the device is used by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arplay.models import catalogue, devices
from arplay.models.hf import loading

pytestmark = pytest.mark.gpu
TEXT = b"It was a dark and stormy night, and the old man sat by the fire."


def test_auto_takes_the_gpu_and_keeps_the_numbers(tiny_folders: dict[str, Path]) -> None:
    for folder in tiny_folders.values():
        gpu, cpu = (catalogue.load(str(folder), device, "float32", lambda *_: None) for device in ("auto", "cpu"))
        assert (gpu.info.device, cpu.info.device) == ("cuda", "cpu")
        ids = gpu.alphabet.encode(b"The cat sat").ids.tolist()
        logits = []
        for model in (gpu, cpu):
            session = model.session()
            session.extend(ids)
            session.rewind(2)
            session.extend(ids[2:])
            logits.append(session.logits())
        assert np.allclose(logits[0], logits[1], atol=1e-4)


def test_cached_steps_equal_the_uncached_pass_on_the_gpu() -> None:
    model = catalogue.load("english", "cuda", "float32", lambda *_: None)
    ids = [*model.alphabet.lead, *model.alphabet.encode(TEXT).ids.tolist()]
    session = model.session()
    stepped = np.array([session.extend([id]).logprob[0] for id in ids])
    assert np.nanmax(np.abs(stepped - model.teacher_forced(ids))) < 1e-4


def test_a_model_too_large_for_the_gpu_is_spread_and_keeps_the_numbers(
    tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The GPU is said to have room for a part of the weights only; the rest computes on the CPU."""
    part = 30_000

    def small(torch: Any) -> devices.Machine:
        return devices.Machine({"cuda:0": devices.RESERVE + part, "cpu": 1 << 34}, {"cuda:0": part, "cpu": 1 << 34})

    cpu = catalogue.load(str(tiny_folders["llama"]), "cpu", "float32", lambda *_: None)
    monkeypatch.setattr(loading, "machine", small)
    spread = catalogue.load(str(tiny_folders["llama"]), "auto", "float32", lambda *_: None)
    assert "GPU 0" in spread.info.placement and "cpu" in spread.info.placement and "spread" in spread.info.why
    ids = [3, 1, 4, 1, 5]
    assert np.allclose(spread.teacher_forced(ids)[1:], cpu.teacher_forced(ids)[1:], atol=1e-4)
    assert np.allclose(spread.session().extend(ids).logprob[1:], cpu.teacher_forced(ids)[1:], atol=1e-4)


def test_a_gpu_names_its_free_memory() -> None:
    import torch

    here = devices.machine(torch)
    assert here.kinds[0] == "cuda" and 0 < (here.free["cuda:0"] or 0) <= (here.total["cuda:0"] or 0)
