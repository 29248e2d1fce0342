"""A child process that can always be ended, with everything it started, and that never outlives this program.

The command runs under a small guard (this very file, run as a script) in a process group of its own. The guard
holds the reading end of a pipe whose writing end only this process has: when this process ends, even by
``kill -9``, the pipe closes and the guard kills the group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_LONGEST_DEATH_SECONDS = 0.8  # a process that hangs in a dead network disk is not waited for


class Child:
    """A running command. Its output (both streams) is gathered by a thread, which ends with the last process."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, "-P", __file__, *command],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )
        self._output = b""
        self._given = 0
        self._reading = threading.Thread(target=self._read, name="output of a child", daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        """Of the guard, which ends last."""
        return self._guard.pid

    def poll(self) -> int | None:
        """None while the command runs, then its exit status; -N when signal N ended it. Never waits for the command."""
        status = self._guard.poll()
        if status is not None:
            self._reading.join(_LONGEST_DEATH_SECONDS)  # what it said last
        return status

    def output(self) -> str:
        """Everything gathered so far."""
        return self._output.decode("utf-8", errors="replace")

    def lines(self) -> list[str]:
        """The complete lines gathered since the last call."""
        output = self._output
        end = output.rfind(b"\n") + 1
        whole, self._given = output[self._given : end], max(end, self._given)
        return whole.decode("utf-8", errors="replace").splitlines()

    def end(self) -> None:
        """Kill the command and all it started and wait until it is gone; harmless when it ended by itself."""
        status = self.poll()
        if status is None or status < 0:  # a guard killed from outside may have left its command behind
            kill_all(self._guard.pid)
        self._guard.wait()
        assert self._guard.stdin is not None and self._guard.stdout is not None
        self._guard.stdin.close()
        self._reading.join(_LONGEST_DEATH_SECONDS)
        if not self._reading.is_alive():
            self._guard.stdout.close()

    def _read(self) -> None:
        pipe = self._guard.stdout
        assert pipe is not None
        while fresh := pipe.read(1 << 16):
            self._output += fresh


def kill_all(pid: int) -> None:
    """Kill a process that was started with a session of its own, and all that it started; harmless if it is gone."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError):  # all have ended
            os.killpg(pid, signal.SIGKILL)
        return
    import psutil  # the guard of other platforms needs none

    with contextlib.suppress(psutil.NoSuchProcess):  # likewise
        first = psutil.Process(pid)
        for process in (*first.children(recursive=True), first):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _guard(command: Sequence[str]) -> int:
    """Run `command` and give back its exit status; kill the whole group as soon as standard input closes."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_wait_for_the_end_of_input, daemon=True).start()
    return process.wait()


def _wait_for_the_end_of_input() -> None:
    while os.read(0, 1):
        pass
    kill_all(os.getpid())


if __name__ == "__main__":
    _status = _guard(sys.argv[1:])
    if _status < 0:
        os.kill(os.getpid(), -_status)  # end as the command did, so that the watcher sees the signal
    sys.exit(_status)
