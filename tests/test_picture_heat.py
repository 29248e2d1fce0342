"""The surprisal of a picture in the real window: the card below the mouse, the legend, and its greys elsewhere."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.image import Picture
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.panels.ledger import LedgerPanel
from arplay.gui.widgets.ledger.table import TOKEN
from arplay.gui.widgets.swatch import grey
from tests.test_picture_window import heat, scored
from tests.windows_open import PATIENCE, Open, opened

__all__ = ["opened"]


def test_the_mouse_on_the_heat_has_the_card_of_a_text_and_its_legend(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    window.playground.open_document(Picture(3, ".#", (1, 0, 1, 0, 1, 0, 1, 0, 1)), at_end=True)
    scored(window, qtbot)
    shown = heat(window)
    grid = shown.grid
    QTest.mouseMove(grid, grid.rect_of(4).center().toPoint())
    qtbot.waitUntil(lambda: shown.card.isVisible(), timeout=PATIENCE)
    content = shown.card.content
    assert content.title.endswith("black (2, 2)") and content.where == "token 5 of 9"
    assert dict(content.lines)["rank"] == "1 of 2" and [each.actual for each in content.alternatives] == [True, False]
    grid.hovered.emit(None)
    assert not shown.card.isVisible()
    panel = cast(HeatmapPanel, window.panels["heatmap"])
    panel.resize(612, 180)
    assert panel.controls.isVisible() and panel.legend.isVisible() and not panel.legend.named
    assert (
        panel.controls.parentWidget() is panel.head
        and panel.head.geometry().right() < grid.mapTo(panel, grid.pos()).x()
    )


def test_greys_are_shown_and_read_aloud(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    window.playground.open_document(Picture(3, ".#", (1, 0, 1, 0, 1, 0, 1, 0, 1)), at_end=True)
    scored(window, qtbot)
    panel = cast(LedgerPanel, window.panels["ledger"])
    qtbot.waitUntil(lambda: len(panel.model.rows) == 9, timeout=PATIENCE)
    place = panel.model.index(0, TOKEN)
    assert place.data() == "black (1, 1)"
    assert place.data(Qt.ItemDataRole.AccessibleTextRole) == "■ black (1, 1)"
    shown = place.data(Qt.ItemDataRole.DecorationRole).pixmap(13, 13).toImage()
    assert shown.pixelColor(shown.width() // 2, shown.height() // 2) == grey(1.0)
