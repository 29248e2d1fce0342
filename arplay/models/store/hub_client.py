"""Describe or download one model of a hub with the hub's own client.

``python -m arplay.models.store.hub_client describe|download NAME`` runs as a child process (engine/hub_fetch.py) and
says JSON objects, a line each: ``{"what", "done", "total"}`` on the way, at last ``{"card"}``, ``{"ready"}`` or
``{"problem"}``. A large file is written to ``blobs/HASH.incomplete``, where the next download goes on (the client's own
way begins a file anew), and takes its place in the cache only when its sha256 is the hub's. The rest is
huggingface_hub's ``snapshot_download`` of the same commit, which finds those files there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, file_download, hf_hub_url, snapshot_download
from huggingface_hub.utils import WeakFileLock, build_hf_headers  # type: ignore[attr-defined] # lazily exported

from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.models.store import hub, hub_problems
from arplay.models.store.hub import Name
from arplay.models.store.hub_listing import File, Listing, ask, describe

CHUNK_BYTES = 256 * 1024
SPARE_BYTES = 32 * 1024 * 1024
"""Free space that is left on the disk whatever is downloaded."""
TELL_SECONDS = 0.1


def download(name: Name, tell: Tell) -> None:
    """Bring all that is missing of the model into the cache and check it."""
    listing = ask(name)
    if listing.no_access:
        raise listing.no_access
    missing = listing.missing()
    tell.total = sum(file.size for file in listing.files)
    tell.done = tell.total - sum(file.size - listing.begun(file) for file in missing)
    check_space(tell.total - tell.done)
    remove_orphans(name.folder)
    for file in missing:
        (listing.snapshot / file.name).unlink(missing_ok=True)  # one of the wrong size, which the client would leave
        if len(file.hash) == 64:
            _large(listing, file, tell)
        else:
            _drop_unless_whole(listing.name.folder / "blobs" / file.hash, file)
    tell("the small files", now=True)
    revision = HfApi().resolve_revision(name.repository, revision=name.revision or None)
    if revision.resolved != listing.commit:
        raise Problem(f"{name} has just been changed by its owner", "get the model again")
    exactly = [re.sub(r"([\[*?])", r"[\1]", file.name) for file in listing.files]
    snapshot_download(name.repository, revision=revision, allow_patterns=exactly, max_workers=2)
    for file in missing:
        if len(file.hash) == 40:
            _check_small(listing.snapshot / file.name, file)
    remove_orphans(name.folder)
    card = hub.card(name)
    if card is None or card.state == "broken":
        raise Problem(f"{name} cannot be loaded ({card.problem if card else 'it vanished'})", "choose another model")


def remove_orphans(repository: Path) -> None:
    """Delete what killed downloads left: parts of files that nothing goes on with, and locks that nobody holds.

    A part whose lock is held belongs to a download that is under way, by whatever program.
    """
    locks = repository.parent / ".locks" / repository.name
    for part in (repository / "blobs").glob("*.*.incomplete"):
        with _lock_now(locks / f"{part.name.partition('.')[0]}.lock") as mine:
            if mine:
                part.unlink(missing_ok=True)
    for lock in locks.glob("*.lock"):
        with _lock_now(lock) as mine:
            if mine:
                lock.unlink(missing_ok=True)


class Tell:
    """Says how far the work is, ten times a second at most; ``now``: in any case."""

    def __init__(self) -> None:
        self.done = self.total = 0
        self._last = 0.0

    def __call__(self, what: str, now: bool = False) -> None:
        if now or time.monotonic() - self._last >= TELL_SECONDS:
            self._last = time.monotonic()
            say({"what": what, "done": self.done, "total": self.total})


def say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


def check_space(needed: int) -> None:
    """Raise Problem unless the cache's disk has room for so many bytes."""
    place = hub.cache_folder()
    place.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(place).free
    if free < needed + SPARE_BYTES:
        raise Problem(
            f"the disk of {place} has only {size(free)} free, {size(needed)} are to be downloaded",
            "free some space there, or set HF_HOME to a folder of another disk",
        )


