"""arplay's own Llama network is transformers' LlamaForCausalLM, in every size and number type, and is opened alone."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from arplay import paths
from arplay.models.base import expect
from arplay.models.hf import llama, llama_folder, loading
from arplay.models.hf.causal_lm import CausalLM
from arplay.models.hf.kv_cache import KVCache
from arplay.models.hf.llama import Llama
from arplay.models.store.folder import inspect
from tests.tiny_models import network, save

TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 0.04, torch.float16: 5e-3}
"""Of the largest logit; 16-bit numbers are rounded in other places."""

SHAPES: list[dict[str, Any]] = [
    {"num_attention_heads": heads, "num_key_value_heads": kv, "head_dim": width, "hidden_size": hidden}
    for heads, kv, width, hidden in ((1, 1, 8, 8), (4, 2, 8, 32), (4, 1, 16, 24), (6, 3, 4, 24), (2, 2, 8, 40))
]


def ours_of(folder: Path, dtype: torch.dtype = torch.float32) -> Llama:
    found = inspect(folder)
    sizes, why = llama_folder.understood(found, "cpu")
    assert sizes is not None, why
    return llama_folder.build(found, sizes, "cpu", dtype, lambda fraction, what: None)


def theirs_of(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    from arplay.models.hf import library

    return library.causal_network(str(folder), dtype=dtype).eval()


def ids_of(size: int, batch: int = 1, n: int = 20) -> torch.Tensor:
    return torch.randint(0, size, (batch, n), generator=torch.Generator().manual_seed(n))


def gap(mine: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference, as a part of the largest logit."""
    return float((mine.float() - theirs.float()).abs().max() / theirs.float().abs().max())


def alike(ours: Llama, theirs: Any, dtype: torch.dtype, batch: int) -> float:
    """Whole passes, chosen rows, steps, several at once, a rewind and a branch, against whole passes of the library."""
    ids = ids_of(ours.config.vocab_size, batch)
    with torch.inference_mode():
        whole = theirs(ids, use_cache=False).logits
        gaps = [gap(ours(ids).logits, whole), gap(ours(ids, logits_to_keep=3).logits, whole[:, -3:])]
        gaps.append(gap(ours(ids, logits_to_keep=torch.tensor([4, 2])).logits, whole[:, [4, 2]]))
        kept = ours(ids[:, :7], use_cache=True).cache
        assert kept is not None
        gaps += [gap(ours(ids[:, i : i + 1], kept, use_cache=True).logits, whole[:, i : i + 1]) for i in (7, 8, 9)]
        gaps.append(gap(ours(ids[:, 10:], kept, use_cache=True).logits, whole[:, 10:]))
        kept.cut(8)
        other = kept.branch()
        ours(ids[:, :5] * 0, other, use_cache=True)
        gaps.append(gap(ours(ids[:, 12:], kept, use_cache=True).logits, whole[:, 12:]))
        other.cut(5)
        gaps.append(gap(ours(ids[:, 12:13], other, use_cache=True).logits, whole[:, 12:13]))
    return max(gaps)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_numbers_are_those_of_the_library(shape: int, tied: bool, dtype: torch.dtype, tmp_path: Path) -> None:
    folder = save(
        tmp_path, "llama", **SHAPES[shape], tie_word_embeddings=tied, num_hidden_layers=1 + shape % 3,
        rope_parameters={"rope_type": "default", "rope_theta": (500.0, 10000.0, 1e6)[shape % 3]},
        rms_norm_eps=(1e-6, 1e-5)[shape % 2], intermediate_size=8 * (1 + 5 * (shape % 2)),
    )  # fmt: skip
    assert alike(ours_of(folder, dtype), theirs_of(folder, dtype), dtype, 1 + shape % 3) < TOLERANCE[dtype]


