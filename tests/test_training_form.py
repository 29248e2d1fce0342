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
from arplay.gui.training.choices import LEAST_TOKENS, overfitting
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


def tabbed(form: StartForm, start: QWidget, count: int) -> list[QWidget | None]:
    start.setFocus()
    found = []
    for _ in range(count):
        QTest.keyClick(QApplication.focusWidget() or form, Qt.Key.Key_Tab)
        found.append(QApplication.focusWidget())
    return found


def test_tab_goes_through_the_form_as_one_reads_it(form: StartForm) -> None:
    form.open_more.click()
    form.time.choose("tokens")
    form.tokens.setVisible(True)
    order = [
        *(form.use_editor, form.texts, form.params.focusProxy(), form.time.focusProxy(), form.tokens),
        *(form.family.focusProxy(), form.more.context, form.more.vocabulary, form.more.seed, form.more.folder),
        *(form.more.choose, form.open_more, form.go),
    ]
    assert tabbed(form, form.add, len(order)) == order


@pytest.mark.parametrize(("letter", "where"), [("T", "texts"), ("S", "params"), ("I", "time"), ("F", "family")])
def test_each_row_has_a_letter(form: StartForm, letter: str, where: str) -> None:
    form.add.setFocus()
    QTest.keyClick(form, getattr(Qt.Key, f"Key_{letter}"), Qt.KeyboardModifier.AltModifier)
    widget = getattr(form, where)
    assert QApplication.focusWidget() is (widget.focusProxy() or widget)


def test_more_is_whole_and_in_sight_in_a_small_window(form: StartForm, qtbot: QtBot) -> None:
    form.resize(560, 380)
    form.open_more.click()
    qtbot.waitUntil(lambda: not form.more.folder.visibleRegion().isEmpty())
    viewport = form.area.viewport()
    for widget in (form.more.context, form.more.vocabulary, form.more.seed, form.more.choose):
        corner = widget.mapTo(viewport, widget.rect().topRight())
        assert corner.x() <= viewport.width()


def test_a_bad_text_is_chosen_for_remove(form: StartForm, tmp_path: Path) -> None:
    assert not form.remove.isEnabled()
    empty = tmp_path / "empty.txt"
    empty.touch()
    form.add_files([empty])
    assert form.remove.isEnabled()
    form.remove.click()
    assert [one.path.name for one in form.texts.texts] == ["story.txt"]
    assert not form.remove.isEnabled()


def test_a_name_alone_is_a_folder_beside_the_others(form: StartForm) -> None:
    form.more.folder.setText("mine")
    assert form.more.path == paths.trained() / "mine"
    form.more.folder.setText("~/mine")
    assert form.more.path == Path.home() / "mine"
    form.more.folder.setText("~nobody-of-that-name/x")
    assert form.more.path == paths.trained() / "~nobody-of-that-name/x"
    form.more.folder.setText("")
    form.more.changed.emit()
    assert "Give the folder a name" in form.why.text()


def test_what_is_chosen_by_itself_is_left_to_the_command(form: StartForm) -> None:
    wanted = form.wanted()
    assert (wanted.context, wanted.vocabulary, wanted.seed) == (None, None, 1)
    assert "--context" not in wanted.arguments and "--params" in wanted.arguments
    form.more.context.setCurrentIndex(form.more.context.findData(64))
    assert form.wanted().context == 64
    assert form.tokens.minimum() == LEAST_TOKENS
    form.family.buttons["ngram"].click()  # which is counted, and has neither a size nor a length
    assert not {"--params", "--context", "--minutes", "--tokens"} & {*form.wanted().arguments}


def test_little_text_is_told_before_it_is_trained_on(form: StartForm) -> None:
    assert "learnt by heart" in form.why.text()
    assert form.go.isEnabled()
    form.family.buttons["ngram"].click()
    assert "learnt by heart" not in form.why.text()
    assert overfitting(6_000_000, 6_000_000) == ""


def test_arrows_choose_within_a_row(form: StartForm) -> None:
    form.params.setFocus()
    QTest.keyClick(QApplication.focusWidget() or form, Qt.Key.Key_Right)
    assert form.params.key == "3000000"
    assert QApplication.focusWidget() is form.params.buttons["3000000"]
