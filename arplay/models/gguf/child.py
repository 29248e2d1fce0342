"""The process in which llama.cpp runs: ``python -m arplay.models.gguf.child``, started by models/gguf/parent.py.

Requests come through standard input and answers leave through standard output, as models/gguf/pipe.py has them. What
llama.cpp itself prints goes to standard error. The process ends as soon as its standard input closes, even while it
computes: whoever started it has closed the model, or is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.waits import Interrupted
from arplay.models.devices import peak
from arplay.models.gguf.llama import Context, Weights, library, stop
from arplay.models.gguf.pipe import STOP, receive, send
from arplay.models.gguf.vocab import Vocab

Answer = tuple[dict[str, Any], bytes | memoryview]
Request = tuple[dict[str, Any], NDArray[np.uint8]]


class Server:
    """The model and its contexts. Each request names a method (without its ``_``) and what else it is given."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self._weights: Weights | None = None
        self._vocab: Vocab | None = None
        self._contexts: dict[int, Context] = {}

    def answer(self, asked: dict[str, Any], data: NDArray[np.uint8]) -> Answer:
        """Forget what is ``forgotten``, then do what ``do`` names."""
        for number, sequence, length in asked.pop("forgotten"):
            if sequence is None:
                self._contexts.pop(number, None)
            elif number in self._contexts and not self._contexts[number].crop(sequence, length):
                raise Problem("llama.cpp cannot go back in its cache", "")
        doing: Callable[..., Answer] = getattr(self, f"_{asked.pop('do')}")
        return doing(data, **asked)

    def _about(self, _: Any) -> Answer:
        lib = library()
        return {"version": lib.llama_version().decode(), "system": lib.llama_print_system_info().decode()}, b""

    def _peak(self, _: Any) -> Answer:
        return {"bytes": peak()}, b""

    def _vocabulary(self, _: Any, path: str) -> Answer:
        self._vocab = Vocab(Path(path))
        sizes, attributes, joined = self._vocab.tokens()
        return {"tokens": len(sizes)}, sizes.tobytes() + attributes.tobytes() + joined

    def _cut(self, data: NDArray[np.uint8], whole: bool, special: bool) -> Answer:
        assert self._vocab is not None
        return {}, self._vocab.ids(data.tobytes(), whole, special).data.cast("B")

    def _load(self, _: Any, path: str, architecture: str, vocabulary: int, threads: int) -> Answer:
        def progress(fraction: float) -> None:
            try:
                self._tell({"progress": fraction})
            except OSError:  # nobody listens any more; an exception must not pass through C
                os._exit(0)

        self._weights = weights = Weights(Path(path), architecture, vocabulary, threads, progress)
        known = ("context", "rows", "sequences", "crops", "window", "cell_bytes", "state_bytes")
        return {name: getattr(weights, name) for name in known}, b""

    def _context(self, _: Any, context: int, cells: int) -> Answer:
        assert self._weights is not None
        made = self._contexts[context] = Context(self._weights, cells)
        return {"cells": made.cells}, b""

    def _read(self, data: NDArray[np.uint8], context: int, sequence: int, before: int, keep: int) -> Answer:
        used = self._contexts[context]
        logits = used.read(sequence, data.view(np.int32).tolist(), before, keep)
        return {"cells": used.cells}, logits.data.cast("B")

    def _crop(self, _: Any, context: int, sequence: int, length: int) -> Answer:
        return {"done": self._contexts[context].crop(sequence, length)}, b""

    def _copy(self, _: Any, context: int, sequence: int, other: int, target: int) -> Answer:
        return {"done": self._contexts[context].copy(sequence, self._contexts[other], target)}, b""

    def _save(self, _: Any, context: int, sequence: int) -> Answer:
        return {}, self._contexts[context].save(sequence).data

    def _restore(self, data: NDArray[np.uint8], context: int, sequence: int, length: int) -> Answer:
        used = self._contexts[context]
        return {"done": used.restore(sequence, data) and used.crop(sequence, length)}, b""


def main() -> None:
    """Serve until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the program that asks
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints is no answer
    requests: SimpleQueue[Request] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    server = Server(lambda told: send(answers, told))
    try:
        while True:
            asked, data = requests.get()
            try:
                header, body = server.answer(asked, data)
            except Interrupted:
                header, body = {"interrupted": True}, b""
            except Problem as problem:
                header, body = {"problem": [problem.cause, problem.remedy]}, b""
            send(answers, header, body)
    except BrokenPipeError:
        os._exit(0)


def _listen(pipe: BinaryIO, requests: SimpleQueue[Request]) -> None:
    try:
        while (request := receive(pipe)) is not None:
            stop[0] = b"\1" if request[0] == STOP else b"\0"
            if request[0] != STOP:
                requests.put(request)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
