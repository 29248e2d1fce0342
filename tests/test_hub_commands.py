"""Hub models from the command line and through the worker: looked up, fetched with a line, loaded, removed."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from arplay.cli import main
from arplay.core.format import size
from arplay.engine.downloads import Describe, Described, Fetch, Fetched
from arplay.engine.load import Load, Loaded
from arplay.engine.messages import Cancelled, Failed, Progress, Result
from arplay.engine.worker import Worker
from arplay.models import libraries
from arplay.models.store import hub
from tests.loopback_hub import Hub
from tests.test_hub_download import LARGE, TINY, children, large_folder, loopback
from tests.tiny_models import one_thread, tiny_folders

__all__ = ["large_folder", "loopback", "one_thread", "tiny_folders"]

HANG_GUARD = 30.0


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    status = main(list(argv))
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_model_from_its_name_to_its_removal(loopback: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    commit = loopback.repositories[TINY].commit
    status, _, said = told(capsys, "next", "--model", TINY, "--prompt", "x")
    assert (status, said) == (1, f"arplay: {TINY} is not on this computer; run: arplay models get {TINY}\n")

    status, out, _ = told(capsys, "models", "info", TINY, "--json")
    looked_up = json.loads(out)
    assert (status, looked_up["state"], looked_up["licence"]) == (0, "fetch", "apache-2.0")
    assert looked_up["download_bytes"] > 0 and looked_up["revision"] == commit

    status, out, said = told(capsys, "models", "get", TINY)
    said_size = size(looked_up["download_bytes"])
    assert said.startswith(f"arplay: getting {TINY}: {said_size} to download, ") and "licence apache-2.0" in said
    assert (status, out) == (0, f"{TINY} is ready in {hub.downloaded()[0].path}\n")
    assert told(capsys, "models", "get", TINY)[::2] == (0, "")  # there already

    status, out, _ = told(capsys, "models", "--json")
    (listed,) = (model for model in json.loads(out) if model["name"] == TINY)
    assert (listed["state"], listed["origin"], listed["revision"]) == ("ready", "downloaded", commit)
    assert TINY in told(capsys, "models")[1] and f"commit {commit[:12]}" in told(capsys, "models")[1]
    status, out, _ = told(capsys, "next", "--model", TINY, "--prompt", "The", "--json")
    assert status == 0 and json.loads(out)["model"]["revision"] == commit
    assert json.loads(told(capsys, "models", "info", f"{TINY}@{commit}", "--json")[1])["vocabulary"] == 300

    assert told(capsys, "models", "remove", TINY, "--yes")[:2] == (0, f"{TINY} is removed\n")
    assert hub.downloaded() == []
    assert told(capsys, "models", "remove", TINY, "--yes")[0] == 1
    assert "no public model org/absent" in told(capsys, "models", "get", "org/absent")[2]


@pytest.mark.parametrize(("answer", "removed"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_removing_asks_on_a_terminal(
    loopback: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: str, removed: bool
) -> None:
    part = hub.Name("org/begun").folder / "blobs" / f"{'a' * 64}.incomplete"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert told(capsys, "models", "remove", "org/begun")[0] == 2 and part.exists()  # nobody to ask
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    status, _, said = told(capsys, "models", "remove", "org/begun")
    assert "remove org/begun" in said and "[y/N]" in said
    assert (status == 0) == removed == (not part.exists())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (known, "is part of arplay")
        for known in ("english", "abc", "fork", "xo", "xo-centre", "fashion", "digits", "speech")
    ]
    + [("org/absent", "not on this computer"), ("notes.txt", "was not downloaded by its name")],
)
def test_what_cannot_be_removed_is_told_before_anybody_is_asked(
    loopback: Hub, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    for more in ([], ["--yes"]):
        status, _, said = told(capsys, "models", "remove", name, *more)
        assert status == 1 and why in said and "--yes" not in said


def heard(terminal: int) -> bytes:
    """What the other end says next; nothing once it is closed."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_ctrl_c_ends_a_download_that_shows_its_speed(loopback: Hub) -> None:
    loopback.trouble.bytes_per_second = 1e6
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "arplay", "models", "get", LARGE]
    how: Any = {"stderr": theirs, "stdout": subprocess.DEVNULL, "start_new_session": True}
    with subprocess.Popen(command, **how, env=libraries.environment()) as arplay:
        os.close(theirs)
        guard = threading.Timer(4 * HANG_GUARD, arplay.kill)
        guard.start()
        said = b""
        while b"left" not in said and (fresh := heard(ours)):
            said += fresh
        assert b"left" in said and len(children(LARGE)) == 2, said
        arplay.send_signal(signal.SIGINT)
        assert arplay.wait() == 130
        guard.cancel()
        guard.join()
    os.close(ours)
    line = said.decode().rpartition("\r")[2]
    assert line.startswith("downloading model.safetensors") and re.search(r" of 4\.90 MB", line) and "B/s" in line
    assert children(LARGE) == []


class Desk:
    """A worker with everything that it emitted."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self._news = threading.Condition()
        self.worker = Worker(self._emit)

    def _emit(self, result: Result) -> None:
        with self._news:
            self.results.append(result)
            self._news.notify_all()

    def wait(self, number: int) -> Result:
        """The final result of a request."""

        def final() -> list[Result]:
            return [one for one in self.results if one.number == number and not isinstance(one, Progress)]

        with self._news:
            assert self._news.wait_for(final, HANG_GUARD), self.results
            return final()[0]

    def wait_for_bytes(self, number: int, count: int) -> Progress:
        def told() -> list[Progress]:
            ours = [one for one in self.results if isinstance(one, Progress) and one.number == number]
            return [one for one in ours if (one.bytes_done or 0) >= count and one.seconds_left is not None]

        with self._news:
            assert self._news.wait_for(told, HANG_GUARD), self.results
            return told()[0]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    assert made.worker.close(HANG_GUARD)


def test_the_worker_describes_fetches_and_loads(loopback: Hub, desk: Desk) -> None:
    desk.worker.submit(Describe(1, TINY))
    listing = desk.wait(1)
    assert isinstance(listing, Described) and listing.listing.state == "fetch"
    desk.worker.submit(Fetch(2, TINY))
    assert desk.wait(2) == Fetched(2, TINY)
    desk.worker.submit(Load(3, TINY, "cpu", "float32"))
    loaded = desk.wait(3)
    assert isinstance(loaded, Loaded) and loaded.info.revision == listing.listing.revision
    desk.worker.submit(Describe(4, "smollm2"))  # one of the catalogue's own needs no network
    own = desk.wait(4)
    assert isinstance(own, Described) and own.listing.licence == "Apache-2.0"
    desk.worker.submit(Describe(5, "org/absent"))
    failed = desk.wait(5)
    assert isinstance(failed, Failed) and failed.asked is Describe and "no public model" in failed.cause


def test_the_worker_cancels_a_download_and_a_question(loopback: Hub, desk: Desk) -> None:
    loopback.trouble.bytes_per_second = 1e6
    desk.worker.submit(Fetch(1, LARGE))
    progress = desk.wait_for_bytes(1, 500_000)
    assert progress.bytes_total and progress.per_second and 3e5 < progress.per_second < 3e6
    desk.worker.submit(Describe(2, LARGE))
    desk.worker.cancel(2)
    assert desk.wait(2) == Cancelled(2)
    desk.worker.cancel(1)
    assert desk.wait(1) == Cancelled(1)
    assert children(LARGE) == []
