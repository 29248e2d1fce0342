"""A button that opened a menu is not highlighted any longer once that is closed and the mouse is elsewhere."""

from __future__ import annotations

import re

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.training_open import OpenTraining
from tests.windows_open import Open


def buttons(root: QWidget) -> list[QToolButton | QPushButton]:
    both: list[QToolButton | QPushButton] = [*root.findChildren(QToolButton), *root.findChildren(QPushButton)]
    return [button for button in both if button.menu() is not None and not button.objectName().startswith("qt_")]


def test_no_button_stays_highlighted_after_its_menu(training: OpenTraining, qtbot: QtBot) -> None:
    window, view = training()
    panels = [*window.panels.values()]  # also those that nobody has seen yet
    found = [*buttons(window), *buttons(view)]
    assert len(found) > 1 + len(panels), "the model, the export of every panel, and those of training"
    for button in found:
        button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)  # as Qt has it when the button is pressed
        QCursor.setPos(window.mapToGlobal(QPoint(640, 600)))
        button.menu().popup(button.mapToGlobal(button.rect().bottomLeft()))
        qtbot.waitUntil(button.menu().isVisible)
        button.menu().close()
        qtbot.waitUntil(lambda button=button: not button.underMouse())  # type: ignore[misc]


def same_letters(menu: QMenu) -> list[str]:
    """Entries of it, or of a menu in it, that a letter does not choose alone."""
    by_letter: dict[str, list[str]] = {}
    wrong: list[str] = []
    for action in menu.actions():
        if isinstance(below := action.menu(), QMenu):
            wrong += same_letters(below)
        found = re.search("&([^&])", action.text().replace("&&", ""))
        if found and action.isVisible():
            by_letter.setdefault(found[1].lower(), []).append(action.text())
    return wrong + [text for alike in by_letter.values() if len(alike) > 1 for text in alike]


def test_a_letter_chooses_one_entry_of_a_menu(opened: Open) -> None:
    window = opened()
    for action in window.menuBar().actions():
        menu = action.menu()
        assert isinstance(menu, QMenu) and same_letters(menu) == []
    twice = QMenu(window)
    twice.addAction("&One")
    twice.addAction("An&other")
    assert same_letters(twice) == ["&One", "An&other"]


def test_where_the_mouse_is_the_button_stays_highlighted(opened: Open, qtbot: QtBot) -> None:
    """Negative controls: the mouse is on it, and a menu that was given by Qt alone."""
    window = opened()
    button = buttons(window)[0]
    QCursor.setPos(button.mapToGlobal(button.rect().center()))
    button.menu().popup(button.mapToGlobal(button.rect().bottomLeft()))
    button.menu().close()
    qtbot.waitUntil(button.underMouse)
    careless = QToolButton(window)
    careless.setMenu(QMenu(careless))
    careless.show()
    QCursor.setPos(window.mapToGlobal(QPoint(640, 600)))
    careless.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    careless.menu().addAction("nothing")
    careless.menu().popup(QPoint(0, 0))
    careless.menu().close()
    QApplication.processEvents()
    assert careless.underMouse()
