"""Several texts as a set: scored one after the other, added up, opened in the views, written to files."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.format import number
from arplay.core.modalities.text import Text
from arplay.engine.text_set import Item
from arplay.gui.bridge import Bridge
from arplay.gui.intents import OpenFiles
from arplay.gui.main_window import MainWindow
from arplay.gui.playground.text_set import TextSet
from arplay.gui.store import Store
from arplay.gui.text_set import BITS, NAME, NLL, PERPLEXITY, SCORED, TOKENS, UNITS, SetWindow
from tests.windows_open import PATIENCE, Open, notice, opened, settle

__all__ = ["opened"]


@pytest.fixture
def texts(tmp_path: Path) -> list[Path]:
    made = {"a.txt": "BACAB", "b.txt": "CC", "bad.txt": "xyz", "empty.txt": ""}
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    return [tmp_path / name for name in made]


def done(window: MainWindow, qtbot: QtBot) -> SetWindow:
    qtbot.waitUntil(lambda: bool(found(window).rows) and not found(window).runs, timeout=PATIENCE)
    assert window.sets.window is not None
    return window.sets.window


def found(window: MainWindow) -> TextSet:
    return window.playground.text_set


def test_files_that_are_dropped_are_a_set(opened: Open, qtbot: QtBot, texts: list[Path], tmp_path: Path) -> None:
    window = opened("abc", b"BAC")
    window.handle(OpenFiles(tuple(texts)))
    shown = done(window, qtbot)
    model = arplay.load("abc")
    scores = [model.score(path.read_text()) for path in texts[:2]]
    for row, score in enumerate(scores):
        said = [shown.table.text(row, column) for column in (NAME, TOKENS, UNITS, NLL, PERPLEXITY, BITS, SCORED)]
        perplexity, bits = score.perplexity, score.bits_per_byte
        assert perplexity is not None and bits is not None
        size = str(len(score))
        assert said == [
            texts[row].name,
            size,
            size,
            number(score.nll_nats),
            number(perplexity),
            number(bits),
            "100.00%",
        ]
    assert shown.table.text(2, TOKENS) == "not read" and "bad.txt" in shown.table.text(2, NAME)
    assert "x" in shown.table.tip(2, NAME) and shown.table.text(3, PERPLEXITY) == "—"
    assert "3 of 4 texts scored by abc" in shown.head.full and "1 could not be read" in shown.head.full

    whole = math.fsum(score.nll_nats for score in scores)
    figures = {figure.name: figure.value for figure in shown.figures.figures}
    assert figures["perplexity"] == number(math.exp(whole / 7), 2), "each token counts the same, not each text"
    assert window.playground.document.file == b"BAC", "the text in the editor stays"  # type: ignore[attr-defined]

    shown.list.selectRow(1)
    shown.show_one.click()
    settle(window, qtbot)
    assert window.playground.document.file == b"CC"  # type: ignore[attr-defined]

    shown.write(tmp_path / "set.csv")
    lines = [line for line in (tmp_path / "set.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert [row["text"] for row in rows] == ["a.txt", "b.txt", "empty.txt", "all 3"]
    assert float(rows[-1]["nll_nats"]) == pytest.approx(whole)
    parquet = pytest.importorskip("pyarrow.parquet")
    shown.write(tmp_path / "set.parquet")
    assert parquet.read_table(tmp_path / "set.parquet").column("nll_nats").to_pylist()[-1] == pytest.approx(whole)
    shown.write(tmp_path / "set.json")
    said_json = json.loads((tmp_path / "set.json").read_text())
    assert said_json["totals"]["scored"] == 7 and said_json["provenance"]["model"]["name"] == "abc"
    with qtbot.waitSignal(window.playground.runs.saved, timeout=PATIENCE):
        shown.write(tmp_path / "set.html")
    page = (tmp_path / "set.html").read_text()
    assert "a.txt" in page and "b.txt" in page and page.count("<section>") == 3


def test_it_is_paused_and_goes_on(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"BAC")
    texts = found(window)
    shown = window.sets.open()
    assert not shown.halt.isEnabled() and not shown.export.isEnabled()
    texts.changed.connect(lambda: shown.halt.click() if texts.done == 2 and texts.runs else None)
    texts.add([Item(f"t{n}", None, b"%d It was a dark night." % n * 40) for n in range(12)])
    qtbot.waitUntil(lambda: texts.done == 2 and not texts.runs, timeout=PATIENCE)
    assert "2 of 12 texts scored by english" in shown.head.full and "paused" in shown.head.full
    texts.changed.disconnect()
    texts.changed.connect(shown.show_set)
    first = texts.rows[0]
    shown.halt.click()
    qtbot.waitUntil(lambda: texts.done == 12 and not texts.runs, timeout=PATIENCE)
    assert texts.rows[0] is first, "what was scored stays"
    assert len(texts.scored) == 12

    window.choose_model("abc")  # another model: what is there stays, and says by what it is
    qtbot.waitUntil(
        lambda: window.playground.view.info is not None and window.playground.view.info.name == "abc", timeout=PATIENCE
    )
    settle(window, qtbot)
    assert "by english" in shown.head.full
    texts.add([Item("new", None, b"BAC")])
    qtbot.waitUntil(lambda: texts.done == 13 and not texts.runs, timeout=PATIENCE)
    assert "1 of 13 texts scored by abc" in shown.head.full, "all are by one model"
    shown.empty.click()
    assert not texts.rows and shown.head.full == "No text yet"


def test_models_and_texts_together_are_refused(opened: Open, texts: list[Path], tmp_path: Path) -> None:
    window = opened("abc", b"BAC")
    (tmp_path / "run.npz").write_bytes(b"")
    window._take([QUrl.fromLocalFile(str(path)) for path in (texts[0], tmp_path / "run.npz")])
    assert "run.npz is no text" in notice(window) and not found(window).rows


def test_records_are_asked_about(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", b"BAC")
    path = tmp_path / "r.jsonl"
    path.write_text(
        '{"title": "One", "body": {"text": "It was"}}\n{"title": "Two", "body": {"text": "dark"}}\n{"n": 1}\n'
    )
    window.open_file(path)
    qtbot.waitUntil(lambda: window.sets.dialog is not None, timeout=PATIENCE)
    dialog = window.sets.dialog
    assert dialog is not None
    assert [dialog.list.item(at).text() for at in range(2)] == [
        "title: One  ·  in 2 of 3",
        "body.text: It was  ·  in 2 of 3",
    ]
    assert window.playground.document.file == b"BAC", "nothing is opened before it is chosen"  # type: ignore[attr-defined]
    assert dialog.list.currentRow() == 1, "the longest one is the likeliest"
    assert dialog.go.isDefault() and not dialog.raw.isDefault()
    QTest.keyClick(dialog.list, Qt.Key.Key_Return)
    shown = done(window, qtbot)
    assert [shown.table.text(row, NAME) for row in range(2)] == ["r.jsonl:1", "r.jsonl:2"]
    assert "1 of 3 records have no such text" in notice(window)

    window.sets.dialog = None
    window.open_file(path)
    qtbot.waitUntil(lambda: window.sets.dialog is not None, timeout=PATIENCE)
    again = window.sets.dialog
    assert again is not None
    again.one.setChecked(True)
    again.list.setCurrentRow(1)
    again.go.click()
    qtbot.waitUntil(lambda: window.playground.document.file == b"It was\n\ndark", timeout=PATIENCE)  # type: ignore[attr-defined]

    window.sets.dialog = None
    window.open_file(path)
    qtbot.waitUntil(lambda: window.sets.dialog is not None, timeout=PATIENCE)
    raw = window.sets.dialog
    assert raw is not None
    raw.raw.click()
    assert window.playground.document == Text.of(path.read_bytes())


def test_what_is_no_records_is_opened_as_it_is(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", b"BAC")
    path = tmp_path / "r.jsonl"
    path.write_text('{"text": "one"}\n{"text"\n')
    window.open_file(path)
    qtbot.waitUntil(lambda: "r.jsonl is opened as it is" in notice(window), timeout=PATIENCE)
    assert "line 2" in notice(window) and window.playground.document.file == path.read_bytes()  # type: ignore[attr-defined]


def test_from_the_menu(opened: Open, qtbot: QtBot, texts: list[Path], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    window = opened("abc", b"BAC")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(path) for path in texts[:2]], ""))
    window.menus.open_set.trigger()
    shown = done(window, qtbot)
    assert len(shown.texts.scored) == 2
    shown.activateWindow()
    qtbot.waitUntil(shown.isActiveWindow)
    QTest.keyClick(shown.list, Qt.Key.Key_Escape)
    assert not shown.isVisible()
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: pytest.fail("the set is there"))
    window.menus.open_set.trigger()
    assert shown.isVisible() and len(shown.texts.scored) == 2


def test_a_folder_of_texts_is_a_set_and_one_of_a_model_is_none(
    opened: Open, qtbot: QtBot, texts: list[Path], tmp_path: Path
) -> None:
    window = opened("abc", b"BAC")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    window.handle(OpenFiles((tmp_path,)))
    shown = done(window, qtbot)
    assert [row.item.path for row in found(window).rows] == texts and shown.isVisible()
    (tmp_path / "config.json").write_text("{}")
    window.handle(OpenFiles((tmp_path,)))
    qtbot.waitUntil(lambda: notice(window) != "", timeout=PATIENCE)
    assert len(found(window).rows) == len(texts), "it was opened as a model"


def test_records_among_dropped_files_are_asked_about_once(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", b"BAC")
    (tmp_path / "a.txt").write_text("It was")
    for name, text in (
        ("r.jsonl", '{"t": "one"}\n'),
        ("s.jsonl", '{"t": "two"}\n{"u": "no"}\n'),
        ("x.jsonl", '{"u": "-"}\n'),
    ):
        (tmp_path / name).write_text(text)
    window.sets.add([*sorted(tmp_path.glob("*.*l")), tmp_path / "a.txt"])
    qtbot.waitUntil(lambda: window.sets.dialog is not None, timeout=PATIENCE)
    dialog = window.sets.dialog
    assert dialog is not None and dialog.parent() is window.sets.window
    dialog.go.click()
    qtbot.waitUntil(lambda: len(found(window).scored) == 3, timeout=PATIENCE)
    assert {row.item.name: row.item.data for row in found(window).rows[1:]} == {
        "r.jsonl:1": b"one",
        "s.jsonl:1": b"two",
    }
    assert window.sets.window is not None and "1 of 3 records have no such text" in window.sets.window.head.full
    assert "1 of 3 records have no such text; x.jsonl: no record has a text in" in notice(window)

    found(window).clear()
    window.sets.dialog = None
    window.sets.add([tmp_path / "r.jsonl"])
    qtbot.waitUntil(lambda: window.sets.dialog is not None, timeout=PATIENCE)
    raw = window.sets.dialog
    assert raw is not None
    raw.raw.click()
    done(window, qtbot)
    assert found(window).rows[0].document == Text.of(b'{"t": "one"}\n') and window.playground.document.file == b"BAC"  # type: ignore[attr-defined]

    (tmp_path / "bad.jsonl").write_text('{"t": "one"}\n{"t"\n')
    window.sets.add([tmp_path / "bad.jsonl"])
    qtbot.waitUntil(lambda: len(found(window).scored) == 2, timeout=PATIENCE)
    assert "bad.jsonl is in the set as it is" in notice(window) and "line 2" in notice(window)


def test_what_a_file_is_and_why_it_could_not_be_read(opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    window = opened("english", b"BAC")
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes("Ein Ei für Käthe, süß und mürbe.\n".encode("cp1252"))
    (tmp_path / "page.html").write_text("<p>It was <b>dark</b>")
    window.sets.add([tmp_path / name for name in ("a.txt", "b.txt", "page.html")])
    shown = done(window, qtbot)
    shown.list.selectRow(0)
    assert shown.about.full.startswith("a.txt is not UTF-8") and shown.show_one.text() == "Encoding…"
    asked = []

    def agree(box: QMessageBox) -> int:
        asked.append(box.informativeText())
        box.defaultButton().click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", agree)
    monkeypatch.setattr(QMessageBox, "clickedButton", QMessageBox.defaultButton)
    shown.show_one.click()
    assert "So are the others that are not UTF-8 (1)." in asked[0]
    qtbot.waitUntil(lambda: len(found(window).scored) == 3, timeout=PATIENCE)
    document = found(window).rows[1].document
    assert document is not None and document.file.decode() == "Ein Ei für Käthe, süß und mürbe.\n"  # type: ignore[attr-defined]
    assert "read as cp1252" in shown.about.full and shown.show_one.text() == "Open"

    shown.list.selectRow(2)
    assert "its markup is taken off: 12 of 21 bytes are text" in shown.about.full
    shown.list.setFocus()
    qtbot.waitUntil(shown.list.hasFocus)
    QTest.keyClick(shown.list, Qt.Key.Key_Delete)
    assert [row.item.name for row in found(window).rows] == ["a.txt", "b.txt"] and "2 of 2 texts" in shown.head.full
    for _ in range(2):
        shown.remove.click()
    assert not found(window).rows and shown.about.full == "" and not shown.remove.isEnabled()


def test_what_is_dropped_stays_where_it_is_from(opened: Open, tmp_path: Path) -> None:
    """A program that proposes to move a file or a text would take it away once that is accepted."""
    window = opened("abc", b"BAC")
    (tmp_path / "a.txt").write_text("CAB")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.txt"))])
    both = Qt.DropAction.MoveAction | Qt.DropAction.CopyAction
    event = QDropEvent(QPointF(5, 5), both, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    event.setDropAction(Qt.DropAction.MoveAction)
    window.dropEvent(event)
    assert event.isAccepted() and event.dropAction() == Qt.DropAction.CopyAction
    assert window.playground.document.file == b"CAB"  # type: ignore[attr-defined]

    window.sets.add([tmp_path / "a.txt"])
    (tmp_path / "folder").mkdir()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("folder", "a.txt")])
    shown = window.sets.window
    assert shown is not None
    shown.dropEvent(event)
    assert "1 of 2 things that were dropped are no files: left out" in shown.head.full
    assert [row.item.name for row in window.playground.text_set.rows] == ["a.txt", "a.txt"]
    shown.empty.click()
    assert shown.head.full == "No text yet"


def names(shown: SetWindow) -> list[str]:
    return [shown.table.text(row, NAME) for row in range(len(shown.table.rows))]


def test_headings_sort_by_mouse_and_keyboard(opened: Open, qtbot: QtBot, texts: list[Path], tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("ABCABCA")
    window = opened("abc", b"BAC")
    window.handle(OpenFiles((*texts, tmp_path / "c.txt")))
    shown = done(window, qtbot)
    header, table = shown.list.headings, shown.table
    assert names(shown) == ["a.txt", "b.txt", "bad.txt", "empty.txt", "c.txt"]
    shown.list.selectRow(0)

    def press(column: int) -> None:
        x = header.sectionViewportPosition(column) + 12
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, 8))

    press(TOKENS)
    assert names(shown) == ["empty.txt", "b.txt", "a.txt", "c.txt", "bad.txt"], "what is not known comes last"
    assert shown.current is not None and shown.current.item.name == "a.txt", "the chosen text stays so"
    press(TOKENS)
    assert names(shown) == ["c.txt", "a.txt", "b.txt", "empty.txt", "bad.txt"]
    press(TOKENS)
    assert names(shown)[0] == "a.txt", "a third click gives the order of the set back"
    header.setFocus()
    QTest.keyClick(header, Qt.Key.Key_Left)
    for _ in range(5):
        QTest.keyClick(header, Qt.Key.Key_Right)
    assert header.at == BITS and "bits" in header.accessibleDescription()
    QTest.keyClick(header, Qt.Key.Key_Return)
    QTest.keyClick(header, Qt.Key.Key_Return)
    bits = [row.ledger.totals.bits_per_unit for row in table.rows if row.ledger is not None]
    known = [each for each in bits if each is not None]
    assert known == sorted(known, reverse=True) and len(known) == 3 and names(shown)[3:] == ["bad.txt", "empty.txt"]

    shown.list.selectRow(names(shown).index("b.txt"))
    shown.show_one.click()
    settle(window, qtbot)
    assert window.playground.document.file == b"CC", "the text of the row, wherever it stands"  # type: ignore[attr-defined]
    QTest.keyClick(shown.list, Qt.Key.Key_Delete)
    assert "b.txt" not in names(shown) and len(found(window).rows) == 4
    (tmp_path / "d.txt").write_text("B")
    shown.added.emit([tmp_path / "d.txt"])
    done(window, qtbot)
    bits = [row.ledger.totals.bits_per_unit for row in table.rows if row.ledger is not None]
    known = [each for each in bits if each is not None]
    assert known == sorted(known, reverse=True) and len(known) == 3, "a new one comes to its place"


def test_its_buttons_tell_why_they_do_nothing(opened: Open, qtbot: QtBot, texts: list[Path], tmp_path: Path) -> None:
    window = MainWindow(Store(tmp_path / "none.ini"), Bridge(), "light")
    qtbot.addWidget(window, before_close_func=lambda each: each.keeping.end())
    window.show()
    shown = window.sets.open()
    assert shown.halt.toolTip() == shown.empty.toolTip() == shown.export.toolTip() == "No text yet"
    found(window).add([Item("a", texts[0])])
    assert not shown.halt.isEnabled() and "choose one in the Model menu" in shown.halt.toolTip()
    assert not shown.export.isEnabled() and shown.export.toolTip() == "No text is scored yet"
    assert shown.empty.isEnabled() and shown.remove.isEnabled()
    window.playground.load_model("abc")
    qtbot.waitUntil(shown.halt.isEnabled, timeout=PATIENCE)
    assert shown.halt.text() == "Score" and shown.halt.toolTip() == "What is scored stays"
    shown.halt.click()
    done(window, qtbot)
    qtbot.waitUntil(lambda: len(found(window).scored) == 1, timeout=PATIENCE)
    assert not shown.halt.isEnabled() and shown.halt.toolTip() == "All of them are scored" and shown.export.isEnabled()
    window.hide()
    assert window.playground.close(30)
