"""The form of a run by keyboard, in a small window, and what it says before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from arplay import paths
from arplay.gui.store import Store
from arplay.gui.training.inputs import LEAST_TOKENS
from arplay.gui.training.start_form import StartForm


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text("The cat sat on the mat. " * 100, encoding="utf-8")
    return path


@pytest.fixture
def form(qtbot: QtBot, text: Path) -> StartForm:
    form = StartForm(Store(), lambda: b"")
    qtbot.addWidget(form)
    form.add_files([text])
    form.resize(700, 600)
    with qtbot.waitExposed(form):
        form.show()
    form.activateWindow()
    return form


def small_inputs(form: StartForm) -> list[QWidget]:
    return [form.inputs[name].buddy for name in ("context", "vocabulary", "order", "seed")]


def tabbed(form: StartForm, start: QWidget, count: int) -> list[QWidget | None]:
    start.setFocus()
    found = []
    for _ in range(count):
        QTest.keyClick(QApplication.focusWidget() or form, Qt.Key.Key_Tab)
        found.append(QApplication.focusWidget())
    return found


def test_tab_goes_through_the_form_as_one_reads_it(form: StartForm) -> None:
    form.open_more.click()
    form.inputs["minutes"].segments.choose("tokens")
    form.inputs["minutes"].tokens.setVisible(True)
    rest = [form.inputs[name].buddy.focusProxy() or form.inputs[name].buddy for name in ("params", "minutes")]
    small = [form.inputs[name].buddy for name in ("context", "vocabulary", "seed")]
    order = [
        *(form.files.add, form.files.use_editor, form.files.list, *rest, form.inputs["minutes"].tokens, *small),
        *(form.folder.line, form.folder.choose, form.open_more, form.go),
    ]
    assert tabbed(form, form.inputs["family"].buddy, len(order)) == order


@pytest.mark.parametrize(("letter", "where"), [("T", "texts"), ("S", "params"), ("I", "minutes"), ("F", "family")])
def test_each_row_has_a_letter(form: StartForm, letter: str, where: str) -> None:
    form.files.add.setFocus()
    QTest.keyClick(form, getattr(Qt.Key, f"Key_{letter}"), Qt.KeyboardModifier.AltModifier)
    widget = form.inputs[where].buddy
    assert QApplication.focusWidget() is (widget.focusProxy() or widget)


def test_more_is_whole_and_in_sight_in_a_small_window(form: StartForm, qtbot: QtBot) -> None:
    form.resize(560, 380)
    form.open_more.click()
    qtbot.waitUntil(lambda: not form.folder.line.visibleRegion().isEmpty())
    viewport = form.area.viewport()
    for widget in (*small_inputs(form), form.folder.choose):
        corner = widget.mapTo(viewport, widget.rect().topRight())
        assert corner.x() <= viewport.width()


def test_a_bad_text_is_chosen_for_remove(form: StartForm, tmp_path: Path) -> None:
    assert not form.files.remove.isEnabled()
    empty = tmp_path / "empty.txt"
    empty.touch()
    form.add_files([empty])
    assert form.files.remove.isEnabled()
    form.files.remove.click()
    assert [one.path.name for one in form.files.found] == ["story.txt"]
    assert not form.files.remove.isEnabled()


def test_a_name_alone_is_a_folder_beside_the_others(form: StartForm) -> None:
    form.folder.line.setText("mine")
    assert form.folder.path == paths.trained() / "mine"
    form.folder.line.setText("~/mine")
    assert form.folder.path == Path.home() / "mine"
    form.folder.line.setText("~nobody-of-that-name/x")
    assert form.folder.path == paths.trained() / "~nobody-of-that-name/x"
    form.folder.line.setText("")
    form.folder.changed.emit()
    assert "Give the folder a name" in form.why.text()


def test_what_is_chosen_by_itself_is_left_to_the_command(form: StartForm) -> None:
    wanted = form.wanted()
    assert (wanted.context, wanted.vocabulary, wanted.seed) == (None, None, 1)
    assert "--context" not in wanted.arguments and "--params" in wanted.arguments
    form.inputs["context"].box.setCurrentIndex(form.inputs["context"].box.findData(64))
    assert form.wanted().context == 64
    assert form.inputs["minutes"].tokens.minimum() == LEAST_TOKENS
    form.inputs["family"].segments.buttons["ngram"].click()  # which is counted, and has neither a size nor a length
    assert not {"--params", "--context", "--minutes", "--tokens"} & {*form.wanted().arguments}


def test_little_text_is_told_before_it_is_trained_on(form: StartForm) -> None:
    assert "learnt by heart" in form.why.text()
    assert form.go.isEnabled()
    form.inputs["family"].segments.buttons["ngram"].click()
    assert "learnt by heart" not in form.why.text()


def test_arrows_choose_within_a_row(form: StartForm) -> None:
    form.inputs["params"].segments.setFocus()
    QTest.keyClick(QApplication.focusWidget() or form, Qt.Key.Key_Right)
    assert form.inputs["params"].segments.key == "3000000"
    assert QApplication.focusWidget() is form.inputs["params"].segments.buttons["3000000"]
