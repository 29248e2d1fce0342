"""Every menu entry, button and shortcut of a running window works, and works again: found by walking, not by a list."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from PySide6.QtCore import SIGNAL, QAbstractItemModel, QCoreApplication, QObject, QTimer, QUrl, Slot
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence, QShortcut
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QTabBar,
    QToolButton,
    QWidget,
    QWidgetAction,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from arplay.core.modalities.text import Text
from arplay.engine import trainer as trainers
from arplay.gui.bridge import Bridge
from arplay.gui.intents import CaretMoved, Do, Find
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
from arplay.models.base import Model, Report
from tests.small_model import SmallModel
from tests.training_open import STAND_IN
from tests.windows_open import PATIENCE, settle

OURS = str(Path(__file__).parent.parent / "arplay")
QT_PARTS = (QLineEdit, QAbstractSpinBox, QComboBox, QTabBar, QHeaderView, QFileDialog, QMessageBox)
"""Buttons inside these are Qt's own."""

QT_CALLS = (QWidget, QAbstractScrollArea, QAbstractItemModel)
"""What Qt calls by itself are methods of these: events, sizes, rows."""

Trigger = QAction | QAbstractButton | QShortcut


class Answers(QObject):
    """Closes what opens: menus and boxes are put away, file dialogs get a file, links are noted and not followed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.files = folder, 0
        self.opened: list[QUrl] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.answer)
        self._timer.start(5)
        QDesktopServices.setUrlHandler("file", self, "follow")  # type: ignore[arg-type]

    def stop(self) -> None:
        self._timer.stop()
        QDesktopServices.unsetUrlHandler("file")

    @Slot(QUrl)
    def follow(self, url: QUrl) -> None:
        self.opened.append(url)

    def answer(self) -> None:
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup is not None:
            popup.close()
        elif isinstance(modal, QFileDialog):
            self.files += 1
            saving = modal.acceptMode() == QFileDialog.AcceptMode.AcceptSave
            folder = modal.fileMode() == QFileDialog.FileMode.Directory
            wanted = self.folder / (f"saved-{self.files}" if saving else "a folder" if folder else "a text.txt")
            modal.selectFile(str(wanted))
            modal.done(int(QDialog.DialogCode.Accepted))
        elif modal is not None:
            modal.close()


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a text.txt").write_text("BACABC")
    answers = Answers(tmp_path)
    yield answers
    answers.stop()


def _load(spec: str, device: str, dtype: str, report: Report) -> Model:
    return SmallModel(name=spec, context=None, lead=(4,))


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A window with a text, a model, files and models used lately; every model opens at once."""
    monkeypatch.setattr(trainers, "COMMAND", STAND_IN)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("ARPLAY_TINY_TRAINER", "")
    store = Store(tmp_path / "arplay.ini")
    store.add_recent("recent_files", str(tmp_path / "a text.txt"))
    window = MainWindow(store, Bridge(load=_load), "light")
    qtbot.addWidget(window)
    assert all(panel.entry for panel in window.panels.values())  # each is there, also where nobody has seen it yet
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    window.playground.load_model("small")
    qtbot.waitUntil(lambda: window.playground.view.loaded is not None, timeout=PATIENCE)
    yield window
    window.training.run.cancel()
    window.training.close()
    window.hide()
    assert window.playground.close(30)


def everything_to_do(window: MainWindow, qtbot: QtBot) -> None:
    """A text with something to undo, to redo, to bring back and to re-tokenise; every menu was opened twice."""
    play = window.playground
    play.open_document(Text.of(b"BACAB"))
    settle(window, qtbot)
    play.handle(CaretMoved(2))
    settle(window, qtbot)
    for _ in range(2):
        play.handle(Do("step"))
        settle(window, qtbot)
    play.undo_stack.undo()
    settle(window, qtbot)
    open_menus(window)


