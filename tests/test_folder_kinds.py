"""Folders that transformers runs by itself: odd settings of the output, code beside the model, models that see too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arplay.core.errors import Problem
from arplay.models.hf.loading import load
from tests.tiny_models import one_thread, save_tokenizer, tiny_folders, tokenizer

__all__ = ["one_thread", "tiny_folders"]

IDS = [5, 40, 7, 200, 31, 2]
TEXT = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
}
SEES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
QWEN = {"depth": 1, "hidden_size": 16, "num_heads": 2, "out_hidden_size": 32, "intermediate_size": 24}
ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}}
PICTURES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "Gemma3": (TEXT, SEES | {"image_size": 28, "patch_size": 14}, {"mm_tokens_per_image": 4}),
    "Mistral3": (TEXT | {"model_type": "mistral"}, SEES | {"model_type": "pixtral", "head_dim": 8}, {}),
    "Llava": (TEXT | {"model_type": "llama"}, SEES | {"model_type": "clip_vision_model"}, {}),
    "Qwen2VL": (TEXT | ROPE, {"depth": 1, "embed_dim": 16, "hidden_size": 32, "num_heads": 2}, {}),
    "Qwen2_5_VL": (TEXT | ROPE, QWEN, {}),
    "Qwen3VL": (TEXT | ROPE, QWEN | {"deepstack_visual_indexes": []}, {}),
}


def opened(folder: Path) -> Any:
    return load(folder, "tiny", "cpu", "float32", lambda *_: None)


def configure(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Saves a tiny random model of text and pictures; gives the library's own network too."""
    import torch
    import tqdm
    import transformers

    tqdm.tqdm.monitor_interval = 0

    def made(kind: str, old_names: bool = False) -> tuple[Path, Any]:
        torch.manual_seed(3)
        text, vision, more = PICTURES[kind]
        config = getattr(transformers, f"{kind}Config")(text_config=dict(text), vision_config=dict(vision), **more)
        network = getattr(transformers, f"{kind}ForConditionalGeneration")(config).eval()
        folder = tmp_path_factory.mktemp(kind)
        network.save_pretrained(folder)
        save_tokenizer(folder, tokenizer())
        return folder, network

    return made


@pytest.mark.parametrize("kind", PICTURES)
def test_the_text_of_a_model_that_sees_pictures(kind: str, whole: Any) -> None:
    import torch

    folder, network = whole(kind)
    model = opened(folder)
    with torch.no_grad():
        expected = torch.log_softmax(network(input_ids=torch.tensor([IDS])).logits[0].double(), -1)
    chosen = expected[range(len(IDS) - 1), IDS[1:]].numpy()
    session = model.session()
    scores = [session.extend(IDS[:3]), session.extend(IDS[3:])]
    found = np.concatenate([part.logprob for part in scores])[1:]
    assert np.allclose(found, chosen, atol=1e-4) and np.allclose(model.teacher_forced(IDS)[1:], chosen, atol=1e-4)
    session.rewind(2)
    assert np.allclose(session.extend(IDS[2:]).logprob, chosen[1:], atol=1e-4)
    assert model.can.rewinds != "recomputed" and "only the text" in model.info.why
    assert not np.allclose(found, chosen[::-1], atol=1e-2), "negative control"


def test_one_that_lacks_a_weight_of_its_text_is_refused(whole: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(whole("Gemma3")[0], tmp_path / "m"))
    tensors = load_file(folder / "model.safetensors")
    gone = next(name for name in tensors if "language_model" in name and "q_proj" in name)
    save_file({name: t for name, t in tensors.items() if name != gone}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(Problem, match="lacks 1 weights"):
        opened(folder)


ODD = [
    {"return_dict": False},
    {"torchscript": True},
    {"output_attentions": True},
    {"output_hidden_states": True},
    {"return_dict": False, "output_attentions": True, "torchscript": True},
    {"auto_map": None},
    {"auto_map": {}},
    {"auto_map": {"AutoModelForCausalLM": "mine.Model", "AutoConfig": "mine.Config"}},
    {"auto_map": {"AutoConfig": "org/other--mine.Config"}},
]
GENERATION: list[dict[str, Any]] = [
    {"cache_implementation": "static"},
    {"num_beams": 4},
    {"temperature": 0.0, "do_sample": True},
    {"auto_map": {"a": "b"}},
    {"eos_token_id": [1, 2], "max_length": -1},
    {"cache_implementation": "nobody", "num_beams": "x"},
]


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_config_gives_the_same_numbers(
    odd: dict[str, Any], family: str, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folders[family], tmp_path / "m"))
    expected = opened(folder)
    configure(folder, **odd)
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    model = opened(folder)
    mine, its = (one.session().extend(IDS).logprob[1:] for one in (model, expected))
    assert mine == pytest.approx(its, abs=1e-5)  # the library's own network may be the one that opens it
    assert model.can.rewinds == expected.can.rewinds != "recomputed"
    assert not (tmp_path / "ran").exists()
    assert ("is not run" in model.info.why) == bool(odd.get("auto_map"))


@pytest.mark.parametrize("odd", GENERATION, ids=str)
def test_what_generate_would_do_is_no_part_of_the_model(
    odd: dict[str, Any], tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folders["llama"], tmp_path / "m"))
    (folder / "generation_config.json").write_text(json.dumps(odd))
    model = opened(folder)
    assert np.isfinite(model.session().extend(IDS).logprob[1:]).all()


def test_code_of_a_tokenizer_is_left_alone_and_said(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folders["llama"], tmp_path / "m"))
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"auto_map": {"AutoTokenizer": ["mine.T", None]}}))
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert "is not run" in opened(folder).info.why and not (tmp_path / "ran").exists()


def test_code_of_a_family_that_the_library_lacks_is_needed_and_so_refused(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    """Negative control."""
    folder = Path(shutil.copytree(tiny_folders["llama"], tmp_path / "m"))
    configure(folder, model_type="mine", auto_map={"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"})
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(Problem, match="code of its own"):
        opened(folder)
    assert not (tmp_path / "ran").exists()
