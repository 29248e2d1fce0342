"""What goes wrong and stays so keeps its line, whatever is told after it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from arplay.gui.notice import Notice

RISK = ("what you write is not kept", "free space on that disk")
LATER = ("the file cannot be read", "choose another one")


def made(qtbot: QtBot) -> Notice:
    notice = Notice()
    qtbot.addWidget(notice)
    return notice


def put_away(qtbot: QtBot, notice: Notice) -> None:
    cross = next(button for button in notice.findChildren(QToolButton) if "away" in button.toolTip())
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)


def seen(notice: Notice) -> list[bool]:
    """Whether the risk and the later message can be read."""
    return [not notice.isHidden() and words[1:] in notice.text() for words, _ in (RISK, LATER)]


def test_a_later_message_stands_beside_what_is_still_so(qtbot: QtBot) -> None:
    notice = made(qtbot)
    notice.stand(*RISK)
    notice.report(*LATER)
    assert seen(notice) == [True, True]
    put_away(qtbot, notice)
    assert seen(notice) == [True, False]
    put_away(qtbot, notice)
    assert seen(notice) == [False, False]


def test_what_is_no_longer_so_goes_and_leaves_the_other(qtbot: QtBot) -> None:
    notice = made(qtbot)
    notice.stand(*RISK)
    notice.report(*LATER)
    notice.fall()
    assert seen(notice) == [False, True]
    notice.stand(*RISK)
    assert seen(notice) == [True, True]


def test_a_message_that_does_not_stand_is_replaced(qtbot: QtBot) -> None:
    notice = made(qtbot)
    notice.report(*RISK)
    notice.report(*LATER)
    assert seen(notice) == [False, True] and notice.said == LATER
    notice.forget()
    assert notice.isHidden() and notice.said is None


@pytest.mark.parametrize("width", [300, 600, 1200])
@pytest.mark.parametrize("words", [1, 20, 60])
def test_a_long_message_is_never_cut(qtbot: QtBot, width: int, words: int) -> None:
    """Beside something that would take all the height."""
    window, other = QWidget(), QWidget()
    notice = Notice(window)
    column = QVBoxLayout(window)
    column.addWidget(notice)
    column.addWidget(other)
    other.setMinimumHeight(100)
    qtbot.addWidget(window)
    window.resize(width, 120)
    window.show()
    notice.stand(*RISK)
    notice.report("word " * words, "do something")
    qtbot.waitUntil(lambda: notice.height() >= notice.heightForWidth(notice.width()) > 0)
