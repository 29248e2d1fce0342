"""Sessions on the disk: one file a window, locked while that window runs, and what is done with those that are left."""

from __future__ import annotations

import contextlib
import datetime
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from arplay.core.errors import Problem
from arplay.core.kept import About, Session
from arplay.core.kept_reading import NewerError, Reader, about
from arplay.core.signs import safe
from arplay.gui.playground import former
from arplay.textfile import MAX_BYTES

MOST_SESSIONS = 20
"""Texts that are kept beside those of the windows that run."""
MOST_DAMAGED = 5
MOST_FILE = 512 * 1024 * 1024
_LONGEST_LINE = 256 * 1024 * 1024
_WAIT = 10.0
"""Seconds to wait for another window that looks through the folder too."""

Said = tuple[str, str]
"""Cause and remedy."""


@dataclass
class Claim:
    """A session that belongs to this window until it is released. ``said``: what the user is to be told of it."""

    path: Path
    lock: BaseFileLock
    session: Session | None = None
    long: bytes | None = None
    said: list[Said] = field(default_factory=list)

    @property
    def long_path(self) -> Path:
        return _long_path(self.path)

    def release(self) -> None:
        """Other windows may have it now."""
        self.lock.release()


@dataclass(frozen=True)
class Left:
    """A session that no window holds, and what its first line tells of it (:class:`arplay.core.kept.About`)."""

    path: Path
    when: datetime.datetime
    about: About