@pytest.mark.parametrize("what", ["theta", "eps", "heads", "places"])
def test_the_comparison_would_show_another_network(what: str, tmp_path: Path) -> None:
    folder = save(tmp_path, "llama", **SHAPES[1], num_hidden_layers=2)
    ours, theirs = ours_of(folder), theirs_of(folder)
    assert alike(ours, theirs, torch.float32, 1) < TOLERANCE[torch.float32]
    from dataclasses import replace

    if what == "places":
        turns = ours.turns
        ours.turns = lambda start, end: turns(0, end - start)  # type: ignore[method-assign]
    elif what == "heads":
        ours.layers = tuple(layer._replace(qkv=layer.qkv.roll(1, 1)) for layer in ours.layers)
    else:
        ours._rotations = torch.empty(0)
        theta, eps = (9000.0, 1e-6) if what == "theta" else (10000.0, 1e-2)
        ours.config = replace(ours.config, rope_theta=theta, rms_norm_eps=eps)
    assert alike(ours, theirs, torch.float32, 1) > 10 * TOLERANCE[torch.float32]


def test_english_is_that_of_the_library() -> None:
    folder = paths.assets() / "models" / "english"
    assert alike(ours_of(folder), theirs_of(folder), torch.float32, 2) < TOLERANCE[torch.float32]


class OtherTorch:
    """torch as another release may be: its operator is gone, or gives other sums."""

    def __init__(self, sums: bool) -> None:
        self.operator = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        self.ops = self.aten = self
        if sums:
            self._scaled_dot_product_flash_attention_for_cpu = self.other_sums

    def __getattr__(self, name: str) -> Any:
        if name == "_scaled_dot_product_flash_attention_for_cpu":
            raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute {name!r}")
        return getattr(torch, name)

    def other_sums(self, *given: Any, **more: Any) -> tuple[torch.Tensor, torch.Tensor]:
        found, sums = self.operator(*given, **more)
        return found, sums / math.log(2)


