"""A long chart in the window and on the command line: what to export is asked first, and nothing is refused later."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QTextCursor
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QProgressDialog
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.text import Text
from arplay.gui import export_image, export_parts, exports
from arplay.gui.export_parts import PartDialog, needs_pages
from arplay.gui.main_window import MainWindow
from arplay.gui.theme import LIGHT
from arplay.gui.training.batch_sheet import BatchSheet
from tests.replays import batch_losses, vocabulary
from tests.windows_open import Open, notice, settle, text_field

LONG = b"BAC" * 2_000


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures may be 3,000 pixels tall here, so that a text is long with fewer tokens."""
    monkeypatch.setattr(export_image, "TALLEST", 3_000)


def named(monkeypatch: pytest.MonkeyPatch, path: Path) -> list[str]:
    """Answer the file dialog with ``path``; the filters that it was opened with."""
    filters: list[str] = []

    def answer(*given: object, **_: object) -> tuple[str, str]:
        filters.append(str(given[3]))
        return str(path), str(given[3])

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    return filters


def long_window(opened: Open, qtbot: QtBot) -> MainWindow:
    window = opened(text=b"B")
    window.playground.open_document(Text.of(LONG))
    settle(window, qtbot)
    for dock in ("heatmap", "ledger"):
        window.docks[dock].show()
        window.docks[dock].raise_()
    return window


def asked(window: MainWindow) -> PartDialog | None:
    return next((d for d in window.findChildren(PartDialog) if d.isVisible()), None)


def go(dialog: PartDialog, qtbot: QtBot) -> None:
    with qtbot.waitSignal(dialog.finished):
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)


def written(window: MainWindow, qtbot: QtBot) -> str:
    """What the status bar says once the export has ended."""
    qtbot.waitUntil(lambda: window.statusBar().currentMessage().startswith("Exported"))
    return window.statusBar().currentMessage()


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("heatmap", ".png"), ("heatmap", ".pdf"), ("ledger", ".png"), ("ledger", ".svg"), ("ledger", ".pdf")],
)
def test_every_choice_makes_what_it_says(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str
) -> None:
    window = long_window(opened, qtbot)
    panel = window.panels[name]
    filters = named(monkeypatch, tmp_path / f"x{suffix}")
    exports.of_panel(panel, window).ask(suffix)
    dialog = asked(window)
    assert dialog is not None and filters == [], "asked before any file is named"
    said = [dialog.spans[button] for button in dialog.spans]
    assert said[0] == (0, panel.count()) and len(said) == 2  # type: ignore[attr-defined]
    told = dialog.whole.accessibleDescription()
    assert ("pages of A4" if suffix == ".pdf" else "files, each a picture of") in told
    before = dialog.told.text()
    dialog.first.setValue(3)
    dialog.last.setValue(40)
    assert dialog.range.isChecked()
    qtbot.waitUntil(lambda: dialog.told.text() != before or suffix == ".pdf")
    told = dialog.told.text()
    go(dialog, qtbot)
    assert written(window, qtbot) == f"Exported x{suffix}" and notice(window) == ""
    assert [file.name for file in tmp_path.glob(f"*{suffix}")] == [f"x{suffix}"]
    if suffix == ".png":
        image = QImage(str(tmp_path / "x.png"))
        assert told == f"one picture of {image.width():,} × {image.height():,} pixels"
    elif suffix == ".pdf":
        assert (tmp_path / "x.pdf").read_bytes().count(b"/Type /Page\n") == 1
    else:
        assert "rows 3 to 40" in (tmp_path / "x.svg").read_text("utf-8")


