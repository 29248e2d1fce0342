"""llama.cpp in its process: architectures without a table here, and every way that the process may end."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import random
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.commands import doctor
from arplay.core.errors import Problem
from arplay.models import catalogue, checkpoints
from arplay.models.gguf import llama as gguf_llama
from arplay.models.gguf import parent as gguf_remote
from arplay.models.gguf import ways as gguf_ways
from arplay.models.gguf.native import NativeModel
from arplay.models.gguf.pipe import MOST_BYTES, MOST_HEADER, Damaged, receive, send
from arplay.models.store.cards import read_card
from tests.other_ggufs import write_other
from tests.tiny_ggufs import write
from tests.tiny_models import one_thread
from tests.windows_open import PATIENCE, Open, notice, opened, settle, text_field

pytest.importorskip("llama_cpp", reason="needs the extra: pip install 'arplay[gguf]'")
__all__ = ["one_thread", "opened"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")
OTHERS = ("stablelm", "phi2", "gemma2", "mamba", "rwkv7", "lfm2")
ABORTS = {"llama.attention.layer_norm_rms_epsilon": float("nan")}
"""llama.cpp loads such a file, and ends its process in the first forward: GGML_ASSERT(eps >= 0.0f)."""


def quiet(fraction: float | None, what: str) -> None:
    pass


def native(file: Path) -> NativeModel:
    model = catalogue.load(f"{file}#native", "cpu", "auto", quiet)
    assert isinstance(model, NativeModel)
    return model


def log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float64)
    logits = logits - logits.max()
    return np.asarray(logits - np.log(np.exp(logits).sum()))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NativeModel]:
    place = tmp_path_factory.mktemp("others")
    return {name: native(write_other(place / f"{name}.gguf", name)) for name in OTHERS}


def walked(model: NativeModel, seed: int, moves: int = 24) -> float:
    """Read, go back and branch at random; the largest gap (nats) to a fresh pass that was found after any move."""
    dice = random.Random(seed)
    sessions, worst = [model.session()], 0.0
    for _ in range(moves):
        session = dice.choice(sessions)
        match dice.randrange(5):
            case 0 | 1:
                ids = [dice.randrange(300) for _ in range(dice.choice((1, 1, 3, 20, 90)))]
                dice.choice((session.extend, session.read))(ids)
            case 2 if session.ids:
                session.rewind(max(0, len(session.ids) - dice.choice((1, 2, 5, 30, 200))))
            case 3:
                sessions.append(session.branch())
            case 4 if len(sessions) > 1:
                sessions.remove(session)
        if session.ids:
            gap = log_softmax(session.logits()) - log_softmax(model.uncached(session.ids))
            worst = max(worst, float(np.abs(gap).max()))
    return worst


@pytest.mark.parametrize("name", OTHERS)
def test_any_architecture_agrees_with_its_uncached_pass(models: dict[str, NativeModel], name: str) -> None:
    model = models[name]
    assert max(walked(model, seed) for seed in range(2)) < 3e-3
    assert model.info.not_used == () and model.can.rewinds == ("cropped" if model.weights.crops else "checkpoints")
    ids = np.random.default_rng(3).integers(0, 300, 41).tolist()
    np.testing.assert_allclose(
        model.session().extend(ids[:-1]).logprob, model.teacher_forced(ids)[:-1], atol=3e-3, rtol=0
    )


def test_what_goes_back_how_is_asked_of_llama_cpp(models: dict[str, NativeModel]) -> None:
    ways = {name: (model.can.rewinds, model.info.context) for name, model in models.items()}
    assert ways["phi2"] == ways["gemma2"] == ("cropped", 4096)
    assert ways["mamba"] == ways["rwkv7"] == ("checkpoints", None)
    assert ways["lfm2"] == ("checkpoints", 4096)
    assert [models[name].weights.sequences for name in ("phi2", "gemma2", "mamba")] == [64, 1, 1]


@pytest.mark.parametrize("name", ["mamba", "lfm2"])
def test_a_state_that_does_not_come_back_is_seen(
    models: dict[str, NativeModel], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the walk."""

    def stay(context: gguf_remote.Context, sequence: int, state: Any, length: int) -> bool:
        return context._ask("crop", sequence=sequence, length=0) is not None  # nothing is there instead

    monkeypatch.setattr(gguf_remote.Context, "restore", stay)
    with pytest.raises((AssertionError, Problem)):
        assert max(walked(models[name], seed) for seed in range(2)) < 3e-3


def test_recurrent_sessions_go_back_for_a_part_of_what_they_lose(models: dict[str, NativeModel]) -> None:
    session = models["mamba"].session()
    for id in range(60):
        session.read([id])
    for lost in (1, 2, 7, 31, 59):
        other = session.branch()
        reached = other.reach(60 - lost)
        other.rewind(60 - lost)
        other.logits()
        assert other.evaluated == 60 - lost - reached <= max(1, lost / checkpoints.DENSE)
    assert sum(session.storages.values()) == session.cache_bytes > session._context.held