class Sessions:
    """The folder. Raises Problem where it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self) -> Claim:
        """The newest session that no window holds, or a new one."""
        with self._alone():
            said = self._bring_in()
            for path in self._newest_first():
                claim = self._claim(path)
                if claim is not None and claim.session is None:
                    said += claim.said
                    self._remove(claim)
                elif claim is not None:
                    claim.said[:0] = said
                    return claim
            return self._new(said)

    def new(self) -> Claim:
        """A session that has no text yet; those that no window holds are left for later."""
        with self._alone():
            return self._new(self._bring_in())

    def take(self, path: Path) -> Claim:
        """This one. Raises Problem where another window holds it, or nothing in it can be read."""
        with self._alone():
            claim = self._claim(path) if path.is_file() else None
            if claim is None:
                raise Problem("that text is in another window or no longer there", "choose another one")
            if claim.session is None:
                cause, remedy = claim.said[0] if claim.said else ("that text is empty", "choose another one")
                self._remove(claim)
                raise Problem(cause, remedy)
            return claim

    def left(self) -> list[Left]:
        """Those that no window holds, the newest first."""
        with self._alone():
            return self._left()

    def drop(self, claim: Claim) -> None:
        """A session in which there is nothing to keep."""
        with contextlib.suppress(Problem, OSError), self._alone():  # else it is one more among the earlier texts
            self._remove(claim)

    def prune(self) -> list[Said]:
        """Remove the oldest of too many, those in which nothing was written before the others; all of it is told."""
        said: list[Said] = []
        with self._alone():
            for one in sorted(self._left(), key=lambda one: one.about.written, reverse=True)[MOST_SESSIONS:]:
                claim = self._lock(one.path)
                if claim is not None:
                    self._remove(claim)
                    oldest = f"“{safe(one.about.begins)}” of {one.when:%d %B %Y}"
                    cause = f"{MOST_SESSIONS} earlier texts are kept; the oldest, {oldest}, was removed"
                    said.append((cause, "save a text that is to stay"))
        return said

    # ----

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Windows that start together look through the folder one after the other."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self.folder / "lock").acquire(timeout=_WAIT):
                yield
        except Timeout as error:
            raise Problem(f"{self.folder} is held by another arplay", "try again when it has started") from error
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Problem(f"nothing can be kept in {self.folder} ({reason})", "make that folder writable") from error

    def _bring_in(self) -> list[Said]:
        """What arplay kept before there were sessions."""
        file = self.folder.with_name("last-text.json")
        if former.bring_in(file, self.folder):
            return []
        aside = set_aside(file, file.name)
        return [("the text of the last session cannot be read", f"its file was put aside: {aside}")]

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, reverse=True)

    def _new(self, said: list[Said]) -> Claim:
        while True:
            name = f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
            claim = self._lock(self.folder / f"{name}.jsonl")
            if claim is not None:
                claim.said = said
                return claim

    def _lock(self, path: Path) -> Claim | None:
        lock = FileLock(path.with_suffix(".lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return None
        return Claim(path, lock)

    def _claim(self, path: Path) -> Claim | None:
        """The session at ``path`` with what can be read of it; None where a window holds it."""
        claim = self._lock(path)
        if claim is None:
            return None
        try:
            claim.session, damage = read(path)
        except OSError as error:
            claim.release()
            raise Problem(f"{path} cannot be read ({error.strerror or error})", "check its rights") from error
        if damage:
            aside = set_aside(path, "session", copy=claim.session is not None)
            rest = "what stood before that place is here" if claim.session else "nothing of it is here"
            claim.said.append((f"a kept text cannot be read ({damage}); {rest}", f"its file was put aside: {aside}"))
        for session in (claim.session, *claim.session.beside) if claim.session is not None else ():
            if session.long is not None:
                self._read_long(claim, session)
        return claim

    def _read_long(self, claim: Claim, session: Session) -> None:
        try:
            if claim.long_path.stat().st_size <= MAX_BYTES:
                claim.long = claim.long_path.read_bytes()
        except OSError as error:
            cause = f"the long text {session.long} was not kept ({error.strerror or error}); its beginning is here"
            claim.said.append((cause, "open it again"))
        if claim.long is None:
            session.long = None

    def _left(self) -> list[Left]:
        left = []
        for path in self._newest_first():
            claim = self._lock(path)
            if claim is not None:
                with contextlib.suppress(FileNotFoundError):  # another window removed it
                    if path.stat().st_size:
                        left.append(_seen(path))
                claim.release()
        return left

    def _remove(self, claim: Claim) -> None:
        claim.path.unlink(missing_ok=True)
        claim.long_path.unlink(missing_ok=True)
        claim.release()
        claim.path.with_suffix(".lock").unlink(missing_ok=True)


def _seen(path: Path) -> Left:
    """What the first line tells. One that cannot be read is there as well: choosing it tells what is wrong."""
    when = datetime.datetime.fromtimestamp(path.stat().st_mtime)
    try:
        with path.open("rb") as file:
            return Left(path, when, about(file.readline(4096)))
    except (PermissionError, ValueError):
        return Left(path, when, About(closed=True, written=True, begins="A text that cannot be read"))


def read(path: Path) -> tuple[Session | None, str]:
    """The session in a file, and what is damaged in it ("" where nothing is). Raises OSError.

    A last line without its end was being written when the program ended; it is left out. Lines before a damaged one
    count, and so do the documents behind it.
    """
    reader = Reader()
    if path.stat().st_size > MOST_FILE:
        return None, f"it has more than {MOST_FILE >> 20} MB"
    damage, count = "", 0
    with path.open("rb") as file:
        while (line := file.readline(_LONGEST_LINE)).endswith(b"\n"):
            count += 1
            try:
                reader.feed(line)
            except NewerError:
                return None, "a newer arplay wrote it"
            except ValueError as error:
                damage = damage or f"line {count}: {error}"
    try:
        session = reader.session()
    except ValueError as error:
        return None, damage or str(error)
    return session, damage or reader.unfit


def set_aside(path: Path, name: str, copy: bool = False) -> Path:
    """Rename (or copy) a file to the first free ``name.damaged-N``; the oldest of ``MOST_DAMAGED`` makes room."""
    places = [path.with_name(f"{name}.damaged-{number}") for number in range(1, MOST_DAMAGED + 1)]
    free = [place for place in places if not place.exists()]
    place = free[0] if free else min(places, key=lambda one: one.stat().st_mtime_ns)
    if copy:
        shutil.copyfile(path, place)
    else:
        path.replace(place)
    return place


def _long_path(path: Path) -> Path:
    return path.with_suffix(".long")
