"""Describing and downloading with the hub's real client, from a hub on 127.0.0.1 that may cut, slow down and lie."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import numpy as np
import pytest

from arplay.core.errors import Problem
from arplay.engine import hub_fetch
from arplay.engine.messages import Progress
from arplay.models import catalogue, libraries
from arplay.models.store import hub
from arplay.models.store.cards import Card
from tests.loopback_hub import Hub, environment, serving
from tests.test_fetch import advance
from tests.tiny_models import one_thread, save, tiny_folders

__all__ = ["one_thread", "tiny_folders"]

TINY, LARGE = "org/tiny", "org/large"
WEIGHTS = "model.safetensors"
HANG_GUARD = 30.0


@pytest.fixture(scope="module")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 4 MB, so that its download can be stopped on the way."""
    return save(tmp_path_factory.mktemp("large"), "llama", hidden_size=192, intermediate_size=768)


@pytest.fixture
def loopback(
    tiny_folders: dict[str, Path], large_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hub]:
    """A hub with two models; the client knows no other, and its cache is empty."""
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(libraries, "_set_by_us", {"HF_HUB_OFFLINE"})
    with serving({TINY: tiny_folders["llama"], LARGE: large_folder}) as made:
        for name, value in environment(made, tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        yield made


def never() -> bool:
    return False


def described(spec: str) -> Card:
    asking = hub_fetch.describe(spec, never)
    while True:
        try:
            next(asking)
        except StopIteration as end:
            assert isinstance(end.value, Card)
            return end.value


def fetched(spec: str) -> bool:
    return list(hub_fetch.fetch(spec, never))[-1].fraction == 1.0


def refused(spec: str) -> Problem:
    with pytest.raises(Problem) as caught:
        list(hub_fetch.fetch(spec, never))
    return caught.value


def half_way(step: Progress) -> bool:
    return step.bytes_done is not None and step.bytes_done > 1_000_000


def children(spec: str) -> list[int]:
    """Processes that work on ``spec`` for this test's hub, the guard among them; other tests run beside this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        ours = f"HF_ENDPOINT={os.environ['HF_ENDPOINT']}".encode() in variables
        if ours and b"arplay.models.store.hub_client" in words and spec.encode() in words:
            found.append(int(process.name))
    return sorted(found)


def weights_asked(loopback: Hub) -> list[str]:
    """The Range of every time that the weights were asked for."""
    return [span for method, path, span in loopback.asked if method == "GET" and path.endswith(WEIGHTS)]


def test_a_model_is_described_before_anything_is_downloaded(loopback: Hub, tiny_folders: dict[str, Path]) -> None:
    card = described(TINY)
    sizes = sum(file.stat().st_size for file in tiny_folders["llama"].iterdir())
    assert (card.spec, card.state, card.family, card.licence) == (TINY, "fetch", "llama", "apache-2.0")
    assert (card.download_bytes, card.disk_bytes, card.context) == (sizes, sizes, 24)
    assert (card.revision, card.stored_dtype) == (loopback.repositories[TINY].commit, "float32")
    assert card.parameters == 14288 and not card.problem
    assert {path.rpartition("/")[2] for method, path, _ in loopback.asked if method == "GET"} == {"tiny", "config.json"}
    assert hub.downloaded() == []


def test_what_was_fetched_is_the_same_model(loopback: Hub, tiny_folders: dict[str, Path]) -> None:
    files = loopback.repositories[TINY].files
    files |= {"pytorch_model.bin": b"pickle", "run.py": b"print()", "README.md": b"---\nlicense: mit\n---\n# Tiny"}
    assert fetched(TINY)
    (card,) = hub.downloaded()
    assert (card.state, card.revision, card.licence) == ("ready", loopback.repositories[TINY].commit, "mit")
    assert {file.name for file in card.path.iterdir()} == files.keys() - {"pytorch_model.bin", "run.py"}
    theirs, ours = (catalogue.load(s, "cpu", "auto", lambda *_: None) for s in (str(tiny_folders["llama"]), TINY))
    assert ours.info.revision == card.revision and catalogue.spec_of(ours.info.source) == TINY
    ids = ours.alphabet.encode(b"The cat sat").ids.tolist()
    logits = []
    for model in (theirs, ours):
        session = model.session()
        session.extend(ids)
        logits.append(session.logits())
    assert np.array_equal(*logits)
    assert not list((hub.cache_folder() / ".locks").rglob("*.lock"))

    loopback.asked.clear()
    again = described(TINY)
    assert (again.state, again.download_bytes) == ("ready", 0)
    assert fetched(f"{TINY}@{card.revision}") and weights_asked(loopback) == []


def test_weights_in_several_files_come_whole(loopback: Hub, tmp_path: Path) -> None:
    from tests.tiny_models import network, save_tokenizer, tokenizer

    folder = tmp_path / "shards"
    network("llama").save_pretrained(folder, max_shard_size="20KB")
    save_tokenizer(folder, tokenizer())
    shards = sorted(file.name for file in folder.glob("model-*.safetensors"))
    assert len(shards) > 2
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    loopback.repositories[TINY].files.clear()
    loopback.repositories[TINY].files.update(files)
    assert fetched(TINY)
    model = catalogue.load(TINY, "cpu", "auto", lambda *_: None)
    theirs = catalogue.load(str(folder), "cpu", "auto", lambda *_: None)
    ids = model.alphabet.encode(b"The cat sat").ids.tolist()
    assert np.array_equal(model.teacher_forced(ids), theirs.teacher_forced(ids), equal_nan=True)
    (hub.downloaded()[0].path / shards[1]).unlink()
    assert [card.state for card in hub.downloaded()] == ["broken"]  # half a download is not offered
    assert fetched(TINY) and [card.state for card in hub.downloaded()] == ["ready"]


def test_progress_tells_bytes_a_second_and_time_left(loopback: Hub) -> None:
    loopback.trouble.bytes_per_second = 2e6
    steps = list(hub_fetch.fetch(LARGE, never))
    done = [step.bytes_done for step in steps if step.bytes_done is not None]
    assert done == sorted(done) and len(set(done)) > 5
    fractions = [step.fraction for step in steps if step.fraction is not None]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and fractions.count(1.0) == 1
    timed = [step for step in steps if step.seconds_left is not None and half_way(step)]
    assert timed
    for step in timed:
        assert step.bytes_total is not None and step.bytes_done is not None and step.per_second is not None
        assert step.seconds_left == pytest.approx((step.bytes_total - step.bytes_done) / step.per_second)
    assert any(1e5 < (step.per_second or 0) < 4e6 for step in timed)  # less than 2 MB/s where the machine is busy


@pytest.mark.parametrize("how", ["cancel", "close", "kill"])
def test_a_stopped_download_leaves_nothing_running_and_goes_on_later(loopback: Hub, how: str) -> None:
    loopback.trouble.bytes_per_second = 1.5e6
    stop: list[bool] = []
    steps = hub_fetch.fetch(LARGE, lambda: bool(stop))
    advance(steps, half_way)
    running = children(LARGE)
    assert len(running) == 2  # the guard and its command
    began = time.monotonic()
    if how == "cancel":
        stop.append(True)
        assert all(step.fraction != 1.0 for step in steps)
    elif how == "close":
        steps.close()
    else:
        os.kill(running[-1], signal.SIGKILL)
        with pytest.raises(Problem, match=r"downloading org/large was killed from outside \(SIGKILL\)"):
            list(steps)
    assert time.monotonic() - began < HANG_GUARD  # a hang guard; that it was cut is seen below
    assert children(LARGE) == []
    (card,) = hub.downloaded()
    assert card.state == "broken" and not catalogue.is_ready(LARGE)

    loopback.trouble.bytes_per_second = 0
    loopback.asked.clear()
    left = described(LARGE)
    assert left.state == "fetch" and left.download_bytes < left.disk_bytes - 1_000_000
    assert fetched(LARGE)
    (span,) = weights_asked(loopback)  # from where it stopped, once
    assert int(span.removeprefix("bytes=").removesuffix("-")) > 900_000
    assert hub.downloaded()[0].state == "ready"


def test_a_cut_connection_is_taken_up_again(loopback: Hub) -> None:
    loopback.trouble.cut_after, loopback.trouble.cuts = 1_000_000, 1
    assert fetched(LARGE)
    first, second = weights_asked(loopback)
    assert first == "" and second.startswith("bytes=")


def test_a_file_with_another_hash_is_refused_and_not_kept(loopback: Hub) -> None:
    for file in (WEIGHTS, "tokenizer.json"):
        loopback.trouble.damaged = file
        problem = refused(TINY)
        assert problem.cause == f"{file} arrived damaged (its hash is not the hub's)"
        assert not catalogue.is_ready(TINY) or hub.downloaded()[0].state == "broken"
    loopback.trouble.damaged = ""
    assert fetched(TINY) and hub.downloaded()[0].state == "ready"


def test_a_damaged_cache_is_mended(loopback: Hub) -> None:
    assert fetched(TINY)
    (card,) = hub.downloaded()
    for file in (WEIGHTS, "tokenizer.json"):
        (card.path / file).resolve().write_bytes(b"cut")
    assert hub.downloaded()[0].state == "broken"
    assert fetched(TINY) and hub.downloaded()[0] == card


def test_a_full_disk_is_told_and_the_download_goes_on_when_there_is_room(loopback: Hub) -> None:
    content = loopback.repositories[TINY].entry(WEIGHTS)
    part = hub.Name(TINY).folder / "blobs" / f"{content['lfs']['sha256']}.incomplete"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")  # every write to it fails as on a full disk
    assert "became full" in refused(TINY).cause
    part.unlink()
    assert fetched(TINY)


def test_a_file_larger_than_the_disk_allows_is_told(loopback: Hub) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        assert "a file so large cannot be written" in refused(LARGE).cause
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_too_little_room_is_told_before_the_download(loopback: Hub) -> None:
    from arplay.models.store import hub_client

    hub_client.check_space(0)
    with pytest.raises(Problem, match="free, 1000000 TB are to be downloaded"):
        hub_client.check_space(10**18)


def test_a_cache_that_cannot_be_written_is_told(loopback: Hub, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the cache should be")
    assert "home" in refused(TINY).cause


def test_orphans_of_killed_downloads_are_removed_and_others_left(loopback: Hub) -> None:
    folder = hub.Name(TINY).folder
    locks = folder.parent / ".locks" / folder.name
    for place in (folder / "blobs", locks):
        place.mkdir(parents=True)
    left, held = "a" * 64, "b" * 64
    for hash in (left, held):
        (folder / "blobs" / f"{hash}.12345678.incomplete").write_bytes(b"part")
        (locks / f"{hash}.lock").touch()
    with filelock.FileLock(locks / f"{held}.lock"):
        assert fetched(TINY)
        assert [path.name for path in (folder / "blobs").glob("*.incomplete")] == [f"{held}.12345678.incomplete"]
        assert [path.name for path in locks.iterdir()] == [f"{held}.lock"]


def test_models_that_do_not_open_are_refused_before_the_download(loopback: Hub, tmp_path: Path) -> None:
    tiny = loopback.repositories[TINY].files
    for name, old, new, cause in (
        (
            "org/bert",
            b"LlamaForCausalLM",
            b"BertForMaskedLM",
            "org/bert is BertForMaskedLM, not a causal",
        ),
    ):
        loopback.add(name, tmp_path).files |= tiny | {"config.json": tiny["config.json"].replace(old, new)}
        assert cause in refused(name).cause
    loopback.add("org/pickle", tmp_path).files |= {"config.json": tiny["config.json"], "pytorch_model.bin": b"x"}
    assert "pickle files only" in refused("org/pickle").cause
    assert weights_asked(loopback) == [] and hub.downloaded() == []


def test_a_new_commit_is_a_new_model_and_shares_what_is_the_same(loopback: Hub) -> None:
    assert fetched(TINY)
    old = loopback.repositories[TINY].commit
    loopback.repositories[TINY].files["README.md"] = b"new"
    assert catalogue.card(TINY).revision == old
    loopback.asked.clear()
    assert fetched(TINY) and weights_asked(loopback) == []
    assert catalogue.card(TINY).revision == loopback.repositories[TINY].commit != old
    assert {card.spec for card in hub.downloaded()} == {TINY, f"{TINY}@{old}"}
    catalogue.remove(f"{TINY}@{old}")
    assert [card.state for card in hub.downloaded()] == ["ready"]


def test_no_name_of_a_hub_is_told(loopback: Hub) -> None:
    assert refused("org//tiny").cause == "org//tiny is not the name of a hub model"
    assert loopback.asked == []
