"""What a test must not leave behind, and how long it may wait: a pytest plugin for every test of the project.

A test fails that leaves a thread, a running timer or a window, or during whose teardown Qt warns. pytest and
pytest-qt see to the rest: warnings, Qt's warnings in the test itself, exceptions in slots and in threads.
"""

from __future__ import annotations

import gc
import re
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from pytestqt.qtbot import QtBot

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

HANG_GUARD = 30.0
"""Seconds after which a wait counts as hung. Nothing here asserts that something is fast."""


class PatientBot(QtBot):
    """pytest-qt's robot, whose waits are hang guards: a loaded machine fails no test."""

    def _wait(self, method: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return method(*given, **{"timeout": int(HANG_GUARD * 1000), **named})

    def waitSignal(self, *given: Any, **named: Any) -> Any:
        return self._wait(super().waitSignal, given, named)

    def waitSignals(self, *given: Any, **named: Any) -> Any:
        return self._wait(super().waitSignals, given, named)

    def waitUntil(self, *given: Any, **named: Any) -> Any:
        return self._wait(super().waitUntil, given, named)

    def waitExposed(self, *given: Any, **named: Any) -> Any:
        return self._wait(super().waitExposed, given, named)

    def waitActive(self, *given: Any, **named: Any) -> Any:
        return self._wait(super().waitActive, given, named)

    def waitCallback(self, *given: Any, **named: Any) -> Any:
        return self._wait(super().waitCallback, given, named)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    return PatientBot(request)


@pytest.fixture(autouse=True)
def leaves_nothing() -> Iterator[None]:
    """Set up before and torn down after what the test itself asks for."""
    before = _living()
    yield
    left = _living() - before
    if left:
        gc.collect()  # a cycle that nobody holds is no leak
        there = {ident for ident, _ in before}
        for thread in threading.enumerate():  # nor a thread of a library that was told to end, and is about to
            if thread.ident not in there:
                thread.join(1)
        left = _living() - before
    names = sorted(name for _, name in left)
    del left
    if names:
        _clear_away(before)
        pytest.fail("left behind: " + ", ".join(names), pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """pytest-qt stops listening to Qt when the test's own code ends; its teardown must be as quiet."""
    if "PySide6.QtCore" not in sys.modules:
        return (yield)
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler

    allowed = [re.compile(pattern) for pattern in item.config.getini("qt_log_ignore")]
    said: list[str] = []

    def hear(kind: QtMsgType, _: object, text: str) -> None:
        harmless = kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
        if not harmless and not any(pattern.search(text) for pattern in allowed):
            said.append(text)

    former = qInstallMessageHandler(hear)
    try:
        result = yield
    finally:
        qInstallMessageHandler(former)
    if said:
        pytest.fail("Qt warned during teardown: " + "; ".join(said), pytrace=False)
    return result


def pytest_sessionfinish() -> None:
    """What is copied is destroyed while Python lives: without a screen Qt keeps it until the process ends, and a
    QMimeData that Python made then asks an interpreter that is gone (a segmentation fault behind all tests)."""
    gui = sys.modules.get("PySide6.QtGui")
    if gui is not None and gui.QGuiApplication.instance() is not None:
        gui.QGuiApplication.clipboard().clear()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no GPU here")


def _living() -> set[tuple[int, str]]:
    """Threads, running timers and animations, and windows that are there now."""
    living = {(thread.ident or 0, f"thread {thread.name}") for thread in threading.enumerate()}
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or not isinstance(widgets.QApplication.instance(), widgets.QApplication):
        return living
    from PySide6.QtCore import QAbstractAnimation, QCoreApplication, QEvent, QThread, QTimer
    from shiboken6 import Shiboken

    widgets.QToolTip.hideText()  # a tip takes its time to go
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    main = widgets.QApplication.instance().thread()
    kinds = (QTimer, QThread, QAbstractAnimation)
    for thing in [each for each in Shiboken.getAllValidWrappers() if _among(type(each), kinds)]:  # few of thousands
        running = (
            (isinstance(thing, QTimer) and thing.isActive())
            or (isinstance(thing, QThread) and thing is not main and thing.isRunning())
            or (isinstance(thing, QAbstractAnimation) and thing.state() == QAbstractAnimation.State.Running)
        )
        if running:
            living.add((Shiboken.getCppPointer(thing)[0], f"running {type(thing).__name__}"))
    for widget in widgets.QApplication.topLevelWidgets():
        if widget.parent() is None:
            living.add((Shiboken.getCppPointer(widget)[0], f"window {type(widget).__name__}"))
    return living


@cache
def _among(kind: type, kinds: tuple[type, ...]) -> bool:
    return issubclass(kind, kinds)


def _clear_away(before: set[tuple[int, str]]) -> None:
    """Windows that were left must not be counted against the tests that follow."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None:
        return
    from shiboken6 import Shiboken

    known = {address for address, _ in before}
    for widget in widgets.QApplication.topLevelWidgets():
        gone = not Shiboken.isValid(widget)  # with one before it
        if not gone and widget.parent() is None and Shiboken.getCppPointer(widget)[0] not in known:
            Shiboken.delete(widget)
