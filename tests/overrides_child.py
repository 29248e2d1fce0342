"""The real windows, with methods that fail when Qt calls them: ``python -m tests.overrides_child guarded [METHOD]``.

Every class of arplay.gui on Qt's is looked through for the methods that it has in place of Qt's. Each is made to fail
in turn, as C fails, and Qt is made to call it on a living object. A line of JSON tells of each what came of it.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType
from typing import Any

from PySide6.QtCore import QEvent, QIdentityProxyModel, QMimeData, QObject, QPoint, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import (
    QCloseEvent,
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
    QEnterEvent,
    QFocusEvent,
    QHelpEvent,
    QHideEvent,
    QInputMethodEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QUndoStack,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QPlainTextEdit,
    QTableView,
    QTableWidget,
    QWidget,
)
from shiboken6 import Shiboken, isValid

import arplay.gui
from arplay.core.modalities.image import Picture
from arplay.core.modalities.sound import Sound
from arplay.core.modalities.text import Text
from arplay.core.tree import Mark
from arplay.gui import overrides, theme
from arplay.gui.bridge import Bridge
from arplay.gui.intents import AddPeer, Rollouts
from arplay.gui.main_window import MainWindow
from arplay.gui.playground.undo import Marking, Move
from arplay.gui.store import Store
from arplay.gui.training.batch import Position, Token

NOT_VIRTUAL = ("setText", "cut", "hide", "show", "close", "render", "scale", "setScale", "setStyle", "translate")
"""They have the names of Qt's methods, but only Python calls them."""
NO_ANSWER = ("clone",)
"""Qt takes nothing but a new icon engine for an answer; the program copies none (and the method is one call)."""
HERE, BUTTON, NONE = QPointF(9, 9), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
armed: tuple[type, str] | None = None
fired = 0
dropped = QUrl("https://example.org")


def ours() -> dict[type, list[str]]:
    """The classes of arplay.gui on Qt's, and which of Qt's methods they have of their own."""
    for module in pkgutil.walk_packages(arplay.gui.__path__, "arplay.gui."):
        importlib.import_module(module.name)
    found: dict[type, list[str]] = {}
    line = [Shiboken.Object]
    for kind in line:
        line.extend(below for below in kind.__subclasses__() if below not in line)
        if kind.__module__.startswith("arplay.gui."):
            qt = [base for base in kind.__mro__ if base.__module__.startswith("PySide6.")]
            own = [name for name, value in vars(kind).items() if isinstance(value, FunctionType)]
            found[kind] = [name for name in own if name[0] != "_" and any(hasattr(base, name) for base in qt)]
    return found


def breakable(kind: type, name: str) -> None:
    method = vars(kind)[name]

    @functools.wraps(method)
    def sometimes(self: Any, *args: Any, **named: Any) -> Any:
        global fired
        if armed == (kind, name):
            fired += 1
            1 // 0  # noqa: B018 - C raises it, and PySide before Python 3.12 does not survive that
        return method(self, *args, **named)

    setattr(kind, name, sometimes)


def mouse(kind: QEvent.Type) -> Callable[[], QEvent]:
    return lambda: QMouseEvent(kind, HERE, HERE, BUTTON, BUTTON, NONE)


def drop(kind: type) -> Callable[[], QEvent]:
    def make() -> QEvent:
        make.data = QMimeData()  # type: ignore[attr-defined]
        make.data.setUrls([dropped])  # type: ignore[attr-defined]
        make.data.setImageData(QPixmap(1, 1).toImage())  # type: ignore[attr-defined]
        place = HERE.toPoint() if kind is QDragEnterEvent else HERE
        event: QEvent = kind(place, Qt.DropAction.CopyAction, make.data, BUTTON, NONE)  # type: ignore[attr-defined]
        return event

    return make


EVENTS: dict[str, Callable[[], QEvent]] = {
    "changeEvent": lambda: QEvent(QEvent.Type.ThemeChange),
    "closeEvent": QCloseEvent,
    "contextMenuEvent": lambda: QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(9, 9), QPoint(9, 9)),
    "dragEnterEvent": drop(QDragEnterEvent),
    "dropEvent": drop(QDropEvent),
    "enterEvent": lambda: QEnterEvent(HERE, HERE, HERE),
    "event": lambda: QEvent(QEvent.Type.User),
    "eventFilter": lambda: QEvent(QEvent.Type.User),
    "focusInEvent": lambda: QFocusEvent(QEvent.Type.FocusIn),
    "focusOutEvent": lambda: QFocusEvent(QEvent.Type.FocusOut),
    "hideEvent": QHideEvent,
    "inputMethodEvent": QInputMethodEvent,
    "keyPressEvent": lambda: QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_F35, NONE),
    "leaveEvent": lambda: QEvent(QEvent.Type.Leave),
    "mouseDoubleClickEvent": mouse(QEvent.Type.MouseButtonDblClick),
    "mouseMoveEvent": mouse(QEvent.Type.MouseMove),
    "mousePressEvent": mouse(QEvent.Type.MouseButtonPress),
    "mouseReleaseEvent": mouse(QEvent.Type.MouseButtonRelease),
    "resizeEvent": lambda: QResizeEvent(QSize(99, 99), QSize(98, 98)),
    "showEvent": QShowEvent,
    "viewportEvent": lambda: QEvent(QEvent.Type.User),
    "wheelEvent": lambda: QWheelEvent(
        HERE, HERE, QPoint(), QPoint(0, 120), BUTTON, NONE, Qt.ScrollPhase.NoScrollPhase, False
    ),
}
TO_VIEWPORT = ("mouse", "wheel", "drag", "drop", "contextMenu", "resize", "viewport")