def test_cells_that_a_window_has_given_away_are_not_believed(tmp_path: Path) -> None:
    """llama.cpp overwrites what has left the window of another sequence, although all of a text could be kept."""
    weights = gguf_llama.Weights(write_other(tmp_path / "m.gguf", "gemma2"), "gemma2", 300, 1, lambda fraction: None)
    assert weights.sequences == 1 and weights.window == 8
    weights.sequences = 4  # as if branches shared a context
    context = gguf_llama.Context(weights)
    for sequence in (0, 1):
        context.read(sequence, list(range(200)), 0, 1)
    assert context.crop(1, 100), "everything is still there"
    context.read(1, list(range(100, 200)), 100, 1)
    assert context.crop(0, 190)
    context.read(0, list(range(250)), 190, 1)
    assert not context.crop(1, 100) and context.crop(1, 200)


NO_NEXT = {
    "bert": "reads a text in both directions",
    "dream": r"fills gaps of a text \(diffusion\)",
    "t5": "is a model with an encoder",
    "t5encoder": "is a model with an encoder",
}


@pytest.mark.parametrize("architecture", NO_NEXT)
def test_what_gives_no_next_token_is_refused_in_a_sentence(
    architecture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, before = write_other(tmp_path / "b.gguf", architecture), alive()
    with pytest.raises(Problem, match=rf"b\.gguf {NO_NEXT[architecture]}.*gives no next token; choose a model"):
        native(file)
    assert main(["next", "--model", str(file), "--prompt", "The cat"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and not alive() - before


@posix
def test_a_refused_file_changes_nothing_in_the_window(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("abc", text=b"BAC")
    shown = window.playground.view
    for architecture in NO_NEXT:
        window.choose_model(str(write_other(tmp_path / f"{architecture}.gguf", architecture)))
        qtbot.waitUntil(lambda name=f"{architecture}.gguf": name in notice(window), timeout=PATIENCE)
        assert "gives no next token" in notice(window)
        assert window.playground.view.loaded is shown.loaded and window.playground.view.answer is shown.answer
        assert text_field(window).toPlainText() == "BAC"


def test_what_llama_cpp_does_not_know_is_refused_in_a_sentence(tmp_path: Path) -> None:
    llama = write(tmp_path / "l.gguf", "llama").read_bytes()
    (tmp_path / "u.gguf").write_bytes(llama.replace(b"llama", b"lla9a"))
    with pytest.raises(Problem, match=r"u\.gguf \(unknown model architecture: 'lla9a'\); take another file") as caught:
        native(tmp_path / "u.gguf")
    assert "\n" not in str(caught.value)


def test_a_card_needs_no_table_where_llama_cpp_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_other(tmp_path / "m.gguf", "mamba")
    assert read_card(file).family == "mamba" and catalogue.card(str(file)).state == "ready"
    monkeypatch.setattr(gguf_ways, "find_spec", lambda name: None)
    card = catalogue.card(str(file))
    assert card.state == "broken" and "pip install 'arplay[gguf]'" in card.problem


def test_an_abort_is_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, before = write(tmp_path / "m.gguf", "llama", **ABORTS), alive()
    with pytest.raises(Problem, match=r"broke off \(SIGABRT\) while it ran m\.gguf \(.*GGML_ASSERT\(eps >= 0\.0f\)"):
        native(file)
    assert main(["next", "--model", str(file), "--prompt", "The cat"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("arplay: llama.cpp broke off") and said.err.count("\n") == 1
    assert main(["next", "--model", str(write(file, "llama")), "--prompt", "The cat"]) == 0
    assert not alive() - before


def test_the_remedy_helps(tmp_path: Path) -> None:
    good, odd = write(tmp_path / "good.gguf", "llama"), write_other(tmp_path / "odd.gguf", "phi2")
    for file, remedy in ((good, "or open good.gguf#dequantised"), (odd, "or take another file of this model")):
        model = native(file)
        psutil.Process(model.weights.process.pid).kill()
        with pytest.raises(Problem, match=r"killed.*load the model again") as caught:
            model.uncached([1, 2])
        assert remedy in caught.value.remedy
    assert catalogue.load(f"{good}#dequantised", "cpu", "auto", quiet).uncached([1]).size == 300


def alive() -> set[psutil.Process]:
    """Processes of llama.cpp that this one has started; zombies count, but not those of models that nobody has.

    Those of tests before may end at any time, so only what has come since counts.
    """
    gc.collect()
    return {child for child in psutil.Process().children(recursive=True) if "gguf.child" in " ".join(command(child))}


def command(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.ZombieProcess):
        return list(process.cmdline())
    return ["gguf.child (a zombie)"]


def test_a_model_that_lost_its_process_stays_gone_and_a_new_one_works(tmp_path: Path) -> None:
    file = write(tmp_path / "m.gguf", "llama")
    before = alive()
    model = native(file)
    session = model.session()
    session.read([1, 2, 3])
    wanted = session.logits().copy()
    assert len(alive() - before) == 1
    os.kill(model.weights.process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    for _ in range(2):
        with pytest.raises(Problem, match=r"llama\.cpp .* while it ran m\.gguf"):
            session.read([4])
    assert session.ids[:3] == (1, 2, 3) and not alive() - before
    again = native(file)
    np.testing.assert_allclose(again.uncached([1, 2, 3]), wanted, atol=1e-4, rtol=0)
    assert len(alive() - before) == 1
    del again
    assert not alive() - before


def test_a_cancelled_load_leaves_no_process(tmp_path: Path) -> None:
    before = alive()
    seen: list[int] = []

    def stop(fraction: float | None, what: str) -> None:
        if what == "reading the weights":
            seen.append(len(alive() - before))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalogue.load(f"{write(tmp_path / 'm.gguf', 'llama')}#native", "cpu", "auto", stop)
    assert seen == [1] and not alive() - before


PARENT = """
import sys, time
from arplay.models.gguf.parent import Process
process = Process("x", "y")
process.ask("about")
print(process.pid, flush=True)
time.sleep(100)
"""


@posix
def test_it_ends_with_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running(), "the control: it lives as long as its parent"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    child.wait(timeout=PATIENCE / 1000)


@posix
@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("import os; os.write(1, b'not a message of any kind')", "ended by itself|stopped answering"),
        ("import sys; print('one\\n\\x1b[31mtwo', file=sys.stderr); sys.exit(3)", r"status 3.*\(⟨ESC⟩\[31mtwo\)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import os, sys, time; os.close(1); time.sleep(1000)", "stopped answering"),
    ],
    ids=["junk", "status", "signal", "silence"],
)
def test_whatever_it_does_is_told_and_it_is_gone(monkeypatch: pytest.MonkeyPatch, script: str, says: str) -> None:
    monkeypatch.setattr(gguf_remote, "COMMAND", (sys.executable, "-c", script))
    monkeypatch.setattr(gguf_remote, "_LONGEST_DEATH_SECONDS", 0.5)
    process = gguf_remote.Process("m.gguf", "do this")
    with pytest.raises(Problem, match=says) as caught:
        process.ask("about")
    assert caught.value.remedy == "do this" and process._process.poll() is not None


def test_doctor_tells_whether_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = doctor.llama()
    assert found is not None and found["version"]
    monkeypatch.setattr(gguf_remote, "COMMAND", (sys.executable, "-c", "raise SystemExit('no such instruction')"))
    found = doctor.llama()
    assert found is not None and "no such instruction" in found["problem"]
    assert doctor._llama(found)[0].startswith("  llama.cpp           llama.cpp ended by itself (status 1)")
    monkeypatch.setattr(gguf_ways, "find_spec", lambda name: None)
    assert "pip install" in doctor._llama(doctor.llama())[0]


@pytest.mark.parametrize(
    "raw",
    [
        struct.pack("<IQ", MOST_HEADER + 1, 0),
        struct.pack("<IQ", 2, MOST_BYTES + 1) + b"{}",
        struct.pack("<IQ", 2, 5) + b"{}abc",
        struct.pack("<IQ", 2, 0) + b"[]",
        struct.pack("<IQ", 4, 0) + b"{]zz",
        b"GGML",
    ],
    ids=["long header", "long body", "cut", "no object", "no JSON", "no message"],
)
def test_what_is_no_message_takes_no_memory(raw: bytes) -> None:
    with pytest.raises(Damaged):
        receive(io.BytesIO(raw))
    pipe = io.BytesIO()
    send(pipe, {"a": [1]}, np.arange(3, dtype=np.float32).data.cast("B"))
    pipe.seek(0)
    message = receive(pipe)
    assert message is not None and message[0] == {"a": [1]} and message[1].view(np.float32).tolist() == [0, 1, 2]


@posix
def test_the_window_outlives_it_and_loads_the_model_again(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    file = write(tmp_path / "m.gguf", "llama", **{"llama.context_length": 4000})
    before = alive()  # the models of windows that were closed may still be there
    window = opened(str(file), text=b"The cat")
    (mine,) = alive() - before
    mine.kill()
    qtbot.keyClicks(text_field(window), " sat")
    qtbot.waitUntil(lambda: "llama.cpp was killed" in notice(window), timeout=PATIENCE)
    assert text_field(window).toPlainText() == "The cat sat"
    assert mine not in alive()
    window.choose_model(str(file))
    qtbot.waitUntil(lambda: bool(alive() - before) and not window.playground.view.stale, timeout=PATIENCE)
    settle(window, qtbot)
    assert notice(window) == "" and window.playground.view.answer is not None
    bad = write(tmp_path / "bad.gguf", "llama", **ABORTS)
    window.choose_model(str(bad))
    qtbot.waitUntil(lambda: "GGML_ASSERT" in notice(window), timeout=PATIENCE)
    assert text_field(window).toPlainText() == "The cat sat" and len(alive() - before) == 1, (
        "the former model is still there"
    )