def test_what_is_in_sight_and_what_is_selected(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = long_window(opened, qtbot)
    field = text_field(window)
    cursor = field.textCursor()
    cursor.setPosition(8)
    cursor.setPosition(16, QTextCursor.MoveMode.KeepAnchor)
    field.setTextCursor(cursor)
    settle(window, qtbot)
    named(monkeypatch, tmp_path / "x.png")
    exports.of_panel(window.panels["heatmap"], window).ask(".png")
    dialog = asked(window)
    assert dialog is not None
    sight, selected = list(dialog.spans)[1:]
    assert dialog.spans[selected] == (8, 16) and "tokens 9 to 16" in selected.text()
    first, stop = dialog.spans[sight]
    assert first == 0 < stop < 6_000
    sight.setChecked(True)
    sheet = dialog.part()
    shown = window.panels["heatmap"].text.ledger  # type: ignore[attr-defined]
    assert bytes_of(cast(object, sheet).heat.ledger.encoded) == bytes_of(shown.encoded)[:stop]  # type: ignore[attr-defined]
    selected.setChecked(True)
    go(dialog, qtbot)
    assert written(window, qtbot) == "Exported x.png"


def test_pages_are_numbered_written_and_not_replaced_unasked(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = long_window(opened, qtbot)
    named(monkeypatch, tmp_path / "x.png")
    panel = window.panels["heatmap"]
    count = export_image.page_count(panel.sheet(), exports.of_panel(panel, window).view.origin())  # type: ignore[attr-defined]
    (tmp_path / "x-02.png" if count > 9 else tmp_path / "x-2.png").write_bytes(b"mine")
    exports.of_panel(panel, window).ask(".png")
    dialog = asked(window)
    assert dialog is not None and dialog.whole.isChecked()
    assert dialog.whole.accessibleDescription().startswith(f"{count:,} files")
    go(dialog, qtbot)
    box = next(box for box in window.findChildren(QMessageBox) if box.isVisible())
    assert f"1 of the {count} files" in box.text()
    replace = next(button for button in box.buttons() if "Replace" in button.text())
    qtbot.mouseClick(replace, Qt.MouseButton.LeftButton)
    assert f"Exported {count} pictures" in written(window, qtbot)
    files = sorted(tmp_path.glob("x-*.png"))
    assert len(files) == count > 1
    sizes = {(QImage(str(file)).width(), QImage(str(file)).height()) for file in files}
    assert sizes == {(1588, 2246)}


def test_pages_can_be_cancelled(opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window = long_window(opened, qtbot)
    named(monkeypatch, tmp_path / "x.pdf")
    exports.of_panel(window.panels["heatmap"], window).ask(".pdf")
    dialog = asked(window)
    assert dialog is not None
    go(dialog, qtbot)
    (progress,) = window.findChildren(QProgressDialog)
    progress.cancel()
    qtbot.waitUntil(lambda: not window.findChildren(QProgressDialog))
    assert list(tmp_path.glob("*x*")) == [], "neither the file nor a part of it"


def test_a_short_chart_is_not_asked_about(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened(text=b"BAC")
    for name in ("next_token", "heatmap", "ledger"):
        filters = named(monkeypatch, tmp_path / name)  # without an ending, or with one that is no picture's
        exports.of_panel(window.panels[name], window).ask(".png")
        assert asked(window) is None and filters == ["PNG picture (*.png)"]
        assert written(window, qtbot) == f"Exported {name}.png" and (tmp_path / f"{name}.png").exists()
        window.statusBar().clearMessage()


def test_what_is_not_there_yet_is_told_before_the_file_dialog(
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = opened(text=b"")
    filters = named(monkeypatch, tmp_path / "x.png")
    for name, suffix in (("ledger", ".png"), ("ledger", ".csv"), ("heatmap", ".svg")):
        exports.of_panel(window.panels[name], window).ask(suffix)
        assert filters == [] and "nothing to export" in notice(window).lower()


def test_any_sheet_can_be_too_long_and_be_paged(qapp: object) -> None:
    from arplay.gui.training.batch import positions

    few = positions(batch_losses(), vocabulary())
    rows = (few * 1000)[:600]
    sheet = BatchSheet(LIGHT, rows, "nats", "One batch", "600 positions")
    assert needs_pages(sheet, ".png", []) and export_image.page_count(sheet, []) > 5
    assert not needs_pages(BatchSheet(LIGHT, rows, "nats", "", "", 0, 20), ".png", [])
    assert "files, each" in export_parts.size_words(sheet, ".png", [])


def test_the_command_line_has_pages_and_tokens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], qapp: QApplication
) -> None:
    before = qapp.styleSheet()
    text = tmp_path / "long.txt"
    text.write_bytes(LONG)
    command = ["export", str(text), "--model", "abc", "--chart"]
    try:
        for chart in ("heatmap", "ledger"):
            out = tmp_path / f"{chart}.png"
            assert main([*command, chart, "--out", str(out)]) == 1
            assert "--pages" in capsys.readouterr().err and not out.exists()
            assert main([*command, chart, "--out", str(out), "--tokens", "11-60"]) == 0 and out.exists()
            assert main([*command, chart, "--out", str(out), "--tokens", "1-999999"]) == 1
            assert "the text has" in capsys.readouterr().err
        assert main([*command, "heatmap", "--out", str(tmp_path / "p.svg"), "--pages"]) == 0
        files = sorted(tmp_path.glob("p-*.svg"))
        assert len(files) > 1 and not (tmp_path / "p.svg").exists()
        assert capsys.readouterr().err.count("wrote") == len(files)
        assert main([*command, "bars", "--out", str(tmp_path / "b.png"), "--pages"]) == 2
    finally:
        qapp.setStyleSheet(before)
