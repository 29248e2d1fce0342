"""The strictness itself: each of these small tests must fail, for its own reason, and the honest one must pass."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from arplay import paths

REPOSITORY = Path(__file__).parent.parent

SLOPPY = """
import threading, warnings
import pytest
from PySide6.QtCore import QObject, QTimer, Signal, qWarning
from PySide6.QtWidgets import QLabel

kept = []

class Sender(QObject):
    sent = Signal()

def test_honest(qtbot):
    label = QLabel("fine")
    qtbot.addWidget(label)
    label.show()
    timer = QTimer(label)
    timer.start(1000)
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()

def test_warning():
    warnings.warn("careless")

def test_unclosed_file(tmp_path):
    open(tmp_path / "file", "w")

def test_unexpected_pass():
    pass
test_unexpected_pass = pytest.mark.xfail(test_unexpected_pass)

def test_unknown_marker_is_told_by_name():
    with pytest.raises(pytest.fail.Exception, match="not found in `markers`"):
        pytest.mark.misspelt

def test_raising_slot(qtbot):
    def slot():
        raise ValueError("in a slot")
    sender = Sender()
    sender.sent.connect(slot)
    sender.sent.emit()

def test_raising_thread():
    def run():
        raise ValueError("in a thread")
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

def test_qt_warning(qtbot):
    qWarning("careless")

def test_qt_warning_in_teardown(qtbot):
    kept.append(QLabel())
    kept[-1].destroyed.connect(lambda: qWarning("late"))
    qtbot.addWidget(kept[-1])

def test_thread():
    threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()

def test_timer(qtbot):
    kept.append(QTimer())
    kept[-1].start(100_000)

def test_window(qtbot):
    kept.append(QLabel("forgotten"))
    kept[-1].show()

def test_hidden_window(qtbot):
    kept.append(QLabel("forgotten"))

def test_honest_after_all_that(qtbot):
    pass
"""

REASONS = {
    "test_warning": "careless",
    "test_unclosed_file": "ResourceWarning",
    "test_unexpected_pass": "XPASS(strict)",
    "test_raising_slot": "in a slot",
    "test_raising_thread": "in a thread",
    "test_qt_warning": "careless",
    "test_qt_warning_in_teardown": "Qt warned during teardown: late",
    "test_thread": "left behind: thread forgotten",
    "test_timer": "left behind: running QTimer",
    "test_window": "left behind: window QLabel",
    "test_hidden_window": "left behind: window QLabel",
}


def run(pytester: pytest.Pytester, file: Path) -> pytest.RunResult:
    """pytest in a process of its own, with this project's settings and strictness."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPOSITORY))
        settings = ["-c", str(REPOSITORY / "pyproject.toml"), "--rootdir", str(pytester.path), "-p", "tests.strictness"]
        return pytester.runpytest_subprocess(*settings, "-n", "0", "--tb=short", file)


def test_sloppy_tests_fail_and_honest_ones_pass(pytester: pytest.Pytester) -> None:
    file = pytester.makepyfile(test_sloppy=SLOPPY)
    said = run(pytester, file)
    text = "\n".join(said.outlines)
    fallen = dict(re.findall(r"^(?:FAILED|ERROR) \S*::(\w+)(.*)$", text, re.MULTILINE))
    assert set(fallen) == set(REASONS), text
    parts = re.split(r"^_{3,} (?:ERROR at teardown of )?(\w+) _{3,}$", text, flags=re.MULTILINE)
    for name, told in zip(parts[1::2], parts[2::2], strict=True):
        assert REASONS[name] in told, f"{name} fell for another reason:\n{told}"
    assert said.ret == pytest.ExitCode.TESTS_FAILED


def test_worked_values_in_docstrings_are_tests_of_every_module(pytester: pytest.Pytester) -> None:
    file = pytester.makepyfile(
        worked='def half(x):\n    """\n    >>> half(4), half(2)\n    (2, 2)\n    """\n    return x // 2\n'
    )
    said = run(pytester, file)
    said.assert_outcomes(failed=1)
    said.stdout.fnmatch_lines(["Expected:", "*(2, 2)", "Got:", "*(2, 1)"])
    assert (
        "arplay"
        in tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["testpaths"]
    )


def test_no_test_touches_the_users_files() -> None:
    home = Path(os.environ["XDG_CONFIG_HOME"]).parent
    assert home.name.startswith("arplay-tests-")
    for path in (paths.settings(), paths.sessions(), paths.cache(), paths.models()):
        assert path.is_relative_to(home)
    assert not Path(os.environ["ARPLAY_TEST_CACHE"]).is_relative_to(home)


def test_a_gpu_test_runs_or_says_why_not(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    file = pytester.makepyfile(test_gpu="import pytest\n@pytest.mark.gpu\ndef test_gpu():\n    assert False\n")
    said = run(pytester, file)
    said.assert_outcomes(skipped=1)
    said.stdout.fnmatch_lines(["SKIPPED*no GPU here*"])
