"""kill -9 at random moments: ``python -m tests.kills --times 200`` tries windows, training and download.

What came back is compared with what was there a second before: of a window every state (text, ids, history, undo,
seed), of a file the whole content, of training and a download that the end is what an undisturbed one reaches.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
GRACE = 1.0
"""Seconds before the kill of which nothing is promised."""
PER_FOLDER = 20
"""Kills after which a window begins with an empty folder, so that the bound of the history is not reached."""
HANG_GUARD = 120


@dataclass(frozen=True)
class Line:
    what: str
    when: float
    digest: str


def environment(folder: Path, **more: str) -> dict[str, str]:
    places = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CONFIG", "STATE", "CACHE", "DATA")}
    return os.environ | places | {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"} | more


def window(kind: str, folder: Path, seconds: float | None) -> tuple[list[Line], float]:
    """Let a window run until it is killed, ``seconds`` after it restored its text; what it said, and when it died."""
    command = [sys.executable, "-m", "tests.kill_child", kind, str(folder / "saved.txt")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        if not first.startswith(b"restored"):
            raise AssertionError(f"the window did not start: {first!r}")
        os.set_blocking(child.stdout.fileno(), False)
        said, end = bytearray(first), time.monotonic() + (seconds or 0)
        while time.monotonic() < end:
            said += child.stdout.read() or b""  # a pipe that is full would stop the window
            time.sleep(0.001)
        if child.poll() is not None:
            raise AssertionError(f"the window ended by itself: {child.returncode}")
        died = time.monotonic()
        child.kill()
        child.wait()
        os.set_blocking(child.stdout.fileno(), True)
        said += child.stdout.read()
    whole = said[: said.rfind(b"\n")].decode().split("\n")
    return [Line(what, float(when), digest) for what, when, digest in (line.split(" ") for line in whole)], died


def come_back(said: list[Line], died: float, restored: str, kinds: tuple[str, ...] = ("restored", "state")) -> bool:
    """Whether ``restored`` is a state of the last second, or the one that stood when it began."""
    states = [line for line in said if line.what in kinds]
    safe = max((i for i, line in enumerate(states) if line.when <= died - GRACE), default=0)
    return restored in {line.digest for line in states[safe:]}


def windows(kind: str, times: int, longest: float, choose: random.Random, tell: Callable[[str], None]) -> int:
    """How many of so many kills lost something."""
    lost, done = 0, 0
    while done < times:
        with tempfile.TemporaryDirectory() as made:
            folder, former = Path(made), None
            for _ in range(min(PER_FOLDER, times - done) + 1):
                said, died = window(kind, folder, choose.uniform(0, longest) if done < times else 0)
                if former is not None and not come_back(*former, said[0].digest):
                    lost += 1
                    tell(f"{kind}: {said[0].digest} is none of the last states, which end in {former[0][-1].digest}")
                if kind == "saving" and not whole(folder / "saved.txt", said):
                    lost += 1
                    tell("saving: the file is neither the old nor the new text")
                former = said, died
                done += 1
            done -= 1  # the last start only looks
    return lost


def whole(file: Path, said: list[Line]) -> bool:
    """Whether the user's file has a content that was saved, and none older than the last that was told as saved."""
    saving = [line for line in said if line.what in ("saving", "saved")]
    if not file.exists():
        return not any(line.what == "saved" for line in saving)
    if not saving:
        return True
    last = max((i for i, line in enumerate(saving) if line.what == "saved"), default=0)
    if not any(line.what == "saved" for line in saving):
        return True  # of an earlier start
    return hashlib.sha256(file.read_bytes()).hexdigest() in {line.digest for line in saving[last:]}


# ---- programs that go on where they stopped


def until_done(
    command: list[str], again: list[str], folder: Path, times: int, longest: float, choose: random.Random, **more: str
) -> int:
    """Kill a program at random moments until so many kills are done, then let it end; how many kills it took."""
    kills = 0
    while True:
        env = environment(folder, **more)
        with subprocess.Popen(
            command, cwd=REPOSITORY, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        ) as child:
            try:
                _, errors = child.communicate(timeout=choose.uniform(0.5, longest) if kills < times else HANG_GUARD)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                kills += 1
                command = again if any(folder.rglob("plan.json")) else command
                continue
        if child.returncode and b"is done; start a new one" not in errors:  # killed between its last file and its end
            raise AssertionError(errors.decode()[-2000:])
        return kills


def arplay(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "arplay", *arguments]


def training(times: int, longest: float, choose: random.Random, tell: Callable[[str], None]) -> int:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        text = str(REPOSITORY / "README.md")
        sizes = ["--params", "20000", "--context", "32", "--vocab", "280", "--tokens", "60000", "--threads", "1"]

        def run(name: str, kills: int) -> tuple[int, bytes]:
            out = str(folder / name)
            command = arplay("train", text, "--out", out, *sizes, "--device", "cpu")
            resume = arplay("train", "--out", out, "--resume")
            done = until_done(command, resume, Path(out), kills, longest, choose)
            return done, hashlib.sha256((folder / name / "model.safetensors").read_bytes()).digest()

        _, undisturbed = run("undisturbed", 0)
        lost = done = number = 0
        while done < times:
            number += 1
            kills, reached = run(f"killed-{number}", times - done)
            done += kills
            if reached != undisturbed:
                lost += 1
                tell("training: the weights are not those of the undisturbed run")
    return lost


def download(times: int, longest: float, choose: random.Random, tell: Callable[[str], None]) -> int:
    from tests.loopback_hub import serving

    source = REPOSITORY / "assets" / "models" / "english"
    lost = done = 0
    while done < times:
        with tempfile.TemporaryDirectory() as made, serving() as hub:
            hub.add("local/english", source)
            hub.trouble.bytes_per_second = 4e6
            folder = Path(made)
            places = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hub")}
            get = arplay("models", "get", "local/english")
            done += until_done(get, get, folder, times - done, longest, choose, **places)
            for file in (folder / "hub").rglob("snapshots/*/*"):
                if file.read_bytes() != (source / file.name).read_bytes():
                    lost += 1
                    tell(f"download: {file.name} is not what the hub has")
            if not list((folder / "hub").rglob("snapshots/*/*.safetensors")):
                lost += 1
                tell("download: it is done, and no weights are there")
    return lost


WINDOWS = ("typing", "painting", "play", "saving")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200, help="kills in all")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kinds", nargs="+", default=[*WINDOWS, "training", "download"])
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else time.time_ns() % 2**32
    choose, lost = random.Random(seed), 0
    print(f"seed {seed}", flush=True)
    for i, kind in enumerate(given.kinds):
        times = (given.times - i + len(given.kinds) - 1) // len(given.kinds)
        begun = time.monotonic()

        def tell(what: str) -> None:
            print(f"  {what}", flush=True)

        if kind in WINDOWS:
            here = windows(kind, times, 3.0, choose, tell)
        else:
            here = {"training": training, "download": download}[kind](times, 6.0, choose, tell)
        lost += here
        print(f"{kind}: {times} kills, {here} lost something, {time.monotonic() - begun:.0f} s", flush=True)
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
