"""Other tokens in a menu at the caret, through the real window: by keys and by the mouse."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import text_of
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.main_window import MainWindow
from tests.windows_open import Open, opened, settle, text_field

__all__ = ["opened"]

Key = Qt.Key


def menu_of(qtbot: QtBot) -> QMenu:
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def chosen(window: MainWindow, qtbot: QtBot, menu: QMenu, downs: int) -> None:
    for _ in range(downs):
        qtbot.keyClick(menu, Key.Key_Down)
    qtbot.keyClick(menu, Key.Key_Return)
    settle(window, qtbot)


def test_the_third_token_is_written_at_the_caret_and_undone(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"Once upon", model="english")
    play, area = window.playground, text_field(window)
    answer = play.view.answer
    assert answer is not None and answer.distribution is not None and play.view.loaded is not None
    best = answer.distribution.top(5).tolist()
    qtbot.keyClick(area, Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    menu = menu_of(qtbot)
    assert len(menu.actions()) == 5
    for action, id in zip(menu.actions(), best, strict=True):
        assert play.view.loaded.vocabulary.label(id) in action.text() and "%" in action.text()
    chosen(window, qtbot, menu, 2)
    step = play.tree.node.step
    assert step is not None and step.id == best[2] and step.rank == 3 and play.tree.node.kind == "picked"
    play.undo_stack.undo()
    settle(window, qtbot)
    assert text_of(play.document).data == b"Once upon"


def test_alt_and_a_click_offer_others_for_a_token_in_the_middle(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"Once upon a time", model="english")
    play, area = window.playground, text_field(window)
    assert isinstance(area, TextArea)
    cursor = area.textCursor()
    cursor.setPosition(6)
    area.setTextCursor(cursor)
    settle(window, qtbot)
    place = area.cursorRect().center()
    place.setX(place.x() + 3)
    qtbot.mouseClick(area.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert QApplication.activePopupWidget() is None  # negative control: without Alt
    settle(window, qtbot)
    qtbot.mouseClick(area.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, place)
    menu = menu_of(qtbot)
    answer = play.view.answer
    assert answer is not None and answer.distribution is not None and play.view.caret == 4
    marked = [action.isChecked() for action in menu.actions()]
    assert marked == [id == answer.prefix.actual for id in answer.distribution.top(5).tolist()]
    best = answer.distribution.top(5).tolist()
    chosen(window, qtbot, menu, 1)
    step = play.tree.node.step
    assert step is not None and step.id == best[1]
    assert text_of(play.document).data.startswith(b"Once") and play.tree.put_aside() is not None
    play.undo_stack.undo()
    settle(window, qtbot)
    assert text_of(play.document).data == b"Once upon a time"


def test_the_menu_of_the_right_button_has_them_too(opened: Open, qtbot: QtBot) -> None:
    """Some window managers take Alt and a click for themselves."""
    window = opened(text=b"Once upon a time", model="english")
    area = text_field(window)
    assert isinstance(area, TextArea)
    cursor = area.textCursor()
    cursor.setPosition(6)
    byte = area._byte_at(QPointF(area.cursorRect(cursor).center()) + QPointF(3, 0))
    right = area.context_menu(byte)
    next(action for action in right.actions() if "Other" in action.text()).trigger()
    menu_of(qtbot)
    assert window.playground.view.caret == 4
