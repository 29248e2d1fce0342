"""Folders that are no model, or that would load silently wrong: each is refused with its file and reason."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from arplay.core.errors import Problem
from arplay.models import catalogue, libraries
from arplay.models.hf.loading import load
from arplay.models.store.folder import digest, inspect
from arplay.models.store.safetensors_file import check_safetensors
from tests.tiny_models import network, one_thread, save_tokenizer, tiny_folders, tokenizer

__all__ = ["one_thread", "tiny_folders"]


@pytest.fixture
def folder(tiny_folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the tiny Llama to spoil."""
    return Path(shutil.copytree(tiny_folders["llama"], tmp_path / "model"))


def opened(path: Path) -> Any:
    return load(path, "tiny", "cpu", "auto", lambda fraction, what: None)


def configure(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def beside(folder: Path, name: str, **content: Any) -> None:
    (folder / name).write_text(json.dumps(content))


def rewrite(folder: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata={"format": "pt"})


def test_the_folder_itself_is_good(folder: Path) -> None:
    found = inspect(folder)
    assert found.family == "llama" and [file.name for file in found.weights] == ["model.safetensors"]
    rewrite(folder, lambda tensors: None)  # as the tests below do, but with no change
    assert opened(folder).info.parameters > 0


def without_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), r"the folder model is no model folder \(no config.json\)"),
    "broken config": (lambda f: (f / "config.json").write_text('{"model_type": '), "config.json cannot be read"),
    "nested config": (lambda f: (f / "config.json").write_text("[" * 100_000), "config.json cannot be read"),
    "binary config": (lambda f: (f / "config.json").write_bytes(b"\xff\xfe"), "config.json cannot be read"),
    "huge config": (lambda f: os.truncate(f / "config.json", 2**20 + 1), "config.json cannot be read: larger"),
    "config a list": (lambda f: (f / "config.json").write_text("[]"), "names no model_type"),
    "adapter": (lambda f: (f / "adapter_config.json").write_text("{}"), "is an adapter"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "has no model.safetensors"),
    "pickle": (
        lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
        "has its weights as pickle files",
    ),
    "attention": (lambda f: configure(f, _attn_implementation="flash_attention_2"), "asks for attention"),
    "attention from the hub": (lambda f: configure(f, attn_implementation="kernels-x/y"), "asks for attention"),
    "nested attention": (
        lambda f: configure(f, text_config={"_attn_implementation": "kernels-x/y"}),
        "asks for attention",
    ),
    "attention set inside": (
        lambda f: configure(f, deep=[{"x": {"_attn_implementation_internal": "kernels-x/y"}}]),
        "asks for attention",
    ),
    "experts": (lambda f: configure(f, experts_implementation="kernels-x/y"), "asks for experts 'kernels-x/y'"),
    "nested quantised": (lambda f: configure(f, text_config={"quantization_config": {}}), "is quantised"),
    "other config": (lambda f: configure(f, configuration_files=["config.9.json"]), "points to another config"),
    "fusion": (lambda f: configure(f, fusion_config={"x": 1}), "patches of the model's code"),
    "kernels": (lambda f: configure(f, use_kernels=True), "kernels from elsewhere"),
    "tokenizer's arguments": (
        lambda f: beside(f, "tokenizer_config.json", init_inputs=["/etc/passwd"]),
        "arguments of its own",
    ),
    "tokenizer files": (
        lambda f: beside(f, "tokenizer_config.json", fast_tokenizer_files=["x"]),
        "other tokenizer files",
    ),
    "tokens a list": (
        lambda f: (f / "special_tokens_map.json").write_text("[]"),
        "special_tokens_map.json cannot be read",
    ),
    "deep tokenizer config": (lambda f: (f / "tokenizer_config.json").write_text("[" * 10**5), "cannot be read"),
    "distributed": (
        lambda f: (f / "shard-00001-model-00001-of-00001.safetensors").write_bytes(b""),
        "distributed training checkpoint",
    ),
    "a billion layers": (lambda f: configure(f, num_hidden_layers=10**9), "num_hidden_layers is 1000000000, but"),
    "a million layers inside": (lambda f: configure(f, text_config={"n_layer": 10**6}), "n_layer is 1000000, but"),
    "a billion experts": (lambda f: configure(f, num_local_experts=10**9), "num_local_experts is 1000000000, but"),
    "a billion words": (lambda f: configure(f, vocab_size=10**9), "vocab_size is 1000000000, but at most 1,048,576"),
    "a million words": (lambda f: configure(f, vocab_size=10**6), "describes [0-9,]+ parameters, its weights hold"),
    "a huge width": (lambda f: configure(f, intermediate_size=10**9), "describes [0-9,]+ parameters, its weights hold"),
    "a huge chunk": (lambda f: configure(f, chunk_size=10**9), "chunk_size is 1000000000"),
    "a number past all": (lambda f: configure(f, sliding_window=10**400), "sliding_window is 1000"),
    "other weights": (lambda f: configure(f, transformers_weights="x.bin"), "names a weight file of its own"),
    "quantised": (lambda f: configure(f, quantization_config={"quant_method": "gptq"}), "is quantised"),
    "encoder-decoder": (lambda f: configure(f, is_encoder_decoder=True), "encoder-decoder"),
    "architecture": (lambda f: configure(f, architectures=["BertModel"]), "is BertModel, not a causal"),
    "no architecture": (lambda f: configure(f, architectures=None), "is an unnamed architecture"),
    "architecture a text": (lambda f: configure(f, architectures="LlamaForCausalLM"), "no list of architectures"),
    "unknown family": (lambda f: configure(f, model_type="nobody_knows"), "model cannot be loaded"),
    "width a text": (lambda f: configure(f, hidden_size="wide"), "model cannot be loaded"),
    "other width": (lambda f: configure(f, hidden_size=32), "wrong shape|cannot be loaded"),
    "other vocabulary": (lambda f: configure(f, vocab_size=100), "wrong shape|cannot be loaded"),
    "more layers": (lambda f: configure(f, num_hidden_layers=3), r"lacks \d+ weights, which would be random"),
    "fewer layers": (lambda f: configure(f, num_hidden_layers=1), r"holds \d+ weights that its config.json has no"),
    "missing weight": (
        lambda f: rewrite(f, lambda t: t.pop("model.layers.1.mlp.up_proj.weight")),
        r"lacks 1 weights, which would be random numbers \(model.layers.1.mlp.up_proj.weight\)",
    ),
    "missing head": (lambda f: rewrite(f, lambda t: t.pop("lm_head.weight")), r"lacks 1 weights.*\(lm_head.weight\)"),
    "wrong shape": (
        lambda f: rewrite(f, lambda t: t.update({"model.norm.weight": np.ones(3, np.float32)})),
        "wrong shape|cannot be loaded",
    ),
    "NaN": (
        lambda f: rewrite(f, lambda t: t["model.norm.weight"].fill(np.nan)),
        r"the logits of model are not numbers \(NaN\)",
    ),
    "no tokenizer": (without_tokenizer, "model has no tokenizer"),
    "cut tokenizer": (lambda f: os.truncate(f / "tokenizer.json", 999), "tokenizer in model cannot be read"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_folder_is_refused_with_its_reason(kind: str, folder: Path) -> None:
    spoil, reason = SPOILT[kind]
    spoil(folder)
    with pytest.raises(Problem, match=reason) as caught:
        opened(folder)
    assert caught.value.remedy and "\n" not in str(caught.value)


@pytest.mark.parametrize("left", [0, 7, 8, 100, 0.5, -1])
def test_a_cut_file_is_told_before_anything_loads(left: float, folder: Path) -> None:
    file = folder / "model.safetensors"
    size = file.stat().st_size
    os.truncate(file, size + int(left) if left < 0 else int(left * size) if 0 < left < 1 else int(left))
    with pytest.raises(Problem, match=r"model.safetensors is damaged or cut off"):
        inspect(folder)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"not JSON",
        b"[]",
        b'{"a": 1}',
        b'{"a": {"data_offsets": "xy"}}',
        b'{"a": {"data_offsets": [0, null]}}',
        b"[" * 100_000,
        b"\xff\xff",
    ],
)
def test_a_corrupt_header_is_told(header: bytes, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 16)
    with pytest.raises(Problem, match=r"w.safetensors is damaged or cut off"):
        check_safetensors(file)