def open_menus(window: MainWindow) -> None:
    for menu in [menu for menu in window.findChildren(QMenu) if menu.menuAction() is not None] * 2:
        menu.aboutToShow.emit()
        menu.aboutToHide.emit()


def triggers(window: QWidget) -> list[Trigger]:
    """All that can be triggered in a window and in the dialogs that belong to it, but what is a part of Qt's own."""
    found: list[Trigger] = []
    for action in window.findChildren(QAction):
        wraps = isinstance(action, QWidgetAction) or isinstance(action.menu(), QMenu)
        quits = action.text() == "&Quit"
        if action.isVisible() and not action.isSeparator() and not wraps and not quits and not _of_qt(action):
            found.append(action)
    for button in window.findChildren(QAbstractButton):
        unused = button.isHidden() and not button.text() and button.icon().isNull()
        stands_for = isinstance(button, QToolButton) and button.defaultAction() is not None
        if not unused and not stands_for and not _of_qt(button):
            found.append(button)
    return found + window.findChildren(QShortcut)


def _of_qt(thing: QObject) -> bool:
    """A part of one of Qt's own widgets."""
    parent: QObject | None = thing
    while parent is not None:
        if isinstance(parent, QT_PARTS) or parent.objectName().startswith("qt_"):
            return True
        parent = parent.parent()
    return False


def named(thing: Trigger) -> str:
    owner = thing.parent()
    if isinstance(thing, QShortcut):
        return f"shortcut {thing.key().toString()} of {type(owner).__name__}"
    place = owner.window().windowTitle() if isinstance(owner, QWidget) else type(owner).__name__
    return f"{type(thing).__name__} “{thing.toolTip() or thing.text()}” of {type(owner).__name__} in {place}"


SIGNALS = {QAction: "triggered(bool)", QShortcut: "activated()"}


def heard(thing: Trigger) -> bool:
    """Whether anything is connected to it, or it has a menu."""
    if isinstance(thing, QToolButton | QPushButton) and thing.menu() is not None:
        return True
    if isinstance(thing, QAbstractButton):
        group, own = thing.group(), ("clicked(bool)", "toggled(bool)")
        of_group = ("idClicked(int)", "buttonClicked(QAbstractButton*)") if group is not None else ()
        return (
            sum(thing.receivers(SIGNAL(one)) for one in own) + sum(group.receivers(SIGNAL(one)) for one in of_group) > 0
        )
    return thing.receivers(SIGNAL(SIGNALS[type(thing)])) > 0


def ran(thing: Trigger) -> list[str]:
    """Trigger it: the functions of the program that Qt called for it, less those that draw, measure and hear events."""
    called: list[str] = []

    def watch(frame: FrameType, event: str, _: object) -> None:
        code, caller = frame.f_code, frame.f_back
        ours = code.co_filename.startswith(OURS)
        if event == "call" and ours and not (caller and caller.f_code.co_filename.startswith(OURS)):
            called.extend([code.co_name] if not any(hasattr(kind, code.co_name) for kind in QT_CALLS) else [])

    sys.setprofile(watch)
    try:
        pull(thing)
    finally:
        sys.setprofile(None)
    return called


def pull(thing: Trigger) -> None:
    if isinstance(thing, QAction):
        thing.trigger()
    elif isinstance(thing, QAbstractButton):
        thing.click()
    else:
        thing.activated.emit()


def works(thing: Trigger) -> bool:
    """A menu shows, or something of the program runs (for a button a slot of Qt's own will do, as a dialog's close)."""
    if isinstance(thing, QToolButton | QPushButton) and thing.menu() is not None:
        spy = QSignalSpy(thing.menu().aboutToShow)
        pull(thing)
        return spy.count() == 1
    return heard(thing) and (bool(ran(thing)) or not isinstance(thing, QAction))


def hidden(thing: Trigger) -> bool:
    """Whether nobody can press it now."""
    return isinstance(thing, QAbstractButton) and thing.isHidden()


