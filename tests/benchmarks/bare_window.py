"""Baseline: a bare PySide6 window with a text field that has taken a key. Prints the seconds since the start."""

import os
import time

began = time.perf_counter()
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication, QMainWindow, QPlainTextEdit  # noqa: E402

app = QApplication([])
window = QMainWindow()
text = QPlainTextEdit()
window.setCentralWidget(text)
window.resize(1280, 800)
window.show()
QTest.qWaitForWindowExposed(window)
QTest.keyClicks(text, "x")
app.processEvents()
assert text.toPlainText() == "x"
print(time.perf_counter() - began)