@pytest.mark.parametrize("sums", [False, True], ids=["gone", "other sums"])
def test_without_the_operator_the_numbers_are_the_same_and_it_is_told(
    sums: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ids_of(64)[0].tolist()

    def in_two_chunks(model: CausalLM) -> NDArray[np.float64]:
        session = model.session()
        return np.concatenate([session.extend(part).logprob for part in (ids[:7], ids[7:])])

    usual = opened(folder)
    expected = in_two_chunks(usual)
    monkeypatch.setattr(llama, "torch", OtherTorch(sums))
    other = opened(folder)
    (told,) = other.info.not_used
    assert "takes a mask" in told and ("differs" if sums else "no attribute") in told and usual.info.not_used == ()
    assert other.info.engine == "torch" and other.proof.cache == "cropped" and other.proof.several
    assert in_two_chunks(other) == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert alike(ours_of(folder), theirs_of(folder), torch.float32, 2) < TOLERANCE[torch.float32]


def test_the_operator_is_used_where_it_is_proved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the releases of torch that arplay is tested with: where one loses it, speed.md is no longer true."""
    network, asked, two_parts = ours_of(folder), [], llama.in_two_parts

    def counted(*given: torch.Tensor) -> torch.Tensor:
        asked.append(given)
        return two_parts(*given)

    monkeypatch.setattr(llama, "in_two_parts", counted)
    cache = network(ids_of(64), use_cache=True).cache
    network(ids_of(64), cache, use_cache=True)
    assert len(asked) == len(network.layers) and network.not_used == ()


@pytest.mark.real_model
def test_smollm2_is_that_of_the_library(smollm2_folder: Path) -> None:
    assert alike(ours_of(smollm2_folder), theirs_of(smollm2_folder), torch.float32, 1) < TOLERANCE[torch.float32]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(st.tuples(st.sampled_from(["read", "cut", "branch", "swap"]), st.integers(1, 70)), max_size=12))
def test_branches_share_rows_and_never_see_each_other(script: list[tuple[str, int]]) -> None:
    """A cache holds what was written to it: each row carries the number of the write."""
    others: list[tuple[KVCache, list[float]]] = []
    cache, held, number = KVCache(torch.empty(2, 2, 1, 1, 0, 3)), [], 0.0

    def same(one: KVCache, rows: list[float]) -> bool:
        seen = one.rows[..., : one.length, :]
        return one.length == len(rows) and bool((seen == torch.tensor(rows)[:, None]).all())

    for verb, size in script:
        if verb == "read":
            number += 1
            cache.room(size)[..., cache.length :, :] = number
            cache.length += size
            held += [number] * size
        elif verb == "cut":
            size = min(size, len(held))
            cache.cut(size)
            held = held[: len(held) - size]
        elif verb == "branch":
            branch = cache.branch()
            assert branch.rows.data_ptr() == cache.rows.data_ptr()
            others.append((branch, held.copy()))
        elif others:
            others.append((cache, held))
            cache, held = others.pop(size % (len(others) - 1) if len(others) > 1 else 0)
        assert same(cache, held) and all(same(*other) for other in others)


def test_a_step_copies_no_rows() -> None:
    cache = KVCache(torch.empty(1, 2, 1, 1, 0, 3))
    places = set()
    for _ in range(64):
        cache.room(1)
        cache.length += 1
        places.add(cache.rows.data_ptr())
    assert len(places) == 1


def test_a_text_whose_length_is_known_takes_as_much_memory_as_it_needs() -> None:
    model = opened(paths.assets() / "models" / "english")
    ids = ids_of(model.info.vocabulary or 0, n=400)[0].tolist()
    session, sessions = model.session(), []
    expect(session, 400)
    for low in range(0, 400, 100):
        session.extend(ids[low : low + 100])
        sessions.append(session.storages)
    assert sessions[1] == sessions[2] == sessions[3], "moved after its length could be used"
    sizes = model.network.config
    row = 2 * 4 * sizes.num_hidden_layers * sizes.num_key_value_heads * sizes.head_dim
    assert session.cache_bytes == 400 * row


def test_what_a_pass_wrote_stays_though_the_next_one_writes_there(folder: Path) -> None:
    """The logits of a text that is scored chunk by chunk stand in the same memory: nothing that is told looks at it."""
    model = opened(folder)
    ids = ids_of(model.info.vocabulary or 0, n=24)[0].tolist()
    whole = model.teacher_forced(ids)
    session = model.session()
    rows = session.rows(ids[:4])
    kept, before = rows.copy(), session.logits()
    told = [session.extend(ids[low : low + 5]) for low in range(4, 24, 5)]
    assert np.concatenate([scores.logprob for scores in told]) == pytest.approx(whole[4:], abs=1e-5)
    assert (rows == kept).all() and (before == kept[-1]).all()
    session.rewind(12)
    session.extend(ids[:9])
    assert (rows == kept).all() and (before == kept[-1]).all()
    assert session.logits() == pytest.approx(model.uncached(ids[:12] + ids[:9]), abs=1e-5)


# which folders it opens


def opened(folder: Path) -> CausalLM:
    return loading.load(folder, "tiny", "cpu", "float32", lambda fraction, what: None)


@pytest.fixture
def folder(tmp_path: Path, tiny_folders: dict[str, Path]) -> Path:
    return Path(shutil.copytree(tiny_folders["llama"], tmp_path / "model"))


def configure(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = folder / "config.json"
    config = json.loads(file.read_text())
    change(config)
    file.write_text(json.dumps(config))


HARMLESS: dict[str, Callable[[dict[str, Any]], object]] = {
    "as saved": lambda c: None,
    "an older file": lambda c: (c.pop("rope_parameters"), c.update(rope_theta=10000.0, rope_scaling=None)),
    "no head_dim": lambda c: c.pop("head_dim", None),
    "a name for attention": lambda c: c.update(_attn_implementation="sdpa"),
    "outputs that nobody asks for": lambda c: c.update(return_dict=False, torchscript=True, output_attentions=True),
    "another program's note": lambda c: c.update({"transformers.js_config": {"dtype": "q4"}}),
}
OTHERS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an unknown field": (lambda c: c.update(layer_skip=2), "layer_skip"),
    "other rotations": (
        lambda c: c.update(rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}),
        "rope_parameters",
    ),
    "scaled": (lambda c: c.update(rope_scaling={"type": "dynamic", "factor": 2.0}), "rope_scaling"),
    "another activation": (lambda c: c.update(hidden_act="gelu"), "hidden_act"),
    "a part of the head": (lambda c: c.update(partial_rotary_factor=0.5), "partial_rotary_factor"),
    "another head": (lambda c: c.update(tie_word_embeddings=not c["tie_word_embeddings"]), "lm_head"),
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_is_understood_is_opened_here(kind: str, folder: Path) -> None:
    configure(folder, HARMLESS[kind])
    sizes, why = llama_folder.understood(inspect(folder), "cpu")
    assert sizes is not None, why


def test_every_field_that_the_library_writes_is_known(tmp_path: Path) -> None:
    import transformers

    config = transformers.LlamaConfig().to_dict()
    assert llama_folder._values(config | {"architectures": ["LlamaForCausalLM"]})[1] == ""


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_not_goes_to_the_library_and_says_so(kind: str, folder: Path) -> None:
    change, named = OTHERS[kind]
    configure(folder, change)
    sizes, why = llama_folder.understood(inspect(folder), "cpu")
    assert sizes is None and named in why and "not used" in why


def test_the_library_is_told_where_it_is_used(folder: Path) -> None:
    own = opened(folder)
    assert own.info.engine == "torch" and own.info.not_used == () and "those of transformers" in own.info.why
    configure(folder, lambda config: config.update(layer_skip=2))
    other = opened(folder)
    assert other.info.engine == "transformers" and any("layer_skip" in said for said in other.info.not_used)
    ids = [3, 1, 4, 1, 5]
    assert own.teacher_forced(ids) == pytest.approx(other.teacher_forced(ids), nan_ok=True, abs=1e-4)


def test_numbers_that_are_not_the_librarys_are_found_at_load(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs_of(folder)  # the class is imported
    monkeypatch.setattr(llama_folder, "neighbours", lambda rows, width: rows)
    model = opened(folder)
    assert model.info.engine == "transformers" and any("differ from those" in said for said in model.info.not_used)


BLOCKED = """
import json, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "transformers":
            raise ImportError("transformers was imported")
sys.meta_path.insert(0, Wall())
sys.path.insert(0, sys.argv[1])
from arplay.cli import main
sys.exit(max(main(command) for command in json.loads(sys.argv[2])))
"""


def blocked(*commands: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """These commands, one after another, in a process that cannot import transformers."""
    root = str(Path(__file__).parent.parent)
    command = [sys.executable, "-c", BLOCKED, root, json.dumps(commands)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_english_needs_no_transformers(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Once upon a time there was a little dog.")
    asked = (["next", "--prompt", "Once"], ["score", str(text)], ["sample", "--prompt", "Once", "-n", "3"])
    done = blocked(*([*arguments, "--model", "english"] for arguments in asked))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.mark.real_model
def test_smollm2_needs_no_transformers(smollm2_folder: Path) -> None:
    done = blocked(["next", "--model", str(smollm2_folder), "--prompt", "The capital of France is", "--top", "1"])
    assert done.returncode == 0 and "Paris" in done.stdout, done.stderr


def test_the_wall_would_show(tmp_path: Path) -> None:
    network("gpt2")
    done = blocked(["next", "--model", str(save(tmp_path, "gpt2")), "--prompt", "Once"])
    assert done.returncode == 1 and "transformers was imported" in done.stderr