def _large(listing: Listing, file: File, tell: Tell) -> None:
    """Bring one large file into the cache, beginning where the last download stopped."""
    blobs = listing.name.folder / "blobs"
    blob, part = blobs / file.hash, blobs / f"{file.hash}.incomplete"
    locks = hub.cache_folder() / ".locks" / listing.name.folder.name
    for place in (blobs, locks):
        place.mkdir(parents=True, exist_ok=True)
    before = tell.done - listing.begun(file)
    with _lock(locks / f"{file.hash}.lock", lambda: tell(f"waiting for another program that gets {file.name}")):
        if hub.is_whole(blob, file.size):
            tell.done = before + file.size
            return
        _drop_unless_whole(blob, file)
        with part.open("ab") as out:
            if out.tell() > file.size:
                out.truncate(0)
            _get(listing, file, out, _Bar(tell, file, before))
        tell.done = before + file.size
        tell(f"checking {file.name}", now=True)
        with part.open("rb") as done:
            found = hashlib.file_digest(done, "sha256").hexdigest()
        if found != file.hash:
            part.unlink()
            raise _damaged(file)
        part.rename(blob)


def _drop_unless_whole(blob: Path, file: File) -> None:
    if not hub.is_whole(blob, file.size):
        blob.unlink(missing_ok=True)


def _get(listing: Listing, file: File, out: Any, bar: _Bar) -> None:
    url = hf_hub_url(listing.name.repository, file.name, revision=listing.commit)
    file_download.http_get(
        url,
        out,
        resume_size=out.tell(),
        headers=build_hf_headers() | {"Accept-Encoding": "identity"},
        expected_size=file.size,
        displayed_filename=file.name,
        tqdm_class=_Bar.of(bar),
    )


class _Bar:
    """What the client takes for its progress bar."""

    def __init__(self, tell: Tell, file: File, before: int) -> None:
        self._tell, self._file, self._before = tell, file, before
        self._done = 0

    @classmethod
    def of(cls, bar: _Bar) -> Any:
        """A "class" for the client, which makes its bars with ``total`` and ``initial``."""

        def made(*unused: Any, initial: int = 0, **others: Any) -> _Bar:
            bar.update(initial - bar._done)
            return bar

        return made

    def update(self, count: int) -> None:
        self._done += count
        self._tell.done = self._before + self._done
        self._tell(f"downloading {self._file.name}")

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *unused: object) -> None: ...


def _check_small(path: Path, file: File) -> None:
    """A file that is kept in git itself is named by git's hash of it (git-scm.com/book, "Git Objects")."""
    content = path.read_bytes()
    if hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() != file.hash:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise _damaged(file)


def _damaged(file: File) -> Problem:
    return Problem(f"{file.name} arrived damaged (its hash is not the hub's)", "get it again; the bad file was deleted")


@contextlib.contextmanager
def _lock(path: Path, waiting: Any) -> Iterator[None]:
    """Hold the lock by which the hub's client keeps two downloads of a file apart."""
    while True:
        try:
            with WeakFileLock(path, timeout=1.0):
                yield
                return
        except TimeoutError:
            waiting()


@contextlib.contextmanager
def _lock_now(path: Path) -> Iterator[bool]:
    """Whether the lock could be had at once; held inside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(WeakFileLock(path, timeout=0.05))
            held = True
        except TimeoutError:
            held = False
        yield held


class _Heard(logging.Handler):
    """What the client warns of (it waits, it tries again) is told as what is being done."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage().splitlines()[0][:160], now=True)


def main(arguments: list[str]) -> int:
    action, spec = arguments
    name = hub.parse(spec)
    assert name is not None, spec  # the parent checked it
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    tell = Tell()
    client = logging.getLogger("huggingface_hub")
    client.handlers, client.propagate = [_Heard(tell)], False
    try:
        if action == "describe":
            say({"card": asdict(describe(name)) | {"path": str(name.folder)}})
        else:
            download(name, tell)
            say({"ready": str(name)})
    except Exception as error:  # noqa: BLE001 - the last resort: told to the parent
        problem = hub_problems.why(error, name)
        say({"problem": {"cause": problem.cause, "remedy": problem.remedy}})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
