"""A button that opened a menu is not highlighted any longer once that is closed and the mouse is elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.training_open import OpenTraining
from tests.windows_open import Open


def buttons(root: QWidget) -> list[QToolButton | QPushButton]:
    both: list[QToolButton | QPushButton] = [*root.findChildren(QToolButton), *root.findChildren(QPushButton)]
    return [button for button in both if button.menu() is not None and not button.objectName().startswith("qt_")]


def close(menu: QMenu, way: str) -> None:
    """As Esc and a choice do, or by a click elsewhere."""
    if way == "Esc":
        menu.close()
    else:
        QTest.mousePress(menu, Qt.MouseButton.LeftButton, pos=QPoint(-50, -50))
    assert not menu.isVisible()


def test_no_button_stays_highlighted_after_its_menu(training: OpenTraining, qtbot: QtBot) -> None:
    window, view = training()
    found = [*buttons(window), *buttons(view)]
    assert len(found) > 2 + len(window.docks), "the model, the export of every panel, and those of training"
    for way in ("Esc", "elsewhere"):
        for button in found:
            button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)  # as Qt has it when the button is pressed
            QCursor.setPos(window.mapToGlobal(QPoint(640, 600)))
            menu = button.menu()
            menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
            qtbot.waitUntil(menu.isVisible)
            close(menu, way)
            qtbot.waitUntil(lambda button=button: not button.underMouse())  # type: ignore[misc]


def test_where_the_mouse_is_the_button_stays_highlighted(opened: Open, qtbot: QtBot) -> None:
    """Negative controls: the mouse is on it, and a menu that was given by Qt alone."""
    window = opened()
    button = buttons(window)[0]
    QCursor.setPos(button.mapToGlobal(button.rect().center()))
    button.menu().popup(button.mapToGlobal(button.rect().bottomLeft()))
    close(button.menu(), "Esc")
    qtbot.waitUntil(button.underMouse)
    careless = QToolButton(window)
    careless.setMenu(QMenu(careless))
    careless.show()
    QCursor.setPos(window.mapToGlobal(QPoint(640, 600)))
    careless.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    careless.menu().addAction("nothing")
    careless.menu().popup(QPoint(0, 0))
    close(careless.menu(), "Esc")
    QApplication.processEvents()
    assert careless.underMouse()