def test_a_header_longer_than_any_file(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(b"\xff" * 64)
    with pytest.raises(Problem, match="header is longer than the file"):
        check_safetensors(file)


def entry(dtype: Any = "F32", shape: Any = (4,), offsets: Any = (0, 16)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape) if isinstance(shape, tuple) else shape, "data_offsets": list(offsets)}


HEADERS: dict[str, tuple[str, str]] = {
    "unknown type": (json.dumps({"a": entry("F99")}), "a has the number type F99"),
    "quantised type": (json.dumps({"a": entry("F8_E4M3", (16,))}), "number type F8_E4M3"),
    "other size": (json.dumps({"a": entry(shape=(5,))}), r"a has 16 bytes for shape \[5\] of F32"),
    "negative shape": (json.dumps({"a": entry(shape=(-4, -1))}), "a has no shape"),
    "shape a float": (json.dumps({"a": entry(shape=(4.0,))}), "a has no shape"),
    "shape true": (json.dumps({"a": entry("U8", (16, True))}), "a has no shape"),
    "shape a text": (json.dumps({"a": entry(shape="4")}), "a has no shape"),
    "shape that overflows": (json.dumps({"a": entry(shape=(2**33, 2**33, 0))}), "a has 16 bytes"),
    "shape past 2^48": (json.dumps({"a": entry(shape=(2**62, 4))}), "a has no shape"),
    "deep shape": (json.dumps({"a": entry(shape=(1,) * 12 + (4,))}), "a has 16 bytes"),
    "overlap": (json.dumps({"a": entry(), "b": entry("F32", (2,), (8, 16))}), "b begins at byte 8, .* ends at 16"),
    "hole": (json.dumps({"a": entry("F32", (1,), (0, 4)), "b": entry("F32", (2,), (8, 16))}), "b begins at byte 8"),
    "the same place": (json.dumps({"a": entry(), "b": entry()}), "b begins at byte 0"),
    "backwards": (json.dumps({"a": entry(offsets=(16, 0))}), "a has -16 bytes"),
    "metadata that is no text": (json.dumps({"__metadata__": {"format": 1}, "a": entry()}), "metadata are not texts"),
    "metadata that is no map": (json.dumps({"__metadata__": [], "a": entry()}), "no attribute"),
    "half a pair": (json.dumps({"\ud800": entry()}), "surrogates"),
    "a number that is no JSON": (json.dumps({"a": entry() | {"x": math.nan}}), "NaN is no JSON"),
    "twice": ('{"a": %s, "a": %s}' % ((json.dumps(entry()),) * 2), "names something twice"),
}


