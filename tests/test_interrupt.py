"""Ctrl-C in the terminal closes the real program, which keeps the text."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sessions import kept_in

STARTED = """
import sys
from PySide6.QtCore import QTimer
from arplay.gui import app
from arplay.gui.options import WindowOptions
app.application()
ready = QTimer()
ready.timeout.connect(lambda: print("ready", flush=True))
ready.setSingleShot(True)
ready.start(0)
sys.exit(app.run(WindowOptions(model="abc", prompt="BAC")))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_window_and_keeps_the_text(tmp_path: Path, number: int) -> None:
    places = {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("CONFIG", "STATE", "CACHE")}
    program = subprocess.Popen(
        [sys.executable, "-c", STARTED],
        env=os.environ | places | {"QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    with program, program.stdout:
        assert program.stdout.readline() == "ready\n"
        program.send_signal(number)
        assert program.wait(60) == 0
    (kept,) = kept_in(next(tmp_path.rglob("sessions")))
    assert kept.tree.document.data == b"BAC"
