"""The whole window as a user meets it: mouse, keys, menus, files, layout, exports, and what it remembers."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from arplay import paths
from arplay.core.modalities.text import Text
from arplay.core.reading import Reading
from arplay.gui import app, exports, kinds
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Change, Do, Select
from arplay.gui.main_window import MainWindow
from arplay.gui.options import WindowOptions
from arplay.gui.store import Store
from arplay.gui.tour import stops
from arplay.models import catalogue
from tests.sessions import kept_in
from tests.windows_open import PATIENCE, Open, notice, settle, text_field


def test_typing_shows_the_product_and_the_sum(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"")
    text_field(window).setFocus()
    qtbot.keyClicks(text_field(window), "BAC")
    settle(window, qtbot)
    ledger = window.playground.view.ledger
    assert ledger is not None
    assert ledger.totals.nll_nats == pytest.approx(2.1203, abs=5e-5)
    assert math.exp(-ledger.totals.nll_nats) == pytest.approx(0.12)


def test_keys_in_the_chart_take_step_and_rewind(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    window.focus_chart()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    chart = QApplication.focusWidget()
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    settle(window, qtbot)
    assert len(window.playground.document) == 2
    qtbot.keyClick(chart, Qt.Key.Key_Space)
    settle(window, qtbot)
    assert len(window.playground.document) == 3
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    settle(window, qtbot)
    assert len(window.playground.document) == 2


def test_keys_in_the_text(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA")
    field = text_field(window)
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(window, qtbot)
    assert window.playground.document.data == b"BAC"  # p(C | B, A) = 0.6 is the best
    qtbot.keyClick(field, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    settle(window, qtbot)
    assert len(window.playground.document) == 4
    qtbot.keyClick(field, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    settle(window, qtbot)
    assert window.playground.document.data == b"BAC"
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert window.panels["next_token"].isAncestorOf(QApplication.focusWidget())


def test_undo_and_redo_from_the_menu(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    qtbot.keyClicks(text_field(window), "AC")
    settle(window, qtbot)
    window.menus.undo.trigger()
    assert window.playground.document.data == b"B"
    window.menus.redo.trigger()
    settle(window, qtbot)
    assert window.playground.document.data == b"BAC"
    assert text_field(window).toPlainText() == "BAC"


def test_step_button_writes_and_shows_u(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    step = next(b for b in window.panels["decoding"].findChildren(QPushButton) if "Step" in b.text())
    qtbot.mouseClick(step, Qt.MouseButton.LeftButton)
    settle(window, qtbot)
    view = window.playground.view
    assert len(window.playground.document) == 2
    assert view.step is not None and view.step.low <= view.step.u < view.step.high


def test_the_same_token_lights_up_everywhere(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BACAB")
    window.panels["heatmap"].intent.emit(Select(3))
    settle(window, qtbot)
    view = window.playground.view
    assert view.selected == 3 and view.caret == 3
    assert view.answer is not None and view.answer.prefix.actual == 0
    assert text_field(window).textCursor().position() == 3


def test_a_dropped_file_opens_and_a_dropped_folder_is_a_model(
    opened: Open, qtbot: QtBot, tmp_path: Path, tiny_folders: dict[str, Path]
) -> None:
    window = opened()
    file = tmp_path / "text.txt"
    file.write_bytes(b"CAB")
    drop(window, file)
    settle(window, qtbot)
    assert window.playground.document.data == b"CAB"
    drop(window, tiny_folders["gpt2"])
    qtbot.waitUntil(lambda: window.playground.view.loaded.info.family == "gpt2", timeout=PATIENCE)
    settle(window, qtbot)
    assert window.playground.document.data == b"CAB"


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))


def test_docks_hide_and_come_back(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    for name, dock in window.docks.items():
        dock.show()
        dock.raise_()
        dock.bar.close_button.click()
        assert not dock.isVisible(), name
    window.arrangement.reset()
    for dock in window.docks.values():
        assert not dock.isHidden()


def test_everything_is_remembered(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"BA")
    window.set_theme("dark")
    window.docks["ledger"].hide()
    window.change(bars=7, unit="bits", seed=42)
    window.close()
    again = opened(text=b"BA")
    assert again.theme_choice == "light"  # this fixture chooses it; the file remembers
    assert again.store.text("model", "") == "abc"
    settings = again.playground.view.settings
    assert (settings.bars, settings.unit, settings.seed) == (7, "bits", 42)
    assert again.docks["ledger"].isHidden()


def test_closing_keeps_the_text_with_its_ids(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BA", keep=paths.sessions())
    qtbot.keyClick(text_field(window), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(window, qtbot)
    document = window.playground.document
    window.close()
    assert not window.isVisible()
    assert kept_in(paths.sessions())[0].tree.document == document


@pytest.mark.parametrize("name", ["next_token", "heatmap", "ledger"])
def test_every_chart_exports_in_every_format(opened: Open, qtbot: QtBot, tmp_path: Path, name: str) -> None:
    window = opened(text=b"BACAB")
    for dock in ("heatmap", "ledger"):
        window.docks[dock].show()
        window.docks[dock].raise_()
    settle(window, qtbot)
    for suffix, magic in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".csv", b"#"), (".json", b"{")):
        file = tmp_path / f"{name}{suffix}"
        assert exports.of_panel(window.panels[name], window).save(file), notice(window)
        assert file.read_bytes().startswith(magic)
    data = json.loads((tmp_path / f"{name}.json").read_text())
    assert data["provenance"]["model"]["name"] == "abc"


def test_copy_data_and_picture(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BAC")
    exports.of_panel(window.panels["next_token"], window).copy_data()
    assert "logprob" in QApplication.clipboard().text()
    exports.of_panel(window.panels["next_token"], window).copy_picture()
    assert not QApplication.clipboard().image().isNull()
    QApplication.clipboard().clear()


def test_the_tour_goes_through_and_is_not_shown_again(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    window.start_tour()
    tour = window._tour
    assert tour is not None
    seen = []
    while window._tour is not None:
        seen.append(tour._title.text())
        spoken_of = window.panels[stops(kinds.TEXT)[len(seen) - 1][0]]
        assert spoken_of.isVisible() and not spoken_of.visibleRegion().isEmpty(), "in front of its neighbours"
        area = QRect(spoken_of.mapTo(window, QPoint(0, 0)), spoken_of.size())
        assert not tour.geometry().intersects(area)
        assert window.rect().contains(tour.geometry())
        qtbot.keyClick(tour._next, Qt.Key.Key_Return)
    assert len(seen) == 8 and len(set(seen)) == 8
    assert window.store.flag("tour_seen")


def test_what_is_this_opens_for_every_panel(opened: Open, qtbot: QtBot) -> None:
    from arplay.gui import help

    window = opened()
    for panel in window.panels.values():
        assert len(panel.explanation) > 80, panel.name
        dialog = help.what_is_this(panel, window)
        dialog.open()
        assert dialog.isVisible()
        dialog.close()


def test_models_swap_while_one_loads(opened: Open, qtbot: QtBot, tiny_folders: dict[str, Path]) -> None:
    window = opened(text=b"CAB")
    window.choose_model(str(tiny_folders["llama"]))
    window.choose_model("abc")
    qtbot.waitUntil(lambda: window.playground.view.busy is None, timeout=PATIENCE)
    settle(window, qtbot)
    assert window.playground.view.loaded.info.name == "abc"
    assert window.playground.view.ledger.totals.scored == 3


def test_lists_follow_what_is_written(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BAC" * 40)
    table = window.panels["ledger"].table  # type: ignore[attr-defined]
    assert table.verticalScrollBar().value() == 0
    window.playground.handle(Do("step"))
    settle(window, qtbot)
    assert table.verticalScrollBar().value() == table.verticalScrollBar().maximum() > 0


def test_a_right_click_offers_the_exports(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    for name in ("next_token", "heatmap", "ledger"):
        window.docks[name].raise_()
        panel = window.panels[name]
        panel.customContextMenuRequested.emit(QPoint(20, 20))
        menu = window.menus._export_menus[name]
        assert menu.isVisible()
        assert "CSV table…" in [action.text() for action in menu.actions()]
        menu.hide()


def test_the_title_names_the_file_and_undo_takes_it_back(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"BAC")
    file = tmp_path / "other.txt"
    file.write_bytes(b"CAB")
    window.open_file(file)
    assert window.windowTitle() == "other.txt – arplay"
    window.menus.undo.trigger()
    assert window.windowTitle() == "arplay" and window.playground.document.data == b"BAC"
    window.menus.redo.trigger()
    assert window.windowTitle() == "other.txt – arplay"
    settle(window, qtbot)


def test_how_a_text_is_read_is_remembered_for_each_model(
    opened: Open, qtbot: QtBot, tiny_folders: dict[str, Path]
) -> None:
    folder = str(tiny_folders["llama"])
    window = opened(folder, text=b"The cat<|endoftext|>")
    menus, view = window.menus, window.playground.view
    assert menus.bar.special.isEnabled() and not menus.bar.special.isChecked()
    letters = len(view.answer.encoded)
    menus.bar.special.click()
    settle(window, qtbot)
    answer = window.playground.view.answer
    assert len(answer.encoded) < letters and answer.encoded.ids[-1] == 0
    menus.bar.first_token.setCurrentIndex(menus.bar.first_token.findData("bos"))
    menus.bar.first_token.activated.emit(menus.bar.first_token.currentIndex())
    settle(window, qtbot)
    assert window.playground.view.answer.lead == (0,)
    window.playground.open_document(Text.of(b"BAC"))
    window.choose_model("abc")
    qtbot.waitUntil(lambda: window.playground.view.loaded.info.name == "abc", timeout=PATIENCE)
    settle(window, qtbot)
    assert window.playground.view.settings.reading == Reading() and not menus.bar.special.isEnabled()
    assert menus.bar.first_token.currentData() == "auto"
    assert not menus.bar.first_token.model().item(menus.bar.first_token.findData("bos")).isEnabled()
    window.choose_model(folder)
    qtbot.waitUntil(lambda: window.playground.view.loaded.info.family == "llama", timeout=PATIENCE)
    settle(window, qtbot)
    assert window.playground.view.settings.reading == Reading("bos", True) and menus.bar.special.isChecked()


def test_a_full_context_offers_to_slide_on(opened: Open, qtbot: QtBot, tiny_folders: dict[str, Path]) -> None:
    window = opened(str(tiny_folders["llama"]), text=b"The cat sat on the mat, and the dog sat on")
    play = window.playground
    play.handle(Change(replace(play.view.settings, play_per_second=200.0, stop_at_eos=False)))
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: "context is full" in notice(window), timeout=PATIENCE)
    assert not play.view.playing and play.view.answer.position.start
    full = len(play.document)
    window.notice._offer.click()
    assert play.view.settings.at_limit == "slide" and not notice(window) and window.menus.slide.isChecked()
    play.handle(Do("step"))
    settle(window, qtbot)
    assert len(play.document) > full and "from token 12" in window.status._context.text()


def test_arranging_the_panels_anew_does_not_widen_the_window(opened: Open, qtbot: QtBot) -> None:
    """As at the start on a screen of this size: all panels beside each other would need more than its width."""
    window = opened()
    window.resize(1280, 768)
    before = {name: dock.width() for name, dock in window.docks.items() if not dock.visibleRegion().isEmpty()}
    window.arrangement.arrange()
    qtbot.waitUntil(lambda: window.docks["heatmap"].width() == before["heatmap"])
    assert window.width() == 1280
    tabs = {
        dock.panel.name  # type: ignore[attr-defined]
        for first in ("next_token", "heatmap", "ledger")
        for dock in window.tabifiedDockWidgets(window.docks[first])
    }
    assert tabs == {name for name, dock in window.docks.items() if dock.panel.entry.behind}


def test_a_model_that_is_gone_since_the_last_time_is_told_at_the_start(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store = Store(tmp_path / "arplay.ini")
    store.set_text("model", str(tmp_path / "gone"))
    store.set_flag("tour_seen", True)
    window = MainWindow(store, Bridge(), "light")
    qtbot.addWidget(window)
    window.show()
    try:
        app._Start(window, WindowOptions(), remembered=True)()
        qtbot.waitUntil(lambda: window.playground.view.loaded is not None, timeout=PATIENCE)
        assert "not on this computer any more" in notice(window) and str(tmp_path / "gone") in notice(window)
        assert window.playground.view.loaded.info.name == catalogue.DEFAULT  # type: ignore[union-attr]
    finally:
        window.hide()
        window.keeping.end()
        assert window.playground.close(30)