odd = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | st.floats() | st.sampled_from(["", "pt", "\ud800", "é"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "format", "\udc00"]), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "more"]), odd, max_size=2), odd | st.none())
def test_what_is_accepted_the_library_opens(more: dict[str, Any], metadata: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "w.safetensors"
        header = json.dumps({"a": entry() | more} | ({} if metadata is None else {"__metadata__": metadata}))
        file.write_bytes(struct.pack("<Q", len(header)) + header.encode() + b"\0" * 16)
        try:
            tensors = check_safetensors(file)
        except Problem:
            return
        with safe_open(file, "np") as opened:
            assert set(opened.keys()) == tensors.keys()


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_that_says_what_cannot_be(kind: str, tmp_path: Path) -> None:
    text, reason = HEADERS[kind]
    file = tmp_path / "w.safetensors"

    def write(header: str) -> None:
        file.write_bytes(struct.pack("<Q", len(header)) + header.encode() + b"\0" * 16)

    write(json.dumps({"__metadata__": {"format": "pt"}, "a": entry()}))  # control
    assert [(t.shape, t.elements) for t in check_safetensors(file).values()] == [((4,), 4)]
    write(text)
    with pytest.raises(Problem, match=rf"w.safetensors is damaged or cut off: .*{reason}"):
        check_safetensors(file)


@pytest.fixture
def sharded(folder: Path) -> Path:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, of in shards.items():
        save_file({name: tensors[name] for name in of}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, of in shards.items() for name in of}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_shards_load_like_one_file(sharded: Path, tiny_folders: dict[str, Path]) -> None:
    ids = [3, 1, 4, 1, 5]
    whole = opened(tiny_folders["llama"]).teacher_forced(ids)
    assert np.array_equal(opened(sharded).teacher_forced(ids), whole, equal_nan=True)
    (sharded / "b.safetensors").unlink()
    with pytest.raises(Problem, match=r"model lacks b.safetensors"):
        opened(sharded)


@pytest.mark.parametrize(
    "index",
    [
        '{"weight_map": {"a": "../a.safetensors"}}',
        '{"weight_map": {"a": "/etc/passwd"}}',
        '{"weight_map": {"a": ".."}}',
        '{"weight_map": {"a": "x\\\\y"}}',
        '{"weight_map": {"a": 1}}',
        '{"weight_map": {}}',
        '{"weight_map": []}',
        "{}",
        "[]",
        "no JSON",
        "[" * 100_000,
    ],
)
def test_a_bad_shard_index_is_told(index: str, sharded: Path) -> None:
    (sharded / "model.safetensors.index.json").write_text(index)
    with pytest.raises(Problem, match=r"model.safetensors.index.json cannot be read"):
        opened(sharded)


def test_real_folders_of_other_kinds(tmp_path: Path) -> None:
    import transformers

    small: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    size = tokenizer().get_vocab_size()
    bert = transformers.BertConfig(vocab_size=size, **small)
    t5 = transformers.T5Config(vocab_size=size, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    kinds: list[tuple[Any, str]] = [
        (transformers.BertModel(bert), "is BertModel, not a causal"),
        (transformers.BertForMaskedLM(bert), "is BertForMaskedLM, not a causal"),
        (transformers.BertLMHeadModel(bert), "not a causal"),
        (transformers.T5ForConditionalGeneration(t5), "encoder-decoder"),
    ]
    for i, (made, reason) in enumerate(kinds):
        path = tmp_path / f"kind {i}"
        made.save_pretrained(path)
        save_tokenizer(path, tokenizer())
        with pytest.raises(Problem, match=reason):
            opened(path)


def test_a_model_that_looks_ahead_is_found_out_whatever_its_name(tmp_path: Path) -> None:
    import transformers

    config = transformers.RoFormerConfig(
        vocab_size=tokenizer().get_vocab_size(), embedding_size=16, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16, initializer_range=1.0,
    )  # fmt: skip
    made: Any = transformers.RoFormerForCausalLM(config)
    made.save_pretrained(tmp_path / "ahead")
    save_tokenizer(tmp_path / "ahead", tokenizer())
    with pytest.raises(Problem, match="looks at the tokens to come"):
        opened(tmp_path / "ahead")
    config.is_decoder = True
    made = transformers.RoFormerForCausalLM(config)
    made.save_pretrained(tmp_path / "not ahead")
    save_tokenizer(tmp_path / "not ahead", tokenizer())
    assert opened(tmp_path / "not ahead").info.family == "roformer"


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    file = tmp_path / "file.bin"
    file.write_bytes(b"x")
    for path in (loop, file, tmp_path / "nothing"):
        with pytest.raises(Problem, match="is not a folder"):
            inspect(path)
    for spec in (str(loop), str(tmp_path / "nothing"), "x" * 5000, "a\0b", "~nobody_has_this_name/x", ""):
        with pytest.raises(Problem):
            catalogue.load(spec, "cpu", "auto", lambda fraction, what: None)


def test_weights_that_point_at_themselves(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("model.safetensors")
    with pytest.raises(Problem, match=r"has no model\.safetensors"):
        inspect(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("name", [".", "config.json", "model.safetensors"])
def test_what_may_not_be_read_is_told(name: str, folder: Path) -> None:
    (folder / name).chmod(0)
    try:
        with pytest.raises(Problem, match="cannot be read"):
            inspect(folder)
    finally:
        (folder / name).chmod(0o700)


def test_gpt2_names_need_no_prefix(tmp_path: Path) -> None:
    """The first GPT-2 files hold ``h.0...`` and attention masks; they are no unused weights."""
    made = network("gpt2")
    made.save_pretrained(tmp_path)
    save_tokenizer(tmp_path, tokenizer())
    file = tmp_path / "model.safetensors"
    old = {name.removeprefix("transformer."): tensor for name, tensor in load_file(file).items()}
    old["h.0.attn.bias"] = np.tril(np.ones((1, 1, 24, 24), np.float32))
    save_file(old, file, metadata={"format": "pt"})
    assert opened(tmp_path).info.family == "gpt2"


@pytest.mark.parametrize("size", [20_000, 3_000_000, 80_000_000])
def test_the_revision_names_weights_to_their_end(tmp_path: Path, size: int) -> None:
    """A training step changes every tensor; here only 200 kB near the end differ."""
    files = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for file in files:
        with file.open("wb") as stream:
            stream.truncate(size)
    changed = min(size // 2, 200_000)
    with files[1].open("r+b") as stream:
        stream.seek(size - changed)
        stream.write(b"\1" * changed)
    first, second, third = (digest([file]) for file in files)
    assert first == third and first != second and len(first) == 12
    assert digest(files[:2]) != digest([files[1], files[0]])


def test_a_small_network_runs_on_one_thread_and_a_large_one_on_all(
    tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []  # told and not done: two threads on a busy machine are what is to be avoided
    monkeypatch.setattr(libraries, "_all_threads", lambda: 7)
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    opened(tiny_folders["llama"])
    monkeypatch.setattr(libraries, "FEW_PARAMETERS", 0)
    opened(tiny_folders["llama"])
    assert asked == [1, 7]
