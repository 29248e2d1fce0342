"""Shares: several processes give one batch's gradient, the same run, and nothing that outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from arplay.core.errors import Problem
from arplay.training.shares import Shares, shares_of
from arplay.training.stop import SIGNALS
from tests import tiny_shares
from tests.tiny_shares import network, plain, rows, run, whole

LONG = 60.0
"""Seconds after which something hangs."""


def test_a_batch_goes_into_equal_shares() -> None:
    assert [shares_of(8, threads) for threads in (1, 2, 3, 4, 6, 8, 64)] == [1, 2, 2, 4, 4, 8, 8]
    assert shares_of(6, 4) == 3
    assert shares_of(7, 4) == 1


def test_shares_add_up_to_the_gradient_of_the_whole_batch() -> None:
    alone, shared = network(), network()
    loss = whole(alone, rows())
    shares = Shares(shared, plain, whole, 4)
    try:
        for _ in range(2):  # nothing of the first batch is left in the second
            assert shares.loss(rows()) == pytest.approx(loss, abs=1e-6)
        for mine, whole_one in zip(shared.parameters(), alone.parameters(), strict=True):
            assert mine.grad is not None
            assert whole_one.grad is not None
            torch.testing.assert_close(mine.grad, whole_one.grad, atol=1e-6, rtol=1e-5)
    finally:
        shares.close()


def test_a_run_in_two_processes_learns_the_same_and_resumes_to_the_bit(tmp_path: Path) -> None:
    alone, first = run(1), run(2)
    try:
        before = [first.advance() for _ in range(3)]
        first.save(tmp_path / "state.safetensors")
        unbroken = [first.advance() for _ in range(3)]
    finally:
        first.close()
    assert before + unbroken == pytest.approx([alone.advance() for _ in range(6)], abs=1e-4)
    second = run(2)
    second.resume(tmp_path / "state.safetensors")
    try:
        assert [second.advance() for _ in range(3)] == unbroken
    finally:
        second.close()
    for mine, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize(("work", "expected"), [("fails", RuntimeError), ("ends", Problem)])
def test_what_happens_in_another_process_is_told(
    work: str, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_PARENT", str(os.getpid()))
    shares = Shares(network(), plain, getattr(tiny_shares, work), 2)
    try:
        with pytest.raises(expected, match=r"no memory is left|ended from outside"):
            shares.loss(rows())
    finally:
        shares.close()


def test_what_stops_a_run_is_for_the_first_process_to_decide() -> None:
    before = set(psutil.Process().children())
    shares = Shares(network(), plain, whole, 2)
    try:
        loss = shares.loss(rows())
        (other,) = [child for child in psutil.Process().children() if child not in before and "spawn" in named(child)]
        for number in SIGNALS:  # as a terminal sends them to the whole group
            other.send_signal(number)
        assert shares.loss(rows()) == loss
    finally:
        shares.close()


def named(process: psutil.Process) -> str:
    """The command of a process, but not of the one that cleans shared memory up."""
    command = " ".join(process.cmdline())
    return "" if "resource_tracker" in command else command


def test_nothing_outlives_a_run_that_is_killed() -> None:
    command = [sys.executable, "-m", "tests.tiny_shares"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        others = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert others
        assert all(other.is_running() for other in others)
        parent.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(others, timeout=LONG)
        assert alive == []
