"""The tool bar and the legend fit at every width: nothing is cut, nothing is behind a sliver of a button."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from arplay.core.measures import BOUNDS, bucket_names
from arplay.gui.canvases.text.tools import TextTools
from arplay.gui.settings import ColourBy, Settings
from arplay.gui.theme import LIGHT, SMALL, interface_font
from arplay.gui.tool_bar import ToolBar
from tests.windows_open import Open

NAMES = ("abc", "smollm2", "a-model/with-a-name-that-is-longer-than-any-window-of-this-size-has-room-for")


def _hides_some(bar: ToolBar) -> bool:
    QApplication.processEvents()
    more = bar.findChild(QToolButton, "qt_toolbar_ext_button")
    return more is not None and more.isVisible()


def test_no_button_is_hidden_at_any_width(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    window = opened()
    bar = window.findChild(ToolBar)
    assert isinstance(bar, ToolBar)
    for name in NAMES:
        bar.show_model(name)
        for width in (1280, 800, 700, 640, 800, 1280):
            window.resize(width, 500)
            QApplication.processEvents()
            bar.show_model(name)  # a late view may have told the model that is loaded
            assert not _hides_some(bar), (name, width)
            assert (bar.model.text() == name) == (name != NAMES[-1] or width == 1280), (name, width)
            assert all(button.toolTip() for button in bar.yielding)
        assert bar.model.text() == name and name in bar.model.toolTip()
    bar.show_model("abc")
    monkeypatch.setattr(ToolBar, "fit", lambda _: None)
    window.resize(640, 500)
    assert _hides_some(bar)  # the check can fail


@pytest.mark.parametrize("measure", ("surprisal", "rank", "entropy"))
@pytest.mark.parametrize("unit", ("nats", "bits"))
def test_the_legend_beside_the_text_is_whole_or_not_there(measure: ColourBy, unit: str, qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    tools = TextTools()
    tools.setParent(host)
    host.show()
    tools.show_settings(Settings(tokens="colours", colour_by=measure, unit=unit), LIGHT)  # type: ignore[arg-type]
    words = "".join(bucket_names(BOUNDS)) if measure == "rank" else unit
    least = QFontMetricsF(interface_font(SMALL)).horizontalAdvance(words)
    shown = set()
    for width in range(300, 760, 7):
        tools.resize(width, 36)
        QApplication.processEvents()
        shown.add(tools.legend.isVisible())
        if tools.legend.isVisible():
            assert tools.legend.width() >= tools.legend.wanted_width() > least
            assert tools.legend.x() > tools.measure.geometry().right()
    assert shown == {True, False}
