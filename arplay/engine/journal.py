"""A file to which lines are appended, written by a thread of its own: no disk, however slow, stalls the window."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path

from arplay.core.errors import Problem
from arplay.export.writers import replacing

REST = 0.5
"""Seconds between two orders to the disk to keep what was written (which survives the end of the program at once)."""


class Journal:
    """Keeps lines in the order in which they came. Its methods never wait for the disk and never raise.

    After a failure (``problem`` says which) lines are dropped until :meth:`replace` has written the file anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = "nothing was written yet"
        self.whole = 0
        """Bytes of the file when it was last written anew."""
        self._file: FileIO | None = None
        self._changed = threading.Condition()
        self._tasks: deque[tuple[float, Callable[[], None]]] = deque()
        self._unsynced: float | None = None
        self._since: float | None = None
        self._closing = False
        self._thread = threading.Thread(
            target=self._run, name="arplay-journal", daemon=True
        )  # a dead disk keeps no one
        self._thread.start()

    def append(self, line: str) -> None:
        """One line, without its end."""
        self._do(lambda: self._append(line))

    def replace(self, lines: Iterable[str]) -> None:
        """These lines and no others; they are taken from ``lines`` in the journal's thread."""
        self._do(lambda: self._replace(lines))

    def store(self, path: Path, data: bytes) -> None:
        """Another file, complete before the lines that follow are written."""
        self._do(lambda: _write(path, [data]))

    def discard(self, path: Path) -> None:
        self._do(lambda: path.unlink(missing_ok=True))

    def behind(self) -> float:
        """For how many seconds the oldest thing has waited that is not yet in the file; 0 where all is."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def flush(self, timeout: float) -> bool:
        """Wait until all is in the file. False: it is not, because there was a failure or the time is over."""
        with self._changed:
            return self._changed.wait_for(lambda: self._since is None, timeout) and self.problem is None

    def close(self, timeout: float) -> bool:
        """End the thread. False: it is stuck in the system and left behind."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # ---- in the thread

    def _do(self, task: Callable[[], None]) -> None:
        with self._changed:
            self._tasks.append((time.monotonic(), task))
            if self._since is None:
                self._since = self._tasks[0][0]
            self._changed.notify_all()

    def _run(self) -> None:
        while self._wait():
            while self._tasks:
                self._since, task = self._tasks[0]
                self._attempt(task)
                with self._changed:
                    self._tasks.popleft()
                    if not self._tasks:
                        self._since = None
                        self._changed.notify_all()
            if self._unsynced is not None and (self._closing or time.monotonic() - self._unsynced >= REST):
                self._attempt(self._sync)
        if self._file is not None:
            self._file.close()

    def _wait(self) -> bool:
        """Until there is something to do; False: that is to end."""
        with self._changed:
            while not self._tasks:
                if self._closing and self._unsynced is None:
                    return False
                left = REST if self._unsynced is None else self._unsynced + REST - time.monotonic()
                if self._unsynced is not None and (left <= 0 or self._closing):
                    return True
                self._changed.wait(None if self._unsynced is None else left)
            return True

    def _attempt(self, task: Callable[[], None]) -> None:
        try:
            task()
        except (OSError, Problem) as error:
            self._unsynced = None
            self.problem = error.cause if isinstance(error, Problem) else error.strerror or str(error)

    def _append(self, line: str) -> None:
        if self.problem is None and self._file is not None:
            left = memoryview(f"{line}\n".encode())
            while left:
                left = left[self._file.write(left) :]
            if self._unsynced is None:
                self._unsynced = time.monotonic()

    def _replace(self, lines: Iterable[str]) -> None:
        if self._file is not None:
            self._file.close()  # Windows replaces no open file
            self._file = None
        self.problem = self.problem or "it is being written"
        _write(self.path, (f"{line}\n".encode() for line in lines))
        self._file = FileIO(self.path, "a")
        self.whole = self._file.tell()
        self._unsynced = self.problem = None

    def _sync(self) -> None:
        self._unsynced = None
        if self._file is not None:
            os.fsync(self._file.fileno())


def _write(path: Path, parts: Iterable[bytes]) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.writelines(parts)
