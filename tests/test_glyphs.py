"""Signs that no font has are written in figures, where they are shown, and are found by either."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetrics
from pytestqt.qtbot import QtBot

from arplay.core.modalities.finding import find
from arplay.core.modalities.vocabulary import visible
from arplay.gui import glyphs
from arplay.gui.theme import interface_font
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.words import label

PICTURES = [chr(0x2400 + code) for code in range(0x20)] + ["␡"]


@pytest.mark.parametrize("there", (True, False))
def test_every_control_is_seen_and_found_as_it_is_shown(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(glyphs, "_has", lambda char: there)
    caption = Label()
    qtbot.addWidget(caption)
    for code in (*range(0x20), 0x7F):
        data = b"a" + bytes([code]) + b"b"
        shown = label(visible(data))
        assert any(sign in shown for sign in PICTURES) == (there and code not in (9, 10, 0x7F)), shown
        assert find(data, shown).spans.tolist() == [[0, 3]]
        caption.setText(data.decode())
        assert there or not any(sign in caption.text() + plain(data.decode()) for sign in PICTURES)


def test_the_fonts_of_this_machine_decide(qtbot: QtBot) -> None:
    for sign in PICTURES:
        there = QFontMetrics(interface_font()).inFontUcs4(ord(sign))
        assert (glyphs.drawable(sign) == sign) == there
    assert glyphs.drawable("␣é漢") == "␣é漢"
