"""llama.cpp as this program sees it: a process that may end at any time, which then is a message and no more.

:class:`Weights` starts it (models/gguf/child.py) and asks; :class:`Context` stands for a context there and knows which
sequences of it are taken. A process that has ended, was killed, or answered with what is no answer stays gone: every
further question raises the same Problem, and loading the model again starts another one.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.signs import safe
from arplay.core.waits import Interrupted, ended_by, is_interrupted
from arplay.models.base import Report
from arplay.models.gguf.pipe import STOP, Damaged, receive, send

COMMAND = (sys.executable, "-m", "arplay.models.gguf.child")
FIRST_CELLS = 1024
_SMALL = 16_384
"""Bytes of a request behind which there is still room in any pipe for a short one."""
_SOURCE = Path(__file__).parents[2]
_LAST_WORDS = 4096
_LONGEST_DEATH_SECONDS = 2.0

_numbers = itertools.count()


class Process:
    """A process in which llama.cpp runs. Not thread-safe."""

    def __init__(self, what: str, remedy: str) -> None:
        """``what`` it runs, and what to do when it ends by itself or gives up, for the message."""
        self._what, self.remedy = what, remedy
        self._death: tuple[str, str] | None = None
        self._stoppable = self._forced = False
        self._sending = threading.Lock()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=_SOURCE,
            env=os.environ | {"GGML_NO_BACKTRACE": "1"},  # it would start a debugger
            start_new_session=True,
        )
        self.end = weakref.finalize(self, _ended, self._process, self._said)
        self.forgotten: deque[tuple[int, int | None, int]] = deque()
        """Contexts (None), and sequences of them beyond a length, by any thread: told with the next question."""

    @property
    def pid(self) -> int:
        return self._process.pid

    def peak(self) -> int:
        """The most memory that it has held, in bytes; the weights that it has mapped count as far as they were read."""
        return int(self.ask("peak")[0]["bytes"])

    def ask(
        self, what: str, data: bytes | memoryview = b"", report: Report | None = None, **given: Any
    ) -> tuple[dict[str, Any], NDArray[np.uint8]]:
        """The answer. Raises Problem: the answer itself, or how the process ended; and what ``report`` raises.

        Raises Interrupted where another thread put an end to the wait.
        """
        if self._death is not None:
            raise Problem(*self._death)
        asked = {"do": what, "forgotten": [self.forgotten.popleft() for _ in range(len(self.forgotten))], **given}
        pipes = self._process.stdin, self._process.stdout
        assert pipes[0] is not None and pipes[1] is not None
        try:
            with ended_by(self._stop):
                answer = self._asked(pipes[0], pipes[1], asked, data, report)
        except (OSError, Damaged):
            raise self._died() from None
        except BaseException:  # the answer to come would be taken for that of the next question
            self._death = f"llama.cpp was stopped while it worked on {self._what}", "load the model again"
            self.end()
            raise
        if "interrupted" in answer[0]:
            raise Interrupted("llama.cpp", lost=False)
        if "problem" in answer[0]:
            cause, remedy = answer[0]["problem"]
            raise Problem(safe(cause), safe(remedy) or self.remedy)
        return answer

    def _asked(
        self,
        pipe: IO[bytes],
        answers: IO[bytes],
        asked: dict[str, Any],
        data: bytes | memoryview,
        report: Report | None,
    ) -> tuple[dict[str, Any], NDArray[np.uint8]]:
        with self._sending:
            send(pipe, asked, data)
            self._stoppable = len(data) < _SMALL
        while (answer := receive(answers)) is not None and "progress" in answer[0]:
            if report is not None:
                report(float(answer[0]["progress"]), "reading the weights")
        if answer is None:
            raise Damaged("it ended")
        return answer

    def _stop(self, force: bool) -> None:
        """Called in another thread, while this one waits for an answer."""
        if force:
            self._forced = True
            self._process.kill()
        elif self._process.stdin is not None and self._sending.acquire(blocking=False):
            try:
                if self._stoppable:  # else the pipe may be full, and this would wait
                    self._stoppable = False
                    send(self._process.stdin, STOP)
            except (OSError, ValueError):  # it has ended meanwhile
                pass
            finally:
                self._sending.release()

    def _died(self) -> Problem:
        if self._forced:
            self._death = f"llama.cpp gave no answer and was ended while it ran {self._what}", self.remedy
            self.end()
            return Interrupted("llama.cpp", lost=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LONGEST_DEATH_SECONDS)
        status = self._process.poll()
        how = "stopped answering" if status is None else _ending(status)
        words = _last_words(self._said)
        self._death = f"llama.cpp {how} while it ran {self._what}{words and f' ({words})'}", self.remedy
        self.end()
        return Problem(*self._death)


class Weights:
    """The weights of a GGUF file in a process of llama.cpp; the attributes are those of gguf_llama.Weights."""

    def __init__(
        self, process: Process, path: Path, architecture: str, vocabulary: int, threads: int, report: Report
    ) -> None:
        """Raises Problem where llama.cpp does not load it, and what ``report`` raises to cancel."""
        self.process, self.vocabulary, self.threads = process, vocabulary, threads
        self.bytes = path.stat().st_size
        given: dict[str, Any] = {"path": str(path.resolve()), "architecture": architecture, "vocabulary": vocabulary}
        known, _ = process.ask("load", report=report, threads=threads, **given)
        process.remedy = f"load the model again, or {process.remedy}"
        self.context: int | None = known["context"]
        self.rows, self.sequences = int(known["rows"]), int(known["sequences"])
        self.crops, self.window = bool(known["crops"]), int(known["window"])
        self.cell_bytes, self.state_bytes = int(known["cell_bytes"]), int(known["state_bytes"])


class Context:
    """A context over there: cells, one for each token read, that its sequences share; it grows when they are used up.

    A sequence belongs to an owner (a session) and is emptied for another use after its owner has ended.
    """

    def __init__(self, weights: Weights, cells: int = FIRST_CELLS) -> None:
        self._weights, self._process = weights, weights.process
        self._number = next(_numbers)
        self.cells = int(self._ask("context", cells=cells)[0]["cells"])
        self._free = list(range(weights.sequences))[::-1]  # numbers of sequences
        self._left: deque[int] = deque()  # by sessions that ended, in whatever thread
        weakref.finalize(self, self._process.forgotten.append, (self._number, None, 0)).atexit = False

    @property
    def held(self) -> int:
        """Bytes that the cells take, used or not; all sequences together."""
        return self.cells * self._weights.cell_bytes + self._weights.sequences * self._weights.state_bytes

    def take(self, owner: object) -> int | None:
        """The number of an empty sequence, given back when ``owner`` ends; None where all are taken."""
        self._clean()
        if not self._free:
            return None
        number = self._free.pop()
        weakref.finalize(owner, self._left.append, number).atexit = False
        return number

    def copy(self, source: int, other: Context, target: int) -> bool:
        """``target`` of ``other`` holds from now on what ``source`` holds here; False: it cannot, and is empty."""
        there, _ = self._ask("copy", sequence=source, other=other._number, target=target)
        return bool(there["done"])

    def crop(self, sequence: int, length: int) -> bool:
        """Forget what ``sequence`` holds after its first ``length`` tokens; False, and nothing changed: it cannot."""
        if not length or (self._weights.crops and not self._weights.window):  # it always can: no question of its own
            self._process.forgotten.append((self._number, sequence, length))
            return True
        return bool(self._ask("crop", sequence=sequence, length=length)[0]["done"])

    def save(self, sequence: int) -> NDArray[np.uint8]:
        """What :meth:`restore` needs to come back to this place, where it cannot be cropped."""
        return self._ask("save", sequence=sequence)[1]

    def restore(self, sequence: int, state: NDArray[np.uint8], length: int) -> bool:
        """``sequence``, which has read further, holds its first ``length`` tokens again; False: it holds nothing."""
        return bool(self._ask("restore", state.data, sequence=sequence, length=length)[0]["done"])

    def read(self, sequence: int, ids: Sequence[int], before: int, keep: int) -> NDArray[np.float32]:
        """Read ``ids`` (at most ``rows``) as tokens ``before``, ... of ``sequence``; logits after the last ``keep``.

        Shape (keep, V). Raises Problem where memory or llama.cpp fails; what ``sequence`` holds then is not known.
        Raises Interrupted where another thread has put an end to it; it is to be cropped or restored then.
        """
        if is_interrupted():
            raise Interrupted("llama.cpp", lost=False)
        self._clean()
        given = np.array(ids, np.int32).data.cast("B")
        answer, data = self._ask("read", given, sequence=sequence, before=before, keep=keep)
        self.cells = int(answer["cells"])
        return data.view(np.float32).reshape(keep, self._weights.vocabulary)

    def _ask(self, what: str, data: bytes | memoryview = b"", **given: Any) -> tuple[dict[str, Any], NDArray[np.uint8]]:
        return self._process.ask(what, data, context=self._number, **given)

    def _clean(self) -> None:
        while self._left:
            number = self._left.popleft()
            self._process.forgotten.append((self._number, number, 0))
            self._free.append(number)


def about() -> dict[str, Any]:
    """Version and processor features of llama.cpp, asked in a process of its own. Problem where it breaks off."""
    process = Process("its own version", "install it again: pip install --force-reinstall llama-cpp-python")
    try:
        return process.ask("about")[0]
    finally:
        process.end()


def _ended(process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    process.kill()  # it has nothing to finish, and may hang; harmless where it has ended
    with contextlib.suppress(subprocess.TimeoutExpired):  # one that hangs in a dead disk is not waited for
        process.wait(_LONGEST_DEATH_SECONDS)
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with contextlib.suppress(OSError):  # what was not sent yet
            pipe.close()
    said.close()


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended by itself (status {status})"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed ({name}; memory may have run out)" if name == "SIGKILL" else f"broke off ({name})"


def _last_words(said: IO[bytes]) -> str:
    """The last line that it wrote, safe to show."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - _LAST_WORDS))
    lines = said.read().decode("utf-8", "replace").split("\n")
    line = next((line for line in reversed(lines) if line.strip()), "")
    return safe(re.sub(r"^\S*[/\\]", "", line.strip())[:200])  # without the path of the source file that it names
