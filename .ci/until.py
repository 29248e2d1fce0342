"""A plugin of pytest: no test begins after the moment in the environment variable UNTIL (seconds of the epoch).

The tests go in the order in which they were asked for, and the last line says how many did not begin.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import pytest

_UNTIL = float(os.environ["UNTIL"])
_asked: set[str] = set()
_ran: set[str] = set()


def pytest_collection_finish(session: pytest.Session) -> None:
    _asked.update(item.nodeid for item in session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: Sequence[str]) -> None:
    """The tests are collected in other processes."""
    _asked.update(ids)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """True: there is nothing more to do for it."""
    return True if time.time() >= _UNTIL else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _ran.add(report.nodeid)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _asked and not hasattr(config, "workerinput"):
        left = len(_asked - _ran)
        why = f", {left:,} did not: the time was over" if left else ""
        print(f"{len(_asked) - left:,} of {len(_asked):,} tests began{why}")
