"""No label, button, tooltip, title, action or row of the window shows raw text or markup of a file, model or hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6 import QtGui
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from arplay.gui.main_window import MainWindow
from arplay.gui.widgets.caption import Label, plain
from tests.hostile import PARTS, raw
from tests.windows_open import Open, settle

TAGS = ("<b>x", "<img", "<a href")
EVIL = "m<b>x<i>y&amp;<img src='file:x'>\x1b[2J\u202e\u2028\x9b\u200bé"
"""A name with everything in it, and without / and NUL, which a file's name cannot have."""
ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)


def cells(model: QAbstractItemModel | None, parent: QModelIndex | None = None, most: int = 300) -> Iterator[str]:
    if model is None:
        return
    above = parent or QModelIndex()
    for row in range(min(model.rowCount(above), most)):
        for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(above)):
            index = model.index(row, column, above)
            for role in ROLES:
                told = model.data(index, role)
                if isinstance(told, str):
                    yield f"{'rich' if role == Qt.ItemDataRole.ToolTipRole else 'plain'}:{told}"
        yield from cells(model, model.index(row, 0, above), 50)


def texts(widget: QWidget) -> Iterator[str]:
    """What a widget tells, each with what Qt takes it for: ``rich:``, where it looks for markup, or ``plain:``."""
    yield f"rich:{widget.toolTip()}"
    for told in (widget.windowTitle(), widget.accessibleName(), widget.accessibleDescription(), widget.statusTip()):
        yield f"plain:{told}"
    for action in widget.actions():
        yield from texts_of_action(action)
    if isinstance(widget, QLabel):
        yield f"{'plain' if widget.textFormat() == Qt.TextFormat.PlainText else 'rich'}:{widget.text()}"
    elif isinstance(widget, QAbstractButton):
        yield f"plain:{widget.text()}"
    elif isinstance(widget, QLineEdit):
        yield f"plain:{widget.placeholderText()}"
    elif isinstance(widget, QTabWidget):
        for i in range(widget.count()):
            yield from (f"plain:{widget.tabText(i)}", f"rich:{widget.tabToolTip(i)}")
    elif isinstance(widget, QComboBox | QAbstractItemView):
        yield from cells(widget.model())


def texts_of_action(action: QAction) -> Iterator[str]:
    yield from (f"plain:{action.text()}", f"rich:{action.toolTip()}", f"plain:{action.statusTip()}")


def faults() -> list[str]:
    """Everything on the screen, or made to be shown, that is raw or is markup from outside."""
    found = []
    for widget in QApplication.allWidgets():
        for told in texts(widget):
            way, _, text = told.partition(":")
            markup = way == "rich" and QtGui.Qt.mightBeRichText(text) and any(tag in text for tag in TAGS)
            if markup or raw(text, allowed="\n\t"):
                found.append(f"{type(widget).__name__} {widget.objectName()}: {told[:200]!r}")
    return sorted(set(found))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    parts = list(dict.fromkeys(PARTS))
    rows = {"": dict.fromkeys(parts, 1 / len(parts))}
    path = tmp_path / f"{EVIL}.json"
    path.write_text(json.dumps({"name": EVIL, "alphabet": parts, "rows": rows}), encoding="utf-8")
    return path


def everything(window: MainWindow, qtbot: QtBot, table: Path) -> None:
    """Open what there is to open, each thing with such a name."""
    text = table.with_suffix(".txt")
    text.write_text("".join(PARTS), encoding="utf-8", newline="")
    window.open_file(text)
    settle(window, qtbot)
    for panel in window.panels.values():
        panel.show_view(window.playground.view)
    window.browse_models()
    window.training.open()
    assert window.training.window is not None
    window.training.window.form.add_files([text])
    for menu in window.findChildren(QMenu):
        menu.aboutToShow.emit()  # those that are filled when they open


def test_nothing_on_the_window_is_raw(opened: Open, qtbot: QtBot, table: Path) -> None:
    window = opened(str(table), b"")
    everything(window, qtbot, table)
    assert not faults(), "\n".join(faults())
    window.report(EVIL, EVIL)
    assert not faults(), "\n".join(faults())
    window.choose_model(str(table.parent / f"no{EVIL}.gguf"))
    qtbot.waitUntil(lambda: "no" in window.notice.text())
    assert not faults(), "\n".join(faults())
    labels = [label for label in QApplication.allWidgets() if isinstance(label, QLabel)]
    assert not [label.text() for label in labels if label.textFormat() == Qt.TextFormat.AutoText and label.text()]
    shown = [told for widget in QApplication.allWidgets() for told in texts(widget) if "⟨U+202E⟩" in told]
    assert len(shown) > 5, "it was there to be seen"


def test_a_label_that_guesses_and_a_raw_title_would_be_found(qtbot: QtBot) -> None:
    """Negative control."""
    label, box = QLabel(EVIL), QWidget()
    for widget in (label, box):
        qtbot.addWidget(widget)
    box.setWindowTitle("a\x1b[2J")
    box.setToolTip(EVIL)
    assert len(faults()) == 3
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText("<b>x")
    box.setWindowTitle("")
    box.setToolTip(plain(EVIL))
    ours = Label(EVIL)
    qtbot.addWidget(ours)
    assert faults() == [] and "<b>x" in ours.text()
