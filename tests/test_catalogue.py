"""Models by name or path."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from arplay import paths
from arplay.core.errors import Problem
from arplay.models import catalogue
from arplay.models.store import smollm2
from tests.ledgers import ABC
from tests.tiny_models import one_thread, tiny_folders

__all__ = ["one_thread", "tiny_folders"]


def quiet(fraction: float | None, what: str) -> None:
    """Progress that nobody looks at."""


def test_the_models_that_are_there_from_the_first_second() -> None:
    entries = {entry.spec: entry for entry in catalogue.entries()}
    assert list(entries) == ["english", "abc", "fork", "xo", "xo-centre", "fashion", "digits", "speech", "smollm2"]
    assert catalogue.DEFAULT == "english"
    assert entries["abc"].path == ABC and entries["abc"].state == "ready"
    assert entries["smollm2"].download_bytes == smollm2.DOWNLOAD_BYTES > 0
    assert catalogue.entry("abc") == entries["abc"]
    with pytest.raises(
        Problem,
        match="no model called cba; use one of english, abc, fork, xo, xo-centre, fashion, digits, speech, smollm2",
    ):
        catalogue.entry("cba")


def test_listing_is_light() -> None:
    heavy = "{'torch', 'transformers', 'tokenizers', 'safetensors', 'gguf', 'PySide6'}"
    script = f"import sys; from arplay.models import catalogue as c; c.entries(); print({heavy} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == "set()"


def test_a_name_or_the_path_of_a_table_or_folder(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    assert catalogue.load("abc", "cpu", "auto", quiet).info.name == "abc"
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"alphabet": ["x"], "rows": {"": {"x": 1}}}))
    assert catalogue.load(str(mine), "cpu", "auto", quiet).info.name == "mine"
    folder = shutil.copytree(tiny_folders["gpt2"], tmp_path / "my model")
    model = catalogue.load(str(folder), "cpu", "auto", quiet)
    assert (model.info.name, model.info.family, model.info.dtype) == ("my model", "gpt2", "float32")
    assert model.info.source == str(folder) and model.info.device == "cpu"


@pytest.mark.parametrize(
    ("name", "reason"), [("notes.txt", "is not a model that arplay opens"), ("broken.json", "cannot be read as JSON")]
)
def test_a_file_that_is_no_model(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("hello")
    with pytest.raises(Problem, match=reason):
        catalogue.load(str(tmp_path / name), "cpu", "auto", quiet)


@pytest.mark.parametrize(
    ("device", "dtype", "reason"),
    [
        ("tpu", "auto", "no device tpu"),
        ("cpu", "int8", "no number type int8"),
        ("cpu", "nn", "no number type nn"),
    ],
)
def test_a_device_or_dtype_that_is_not_there(
    device: str, dtype: str, reason: str, tiny_folders: dict[str, Path]
) -> None:
    with pytest.raises(Problem, match=reason):
        catalogue.load(str(tiny_folders["llama"]), device, dtype, quiet)


def test_smollm2_is_offered_before_it_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "models", lambda: tmp_path)
    assert catalogue.entry("smollm2").state == "fetch"
    with pytest.raises(Problem, match=r"not on this computer yet; run: arplay models get smollm2 \(92.9 MB\)"):
        catalogue.load("smollm2", "cpu", "auto", quiet)


def test_the_source_of_a_model_leads_back_to_what_loads_it() -> None:
    for entry in catalogue.entries():
        assert catalogue.spec_of(str(entry.path)) == entry.spec
    assert catalogue.spec_of("/elsewhere/model") == "/elsewhere/model"
    assert "Q4_1, dequantised" in catalogue.entry("smollm2").title
