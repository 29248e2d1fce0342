"""A dialog's buttons carry no icon of the desktop's: those are black, and cannot be seen in a dark window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QProxyStyle,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QWidget,
)
from pytestqt.qtbot import QtBot

from arplay.gui.theme import DARK, LIGHT, Theme, style_sheet


class Desktop(QProxyStyle):
    """A style that gives the buttons of dialogs icons, as many desktops do and the offscreen platform does not."""

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        data: QStyleHintReturn | None = None,
    ) -> int:
        if hint == QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons:
            return 1
        return super().styleHint(hint, option, widget, data)


@pytest.fixture(autouse=True)
def plain(qapp: QApplication) -> Iterator[None]:
    """No rule of the application's own, which another test's window may have left."""
    former = qapp.styleSheet()
    qapp.setStyleSheet("")
    yield
    qapp.setStyleSheet(former)


def have_icons(qtbot: QtBot, sheet: str) -> list[bool]:
    """Of each standard button, made under a desktop that has icons for all."""
    standard = [button for button in QDialogButtonBox.StandardButton if button.value.bit_count() == 1]
    parent, style = QWidget(), Desktop("fusion")
    qtbot.addWidget(parent)
    parent.setStyle(style)
    parent.setStyleSheet(sheet)
    box = QDialogButtonBox(parent)
    box.setStyle(style)
    for button in standard:
        box.addButton(button)
    box.ensurePolished()
    found = [not button.icon().isNull() for button in box.buttons()]
    parent.setStyleSheet("")
    return found


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_no_icons(qtbot: QtBot, theme: Theme) -> None:
    assert not any(have_icons(qtbot, style_sheet(theme)))


def test_without_the_rule_there_are_some(qtbot: QtBot) -> None:
    assert any(have_icons(qtbot, ""))
