"""One of a few: by its buttons, by the list that stands in their place where there is no room, and by keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from arplay.gui.widgets.choice import Choice

OPTIONS = [("Words", "A row a word"), ("Lines", "A row a line"), ("Paragraphs", "A row a paragraph")]


def test_buttons_where_there_is_room_else_a_list(qtbot: QtBot) -> None:
    choice, told = Choice("Parts", "What a row is"), list[int]()
    qtbot.addWidget(choice)
    choice.set_options(OPTIONS, 1)
    choice.chosen.connect(told.append)
    choice.resize(choice.sizeHint())
    choice.show()
    assert choice.at == 1 and not choice.box.isVisible() and told == []
    QTest.mouseClick(choice.group.button(2), Qt.MouseButton.LeftButton)
    assert told == [2] and choice.box.currentIndex() == 2
    choice.resize(choice.minimumSizeHint())
    assert choice.box.isVisible() and not choice.group.button(0).isVisible()
    QTest.keyClick(choice.box, Qt.Key.Key_Up)
    assert told == [2, 1] and choice.group.button(1).isChecked()
    choice.set_options(OPTIONS[:2], 0)
    assert choice.at == 0 and choice.box.count() == 2 and told == [2, 1]
