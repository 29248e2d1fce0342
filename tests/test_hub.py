"""Names of hub models, and the cache in which they are found, validated and removed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay import paths
from arplay.core.errors import Problem
from arplay.models import catalogue, libraries
from arplay.models.store import hub, smollm2
from arplay.models.store.hub import Name
from tests.tiny_models import one_thread, tiny_folders

__all__ = ["one_thread", "tiny_folders"]

COMMIT, OTHER = "1" * 40, "2" * 40


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, the only one that is seen."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "hub").mkdir()
    return tmp_path / "hub"


def put(cache: Path, folder: Path, repository: str, commit: str = COMMIT, listing: bool = True) -> Path:
    """What a finished download of ``folder`` leaves in the cache; branch main stands for it. Gives the snapshot."""
    place = cache / f"models--{repository.replace('/', '--')}"
    snapshot = place / "snapshots" / commit
    for part in (snapshot, place / "blobs", place / "refs", place / "trees"):
        part.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        blob = place / "blobs" / f"{file.stat().st_size:064x}"
        shutil.copy(file, blob)
        (snapshot / file.name).symlink_to(blob)
    (place / "refs" / "main").write_text(commit)
    if listing:
        files = {file.name: {"size": file.stat().st_size, "blob_id": "0" * 40} for file in folder.iterdir()}
        (place / "trees" / f"{commit}.json").write_text(json.dumps({"format_version": 1, "files": files}))
    return snapshot


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("org/name", Name("org/name")),
        ("o/n@v1.0", Name("o/n", "", "v1.0")),
        ("org/name@refs/pr/3", Name("org/name", "", "refs/pr/3")),
        ("org/na.me-x_y@" + COMMIT, Name("org/na.me-x_y", "", COMMIT)),
        ("org/name/model-Q4_K_M.gguf", Name("org/name", "model-Q4_K_M.gguf")),
        ("org/name/sub folder/m.gguf@main", Name("org/name", "sub folder/m.gguf", "main")),
    ],
)
def test_a_name_is_read_and_written(spec: str, name: Name) -> None:
    assert hub.parse(spec) == name and str(name) == spec


@pytest.mark.parametrize(
    "spec",
    [
        *(
            "english",
            "",
            "org/",
            "/name",
            "org/name/",
            "org/name/x.bin",
            "../name",
            "org/..",
            "org/name@",
            "org/na--me",
        ),
        *(
            "org/name/../x.gguf",
            "org/name@../x",
            "org//name",
            "-org/name",
            "org/name\n",
            "org/name@a b",
            "C:\\org/name",
        ),
    ],
)
def test_no_name(spec: str) -> None:
    assert hub.parse(spec) is None


@given(st.text(alphabet="aB1-_./@ ~", max_size=24))
def test_no_name_leads_out_of_the_cache(spec: str) -> None:
    name = hub.parse(spec)
    if name is not None:
        assert str(name) == spec
        assert name.folder.parent == hub.cache_folder()
        assert not {"..", ""} & set(f"{name.file}/x/{name.revision}/x".strip("/").split("/")) - {""}


def test_the_cache_is_where_the_hubs_client_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HUGGINGFACE_HUB_CACHE")
    seen = set()
    for settings in ({}, {"HF_HOME": "~/x"}, {"XDG_CACHE_HOME": "/y"}, {"HF_HUB_CACHE": "$HOME/z", "HF_HOME": "/w"}):
        for name in names:
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        script = "import os; from huggingface_hub.constants import HF_HUB_CACHE as c; print(os.path.expanduser(c))"
        said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
        assert str(hub.cache_folder()) == said.stdout.strip()
        seen.add(said.stdout)
    assert len(seen) == 4


def test_the_users_environment_is_given_on_and_this_process_stays_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_set_by_us", set())
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "yes")
    monkeypatch.delenv("DISABLE_SAFETENSORS_CONVERSION", raising=False)
    libraries.keep_offline()
    import os

    assert os.environ["HF_HUB_OFFLINE"] == "1" and "HF_HUB_OFFLINE" not in libraries.environment()
    assert libraries.environment()["HF_HUB_DISABLE_TELEMETRY"] == "yes"
    monkeypatch.setattr(libraries, "_set_by_us", set())
    libraries.keep_offline()
    assert libraries.environment()["HF_HUB_OFFLINE"] == "1"  # the user had said so


def test_only_what_a_model_is_made_of_is_wanted() -> None:
    model = ["config.json", "tokenizer.json", "LICENSE", "README.md"]
    others = ["pytorch_model.bin", "onnx/model.onnx", "model.gguf", "run.py", "x/model.safetensors", ".gitattributes"]
    name = Name("org/name")
    whole = sorted([*model, "model.safetensors"])
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]
    assert hub.wanted([*whole, *others], name) == whole
    assert hub.wanted([*model, *shards, *others], name) == sorted([*model, *shards])
    assert hub.wanted([*whole, *shards], name) == whole  # as transformers chooses
    assert hub.wanted(["a/m.gguf", *others], Name("org/name", "a/m.gguf")) == ["a/m.gguf"]


@pytest.mark.parametrize(
    ("files", "file", "cause", "remedy"),
    [
        (["config.json", "pytorch_model.bin"], "", "pickle files only", "safetensors"),
        (["config.json", "q4.gguf", "q8.gguf"], "", "GGUF files only", "org/name/q4.gguf@v1, org/name/q8.gguf@v1"),
        (["config.json"], "", "no safetensors weights", "model.safetensors"),
        (["adapter_config.json", "adapter_model.safetensors"], "", "is an adapter", "merged"),
        (["config.json", "q4.gguf"], "q5.gguf", "has no file q5.gguf", "org/name/q4.gguf@v1"),
    ],
)
def test_what_is_not_opened_is_refused(files: list[str], file: str, cause: str, remedy: str) -> None:
    with pytest.raises(Problem) as caught:
        hub.wanted(files, Name("org/name", file, "v1"))
    assert cause in caught.value.cause and remedy in caught.value.remedy


def test_a_downloaded_model_is_listed_and_loads(cache: Path, tiny_folders: dict[str, Path]) -> None:
    snapshot = put(cache, tiny_folders["gpt2"], "org/tiny")
    put(cache, tiny_folders["llama"], "other/tool", listing=False)  # a client that keeps no listing
    (cache / "datasets--org--data").mkdir()
    cards = {card.spec: card for card in hub.downloaded()}
    assert [(spec, card.state) for spec, card in cards.items()] == [("org/tiny", "ready"), ("other/tool", "ready")]
    card = cards["org/tiny"]
    assert (card.family, card.revision, card.origin, card.context) == ("gpt2", COMMIT, "downloaded", 24)
    assert card.disk_bytes == sum(file.stat().st_size for file in tiny_folders["gpt2"].iterdir())
    assert card in catalogue.cards() and card.memory_bytes("float32") == 4 * (card.parameters or 0) > 0
    model = catalogue.load("org/tiny", "cpu", "auto", lambda *_: None)
    assert (model.info.name, model.info.revision) == ("org/tiny", COMMIT)
    assert model.info.parameters == card.parameters
    assert catalogue.spec_of(model.info.source) == "org/tiny"
    for revision in ("main", COMMIT, COMMIT[:8]):
        assert catalogue.card(f"org/tiny@{revision}").path == snapshot
    assert hub.snapshot(Name("org/tiny", "", COMMIT[:5])) is None  # too short to be certain


def test_two_commits_of_one_repository_are_two_models(cache: Path, tiny_folders: dict[str, Path]) -> None:
    put(cache, tiny_folders["gpt2"], "org/tiny", OTHER)
    new = put(cache, tiny_folders["gpt2"], "org/tiny", COMMIT)
    old = new.parent / OTHER
    assert [card.spec for card in hub.downloaded()] == ["org/tiny", f"org/tiny@{OTHER}"]
    assert hub.spec_of(str(old)) == f"org/tiny@{OTHER}" and hub.spec_of(str(new)) == "org/tiny"
    catalogue.remove(f"org/tiny@{OTHER}")
    assert [(card.spec, card.state) for card in hub.downloaded()] == [("org/tiny", "ready")]  # shared files stay
    catalogue.remove("org/tiny")
    assert hub.downloaded() == [] and not (cache / "models--org--tiny").exists()
    with pytest.raises(Problem, match="not on this computer"):
        catalogue.remove("org/tiny")


def test_half_a_download_is_not_offered(cache: Path, tiny_folders: dict[str, Path]) -> None:
    snapshot = put(cache, tiny_folders["llama"], "org/tiny")
    whole = snapshot / "model.safetensors"
    target, content = whole.resolve(), whole.read_bytes()

    def told() -> str:
        (card,) = hub.downloaded()
        with pytest.raises(Problem, match="cannot be loaded"):
            catalogue.load("org/tiny", "cpu", "auto", lambda *_: None)
        assert card.state == "broken" and COMMIT not in card.problem
        return card.problem

    target.write_bytes(content[:-1])
    assert "model.safetensors is damaged or cut off" in told()
    whole.unlink()
    assert "org/tiny has no model.safetensors" in told()
    target.write_bytes(content)
    whole.symlink_to(target)
    assert hub.downloaded()[0].state == "ready"  # else nothing above shows anything
    (snapshot / "tokenizer.json").unlink()
    assert told() == "its download is not complete (tokenizer.json is missing); run: arplay models get org/tiny"


def test_what_a_stopped_download_left_is_told_and_removed(cache: Path) -> None:
    blobs = cache / "models--org--begun" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{'a' * 64}.incomplete").write_bytes(b"half")
    (card,) = hub.downloaded()
    assert (card.spec, card.state) == ("org/begun", "broken") and "no file of it is complete" in card.problem
    assert not catalogue.is_ready("org/begun")
    catalogue.remove("org/begun")
    assert hub.downloaded() == [] and not blobs.exists()


def test_a_downloaded_gguf_file_loads_by_its_name(cache: Path, tmp_path: Path) -> None:
    from tests import tiny_ggufs

    (tmp_path / "files").mkdir()
    tiny_ggufs.write(tmp_path / "files" / "q.gguf", "llama")
    put(cache, tmp_path / "files", "org/quants")
    (card,) = hub.downloaded()
    spec = "org/quants/q.gguf"
    assert (card.spec, card.title, card.state, card.revision) == (spec, spec, "ready", COMMIT)
    info = catalogue.load(f"{spec}#dequantised", "cpu", "auto", lambda *_: None).info
    assert (info.name, info.revision) == (spec, COMMIT)
    assert catalogue.spec_of(info.source) == f"{spec}#dequantised" and catalogue.is_ready(spec)


def test_one_gguf_file_of_several_is_removed_alone(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.gguf").write_bytes(b"GGUF")
    (folder / "b.gguf").write_bytes(b"GGUF!")
    snapshot = put(cache, folder, "org/quants")
    assert [card.spec for card in hub.downloaded()] == ["org/quants/a.gguf", "org/quants/b.gguf"]
    assert hub.spec_of(str(snapshot / "b.gguf")) == "org/quants/b.gguf"
    blob = (snapshot / "a.gguf").resolve()
    catalogue.remove("org/quants/a.gguf")
    assert not blob.exists() and (snapshot / "b.gguf").exists()
    catalogue.remove("org/quants/b.gguf")
    assert hub.downloaded() == []


def test_a_model_that_is_not_here_says_how_to_get_it(cache: Path) -> None:
    with pytest.raises(Problem, match="org/absent is not on this computer; run: arplay models get org/absent"):
        catalogue.load("org/absent", "cpu", "auto", lambda *_: None)


def test_a_folder_comes_before_a_model_of_the_same_name(
    cache: Path, tmp_path: Path, tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache, tiny_folders["gpt2"], "org/tiny")
    shutil.copytree(tiny_folders["llama"], tmp_path / "org" / "tiny")
    assert catalogue.card("org/tiny").family == "gpt2"
    monkeypatch.chdir(tmp_path)
    assert (catalogue.card("org/tiny").family, catalogue.card("org/tiny").origin) == ("llama", "file")


def test_recent_paths_are_cards_even_when_they_are_gone(
    cache: Path, tmp_path: Path, tiny_folders: dict[str, Path]
) -> None:
    (tmp_path / "text.txt").write_text("hello")
    recent = [str(tiny_folders["llama"]), str(tmp_path / "gone"), str(tmp_path / "text.txt"), "english", "org/absent"]
    cards = {card.spec: card for card in catalogue.cards(recent)[len(catalogue.entries()) :]}
    assert list(cards) == recent[:3]
    llama = cards[recent[0]]
    assert (llama.origin, llama.state, llama.family, llama.stored_dtype) == ("file", "ready", "llama", "float32")
    assert "files are missing" in cards[recent[1]].problem and "not a model" in cards[recent[2]].problem
    assert replace(llama, parameters=None).memory_bytes("float32") is None and llama.memory_bytes("int3") is None


def test_only_what_was_downloaded_is_removed(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for spec, cause in (("english", "part of arplay"), (str(tmp_path), "not downloaded by its name")):
        with pytest.raises(Problem, match=cause):
            catalogue.remove(spec)
    assert tmp_path.exists() and catalogue.is_ready("english")
    monkeypatch.setattr(paths, "models", lambda: tmp_path)
    with pytest.raises(Problem, match="not on this computer"):
        catalogue.remove("smollm2")
    (tmp_path / smollm2.NAME).mkdir()
    catalogue.remove("smollm2")
    assert not (tmp_path / smollm2.NAME).exists()
