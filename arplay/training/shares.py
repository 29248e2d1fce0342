"""The gradient of one batch by several processes, each over its share of the rows.

torch's threads divide every small operation and wait for each other after it; processes wait once a step. On two cores
the usual network learns 1.13 times as fast in two processes as in two threads (tests/benchmarks/training.py). Weights
and gradients lie in shared memory; the process that began the run adds the gradients up in a fixed order and updates
the weights.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arplay.core.errors import Problem
from arplay.training.stop import SIGNALS

if sys.platform == "win32":
    from multiprocessing.connection import PipeConnection as Connection
else:
    from multiprocessing.connection import Connection

Backward = Callable[[Any, NDArray[Any]], float]
"""(compiled or plain forward pass, rows) to the rows' mean NLL; adds its gradient to the parameters'."""

Start = Callable[[nn.Module], Any]
"""A network to the forward pass that ``Backward`` takes, made in the process that will use it."""

ALIGNED = 16
"""Numbers between the starts of two parameters divide by this: 64 bytes."""


class Shares:
    """``count`` processes with one network: this one and ``count`` - 1 that it starts and that end with it."""

    def __init__(self, network: nn.Module, start: Start, backward: Backward, count: int) -> None:
        """``start`` and ``backward`` are found by name in the other processes: functions of a module, or partials.

        Waits until the others are ready. Raises what :meth:`loss` raises.
        """
        self._backward, self._count = backward, count
        weights, self._gradient = _shared(network), _shared(network)
        _lay(network, weights, "data")
        _lay(network, self._gradient, "grad")
        context = torch.multiprocessing.get_context("spawn")
        self._others: list[tuple[Connection, Tensor]] = []
        threads = torch.get_num_threads()
        with _unasked():
            for _ in range(1, count):
                here, there = context.Pipe()
                gradient = _shared(network)
                work = (network, gradient, start, backward, threads, there)
                context.Process(target=_work, args=work, daemon=True).start()
                there.close()  # so that this process hears of the other's end
                self._others.append((here, gradient))
        self._forward = start(network)
        for connection, _ in self._others:
            _answer(connection)

    def loss(self, rows: NDArray[Any]) -> float:
        """The mean NLL of ``rows``, which ``count`` divides; its gradient is left in the parameters' ``grad``.

        Raises Problem where another process ended, RuntimeError where one failed.
        """
        parts = rows.reshape(self._count, -1, *rows.shape[1:])
        for (connection, _), part in zip(self._others, parts[1:], strict=True):
            with contextlib.suppress(ConnectionError):  # told below
                connection.send(part)
        self._gradient.zero_()
        losses = [self._backward(self._forward, parts[0])]
        for connection, gradient in self._others:
            losses.append(_answer(connection))
            self._gradient += gradient
        self._gradient /= self._count
        return sum(losses) / self._count

    def close(self) -> None:
        """Let the other processes end."""
        for connection, _ in self._others:
            connection.close()
        self._others.clear()


def _answer(connection: Connection) -> float:
    """Raises Problem where the other process is gone, RuntimeError where it failed."""
    try:
        answer: float | str = connection.recv()
    except (EOFError, ConnectionError) as error:
        raise Problem("a process of this run was ended from outside", "continue with --resume") from error
    if isinstance(answer, str):
        raise RuntimeError(answer)
    return answer


@contextlib.contextmanager
def _unasked() -> Iterator[None]:
    """Processes that start in here are not stopped by what stops a run, not even while they import torch.

    Ctrl-C and the end of a terminal reach every process of a group; the first one decides, and the others end with it.
    """
    if sys.platform == "win32":  # its processes have no signals to block
        yield
        return
    resource_tracker.ensure_running()  # which would undo the block
    former = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def shares_of(rows: int, threads: int) -> int:
    """Into how many equal shares the rows of a batch go: as many as there are threads, or the next that divides."""
    return max(count for count in range(1, threads + 1) if rows % count == 0)


def _shared(network: nn.Module) -> Tensor:
    """Zeros in shared memory, room for every parameter of a network."""
    flat = torch.zeros(sum(map(_room, network.parameters())))
    flat.share_memory_()  # type: ignore[no-untyped-call]
    return flat


def _room(parameter: Tensor) -> int:
    return -(-parameter.numel() // ALIGNED) * ALIGNED


def _lay(network: nn.Module, flat: Tensor, name: str) -> None:
    """Let every parameter's ``data`` or ``grad`` be a part of ``flat``; values that it has move there."""
    at = 0
    with torch.no_grad():
        for parameter in network.parameters():
            part = flat[at : at + parameter.numel()].view_as(parameter)
            if name == "data":
                part.copy_(parameter)
            setattr(parameter, name, part)
            at += _room(parameter)


def _work(
    network: nn.Module, gradient: Tensor, start: Start, backward: Backward, threads: int, parent: Connection
) -> None:
    """What another process does until its parent ends."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(threads)
    _lay(network, gradient, "grad")
    forward = start(network)
    answer: float | str = 0.0  # ready
    with contextlib.suppress(EOFError, OSError):  # the first process has gone
        while True:
            parent.send(answer)
            rows = parent.recv()
            gradient.zero_()
            try:
                answer = backward(forward, rows)
            except RuntimeError as error:
                answer = str(error)