def send(name: str, it: Any) -> None:
    to: list[QObject] = [it]
    if isinstance(it, QAbstractScrollArea) and name.startswith(TO_VIEWPORT):
        to = [it.viewport()]
    if name == "eventFilter":
        to = [each for each in QApplication.allWidgets() if isValid(each)]  # one of them is watched
    for each in to:
        if fired == 0 and isValid(each):
            QApplication.sendEvent(each, EVENTS[name]())


def drop_on(name: str, it: Any) -> None:
    global dropped
    for dropped in (QUrl("https://example.org"), QUrl.fromLocalFile("/nowhere.json")):  # noqa: B007 - drop() asks
        for each in ("dragEnterEvent", "dropEvent"):
            send(each, it)


def scroll(name: str, it: Any) -> None:
    it.verticalScrollBar().setRange(0, 99)
    it.verticalScrollBar().setValue(it.verticalScrollBar().value() + 1)


def lay_out(name: str, it: Any) -> None:
    for each in QApplication.allWidgets():
        if isinstance(each, QPlainTextEdit) and each.document().documentLayout() is it:
            draw(name, each)


def paints(view: QAbstractItemView, it: Any) -> bool:
    """Whether it is the delegate of the view, or of one of its columns."""
    columns = range(view.horizontalHeader().count() if isinstance(view, QTableView) else 0)
    return view.itemDelegate() is it or any(view.itemDelegateForColumn(column) is it for column in columns)


def draw(name: str, it: Any) -> None:
    views = [v for v in QApplication.allWidgets() if isinstance(v, QAbstractItemView) and paints(v, it)]
    for each in views if isinstance(it, QObject) and not isinstance(it, QWidget) else [it]:
        each.setVisible(True)
        each.resize(each.size().expandedTo(QSize(200, 100)))
        each.grab()
        each.viewport().update() if isinstance(each, QAbstractScrollArea) else each.update()
    if name == "sizeHint":
        for each in views:
            each.sizeHintForRow(0)


def icon(name: str, engine: Any) -> None:
    made = theme.icon("x", theme.LIGHT)
    picture = QPixmap(16, 16)
    painter = QPainter(picture)
    made.paint(painter, 0, 0, 16, 16)
    painter.end()
    made.pixmap(16, 16)


def ask_model(name: str, model: Any) -> None:
    proxy = QIdentityProxyModel()
    proxy.setSourceModel(model)
    for row in range(max(1, min(proxy.rowCount(), 2))):
        place = proxy.index(row, 0)
        proxy.data(place)
        proxy.flags(place)
        proxy.setData(place, "CA")
    proxy.columnCount()
    proxy.headerData(0, Qt.Orientation.Horizontal)
    proxy.sort(0)


def help_on(name: str, delegate: Any) -> None:
    view = QTableWidget(1, 1)
    view.horizontalHeader().hide()
    view.verticalHeader().hide()
    view.setItemDelegate(delegate)
    QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, HERE.toPoint(), HERE.toPoint()))


def undo(name: str, _: Any) -> None:
    stack = QUndoStack()
    stack.push(Move(lambda node: None, None, None, "nowhere"))  # type: ignore[arg-type]
    stack.push(Marking(lambda node, mark: None, {}, Mark()))
    stack.undo()
    stack.undo()


ASK: dict[str, Callable[[str, Any], object]] = {
    "sizeHint": lambda name, it: it.property(name) if isinstance(it, QWidget) else draw(name, it),
    "minimumSizeHint": lambda name, it: it.property(name),
    "paintEvent": draw,
    "paintSection": draw,
    "paint": lambda name, it: draw(name, it) if isinstance(it, QObject) else icon(name, it),
    "pixmap": icon,
    "initStyleOption": draw,
    "rowCount": ask_model,
    "columnCount": ask_model,
    "data": ask_model,
    "headerData": ask_model,
    "flags": ask_model,
    "setData": ask_model,
    "sort": ask_model,
    "helpEvent": help_on,
    "undo": undo,
    "redo": undo,
    "blockBoundingRect": lay_out,
    "dropEvent": drop_on,
    "scrollContentsBy": scroll,
    "canInsertFromMimeData": lambda name, it: it.canPaste(),
    "createMimeDataFromSelection": lambda name, it: (it.selectAll(), it.copy()),
    "insertFromMimeData": lambda name, it: it.paste(),
    "doSetSource": lambda name, it: it.reload(),
    "focusNextPrevChild": lambda name, it: QTest.keyClick(it, Qt.Key.Key_Tab),
    "moveCursor": lambda name, it: it.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Down, NONE)),
    "textFromValue": lambda name, it: it.setValue(it.value() + it.singleStep()),
    "validate": lambda name, it: it.interpretText(),
    "valueFromText": lambda name, it: it.interpretText(),
}