def broken(window: MainWindow, qtbot: QtBot) -> list[str]:
    """What does not work when it is triggered twice, whatever else was triggered before; what opens is walked too."""
    everything_to_do(window, qtbot)
    bad: list[str] = []
    seen: set[str] = set()
    while fresh := [thing for thing in triggers(window) if named(thing) not in seen and not hidden(thing)]:
        for thing in fresh:
            if not isValid(thing) or hidden(thing):
                continue
            name = named(thing)
            seen.add(name)
            for _ in range(2):
                if not thing.isEnabled() and thing.parent() in (window.menus, *window.findChildren(QMenu)):
                    everything_to_do(window, qtbot)
                    if not isValid(thing):  # of a menu that is filled anew
                        break
                if not (works(thing) if thing.isEnabled() else heard(thing)):
                    bad.append(name)
                QCoreApplication.processEvents()
                if not isValid(thing):
                    break
    assert len(seen) > 100
    return bad


def test_everything_works_twice(window: MainWindow, qtbot: QtBot, answers: Answers) -> None:
    assert "\n".join(broken(window, qtbot)) == ""
    assert answers.files > 10


def test_what_lost_its_slot_is_found(window: MainWindow, qtbot: QtBot, answers: Answers) -> None:
    """The control: a menu that is emptied and filled again, as ours once were."""
    everything_to_do(window, qtbot)
    entry, menu = window.menus.models.all, window.menus.models
    assert works(entry)
    menu.removeAction(entry)
    menu.insertAction(menu.train, entry)
    assert entry in menu.actions() and not works(entry)
    button = window.menus.bar.switch
    assert works(button)
    button.clicked.disconnect(window.menus.bar._switch_theme)
    assert not works(button)


def keys_of(window: MainWindow) -> Iterator[tuple[QAction, QKeySequence]]:
    for action in window.findChildren(QAction):
        if isValid(action):  # some are of menus that are filled anew meanwhile
            yield from [(action, key) for key in action.shortcuts() if action.text() != "&Quit"]


IN_THE_EDITOR = {
    # its own keys, which it takes before the menu does: the panel tells it instead of the entry
    "Ctrl+Space": (0, [Do("step")]),
    "Alt+Left": (0, [Do("rewind")]),
    # the entry opens the line that is searched from, which tells what stands in it: nothing yet
    "Ctrl+F": (1, [Find("", False)]),
    "F3": (1, [Find("", False)]),
    "Shift+F3": (1, [Find("", False)]),
}
"""How often the entry is triggered by these, and what the panel tells. By others: once, and nothing."""


@pytest.mark.parametrize("place", ["editor", "next_token"])
def test_every_shortcut_works_twice(window: MainWindow, qtbot: QtBot, answers: Answers, place: str) -> None:
    everything_to_do(window, qtbot)
    for action, key in keys_of(window):
        for turn in (1, 2):
            if not action.isEnabled():
                everything_to_do(window, qtbot)
            for other in (window.browser, window.training.window):
                if other is not None:
                    other.close()
            window.activateWindow()
            window.panels[place].setFocus()
            qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
            spies = QSignalSpy(action.triggered), QSignalSpy(window.panels[place].intent)
            QTest.keySequence(QApplication.focusWidget(), key)
            triggered, told = spies[0].count(), [spies[1].at(i)[0] for i in range(spies[1].count())]
            said = f"{key.toString()} ({action.text()}) in {place}, time {turn}"
            expected = IN_THE_EDITOR.get(key.toString(), (1, [])) if place == "editor" else (1, [])
            assert (triggered, told) == expected, said
            QCoreApplication.processEvents()


def test_quit_closes_the_window(window: MainWindow, qtbot: QtBot) -> None:
    spy = QSignalSpy(window.closed)
    QTest.keySequence(window, QKeySequence("Ctrl+Q"))
    assert spy.count() == 1
    assert not window.isVisible()
