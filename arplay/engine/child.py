"""A child process that can always be ended, with everything it started, and that never outlives this program.

The command runs under a small guard (this very file, run as a script) in a process group of its own. The guard
holds the reading end of a pipe whose writing end only this process has: when this process ends, even by
``kill -9``, the pipe closes and the guard kills the group. POSIX only.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_POLL_SECONDS = 0.1
_LONGEST_DEATH_SECONDS = 0.8  # a process that hangs in a dead network disk is not waited for


class Child:
    """A running command. Its output (both streams) is gathered whenever :meth:`poll` is called.

    `inherit` are file descriptors that the command keeps open: a lock among them is held until the last process
    of the group is gone.
    """

    def __init__(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str], inherit: Sequence[int] = ()
    ) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, "-P", __file__, *command],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
            pass_fds=inherit,
        )
        assert self._guard.stdout is not None
        os.set_blocking(self._guard.stdout.fileno(), False)
        self._output = b""
        self._told = 0

    def poll(self) -> int | None:
        """None while the command runs, then its exit status; -N when signal N ended it. Never waits."""
        status = self._guard.poll()
        assert self._guard.stdout is not None
        while not self._guard.stdout.closed and (fresh := self._guard.stdout.read(1 << 16)):
            self._output += fresh
        return status

    def output(self) -> str:
        """Everything gathered so far."""
        return self._output.decode("utf-8", errors="replace")

    def lines(self) -> list[str]:
        """The complete lines gathered since the last call."""
        end = self._output.rfind(b"\n") + 1
        whole, self._told = self._output[self._told : end], max(end, self._told)
        return whole.decode("utf-8", errors="replace").splitlines()

    def end(self) -> None:
        """Kill the command and all it started and wait until it is gone; harmless when it ended by itself."""
        status = self.poll()
        if status is None or status < 0:  # a guard killed from outside may have left its command behind
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._guard.pid, signal.SIGKILL)
            self._wait_for_silence()
        self._guard.wait()
        for pipe in (self._guard.stdin, self._guard.stdout):
            assert pipe is not None
            pipe.close()

    def _wait_for_silence(self) -> None:
        """Wait until every process of the killed group is gone: each of them holds the output's writing end."""
        pipe = self._guard.stdout
        assert pipe is not None
        deadline = time.monotonic() + _LONGEST_DEATH_SECONDS
        while select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0] and pipe.read(1 << 16):
            pass


def _guard(command: Sequence[str]) -> int:
    """Run `command` and give back its exit status; kill the whole group as soon as standard input closes."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)
    while process.poll() is None:
        if select.select([0], [], [], _POLL_SECONDS)[0]:
            os.killpg(0, signal.SIGKILL)
    return process.returncode


if __name__ == "__main__":
    _status = _guard(sys.argv[1:])
    if _status < 0:
        os.kill(os.getpid(), -_status)  # end as the command did, so that the watcher sees the signal
    sys.exit(_status)