def living(kinds: Iterable[type]) -> dict[type, list[Any]]:
    """The objects of each class."""
    gc.unfreeze()
    objects = [each for each in gc.get_objects() if isinstance(each, Shiboken.Object)]
    return {kind: [each for each in objects if isinstance(each, kind) and isValid(each)] for kind in kinds}


class Ear:
    """What is told while one method fails."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __call__(self, kind: type[BaseException], error: BaseException, trace: object) -> None:
        self.told.append(f"{kind.__name__}: {error}")


def open_all(folder: Path, all_kinds: bool) -> MainWindow:
    """Every window of the program, with a text in it that was read; with ``all_kinds`` after a sound and a picture."""
    window = MainWindow(Store(folder / "arplay.ini"), Bridge(), "light")
    window.resize(1920, 1600)  # room for what a small panel leaves out
    window.show()
    play = window.playground
    for spec, kind in (("speech", Sound), ("digits", Picture)) if all_kinds else ():
        play.load_model(spec)
        until(lambda kind=kind: isinstance(play.document, kind) and play.view.ledger is not None)  # type: ignore[misc]
        window.docks["continuations"].raise_()
        window.panels["continuations"].intent.emit(Rollouts(2, 4))
        until(lambda: play.view.rolled is not None and not play.view.trying)
        window.docks["kv_cache"].raise_()
        QApplication.processEvents()
    window.playground.load_model("abc")
    until(lambda: isinstance(window.playground.document, Text))
    window.playground.open_document(Text.of(b"BAC"), at_end=True)
    until(lambda: not window.playground.busy_scoring() and not window.playground.view.stale)
    for dock in window.docks.values():
        dock.show()
        dock.raise_()
        QApplication.processEvents()
    window.docks["plots"].raise_()
    QApplication.processEvents()
    window.panels["plots"].list.setCurrentRow(6)  # type: ignore[attr-defined]  # the list of the most surprising tokens
    until(lambda: window.panels["plots"].table is not None)  # type: ignore[attr-defined]
    window.panels["ledger"].resize(900, 900)  # room for its curve
    for mode in window.panels["tokenizers"].tabs.group.buttons():  # type: ignore[attr-defined]
        mode.click()  # its pages are made when they are first asked for
    window.docks["comparison"].raise_()
    window.handle(AddPeer("abc"))
    until(lambda: [peer.answer is not None for peer in play.view.peers] == [True])
    pages = window.panels["comparison"].group.buttons()  # type: ignore[attr-defined]
    for button in (*pages, pages[3]):
        button.click()  # its pages are made when they are first looked at; one that is painted by hand stays
        QApplication.processEvents()
    window.browse_models()
    window.sets.open().show()
    window.start_tour()
    token = Token(0, "A", "A")
    window.training.open().page.batch.list.show_rows((Position(1, token, token, 1.0, 1.0),))
    open_page(window)
    return window


def open_page(window: MainWindow) -> None:
    help_menu = next(action.menu() for action in window.menuBar().actions() if "Help" in action.text())
    page = next(action for action in help_menu.actions() if "numbers" in action.text().lower())  # type: ignore[attr-defined]
    page.trigger()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        QApplication.processEvents()
        time.sleep(0.005)  # unlike Qt's own wait it lets the worker go on


def main(folder: Path, guarded: bool, only: str | None) -> None:
    global armed, fired
    classes = ours()
    for kind, names in classes.items():
        for name in names:
            breakable(kind, name)
    if guarded:
        overrides.guard()
    app = QApplication([])
    app.setFont(theme.interface_font())
    window = open_all(folder, only is None)
    objects = living(classes)
    for kind, name in [(kind, name) for kind, names in classes.items() for name in names]:
        if name in NOT_VIRTUAL + NO_ANSWER or only not in (None, f"{kind.__name__}.{name}"):
            continue
        sys.excepthook = ear = Ear()
        armed, fired = (kind, name), 0
        way = ASK.get(name, send)
        raised = ""
        for each in [None] if kind in (Move, Marking) else filter(isValid, objects[kind]):
            try:
                way(name, each)
                QApplication.processEvents()
            except ZeroDivisionError as error:
                raised = repr(error)
            if fired:
                break
        armed = None
        QApplication.processEvents()
        line = {
            "kind": kind.__name__,
            "method": name,
            "fired": fired,
            "told": ear.told,
            "raised": raised,
        }
        print(json.dumps(line), flush=True)
    window.hide()
    print(json.dumps({"closed": window.playground.close()}), flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2] == "guarded", sys.argv[3] if len(sys.argv) > 3 else None)
    except BaseException:  # noqa: BLE001 - it is told
        traceback.print_exc()
        os._exit(3)  # the worker's thread may be there
