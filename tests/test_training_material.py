"""The form of a run for pictures and sounds: what a family learns from is asked for, checked, trained on and opened."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from arplay.engine import trainer as trainers
from arplay.gui.store import Store
from arplay.gui.training import facts
from arplay.gui.training.start_form import FIELDS, StartForm
from arplay.models import families
from arplay.models.family import Material, resolve
from arplay.training.order import RunRequest
from tests.test_picture_training import paint
from tests.test_sound import write
from tests.training_open import OpenTraining
from tests.windows_open import PATIENCE, notice, settle


@pytest.fixture
def form(qtbot: QtBot) -> StartForm:
    form = StartForm(Store(), lambda: b"")
    qtbot.addWidget(form)
    return form


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "tones"
    folder.mkdir()
    for number in range(4):
        write(folder / f"{number}.wav", np.arange(900) * number)
    return folder


def family(form: StartForm) -> str:
    key: str = form.wanted().family or ""
    return key


def test_each_field_is_one_of_a_run_and_each_family_names_what_it_learns_from(form: StartForm) -> None:
    assert {one.name for one in FIELDS} < {*RunRequest.__dataclass_fields__}
    for training in families.trainings().values():
        assert isinstance(resolve(training.learns), Material)
        assert training.sizes or training.counted
        form.inputs["family"].segments.buttons[training.key].click()
        form.wanted().arguments  # noqa: B018
        assert form.files.material.empty == form.files.list.message
        assert form.inputs["context"].box.isEnabled() == bool(training.contexts)


def test_what_is_dropped_chooses_a_family_that_learns_from_it(form: StartForm, tmp_path: Path, sounds: Path) -> None:
    pictures, text = paint(tmp_path / "shoes"), tmp_path / "a.txt"
    text.write_text("words " * 300)
    for path, key, told in (
        (text, "transformer", "1 text, 1.80 kB"),
        (pictures, "pixelcnn", "1 folder, 45 pictures"),
        (sounds, "wavenet", "1 folder, 4 WAV files"),
    ):
        form.add_files([path])
        assert family(form) == key and form.files.total.full == told and not form.reason
        assert form.wanted().texts == (path,) and form.folder.path.name == path.stem
    assert not form.files.use_editor.isVisibleTo(form)
    form.inputs["family"].segments.buttons["rnn"].click()
    assert form.wanted().texts == (text,), "what other families learn from is kept"
    assert form.files.use_editor.isVisibleTo(form)


@pytest.mark.parametrize("kind", ["few", "colour", "corrupt", "none", "stray"])
def test_what_cannot_be_learnt_from_is_told_in_the_form(form: StartForm, tmp_path: Path, kind: str) -> None:
    folder = paint(tmp_path / "shoes", 39 if kind == "few" else 45)
    first = folder / "000.png"
    if kind == "colour":
        Image.new("RGB", (4, 5), (9, 99, 200)).save(first)
    elif kind == "corrupt":
        first.write_bytes(first.read_bytes()[:40])
    elif kind == "none":
        folder = tmp_path
    form.inputs["family"].segments.buttons["pixelcnn"].click()
    form.files.add_paths([first if kind == "stray" else folder])
    told = {
        "few": "39 pictures are too few",
        "colour": "000.png is in colour",
        "corrupt": "000.png cannot be read",
        "none": "holds no pictures",
        "stray": "is no folder",
    }[kind]
    assert told in form.reason and not form.go.isEnabled()


def test_the_dialog_asks_for_what_the_family_learns_from(
    form: StartForm, sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "a.txt"
    text.write_text("words " * 300)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(sounds))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(text)], ""))
    form.files.add.click()
    assert form.wanted().texts == (text,)
    form.inputs["family"].segments.buttons["wavenet"].click()
    form.files.add.click()
    assert form.wanted().texts == (sounds,)


def test_choices_are_kept_by_family(form: StartForm, tmp_path: Path, sounds: Path, qtbot: QtBot) -> None:
    form.add_files([sounds])
    form.inputs["params"].segments.buttons["400000"].click()
    form.begin()
    other = StartForm(Store(), lambda: b"")
    qtbot.addWidget(other)
    assert other.wanted().params == 400_000 and other.wanted().texts == (sounds,) and family(other) == "wavenet"
    other.inputs["family"].segments.buttons["transformer"].click()
    assert other.wanted().params == 1_000_000 and other.reason == "Add a text to train on."
    other.inputs["family"].segments.buttons["wavenet"].click()
    assert other.wanted().params == 400_000


def test_pictures_are_trained_on_in_the_window_and_the_model_opened(
    training: OpenTraining, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command itself, for a folder of mixed sizes, which is told, and for one that it learns from."""
    window, view = training()
    monkeypatch.setattr(trainers, "COMMAND", (sys.executable, "-m", "arplay", "train"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = paint(tmp_path / "shoes")
    whole = (folder / "044.png").read_bytes()
    Image.new("L", (9, 9)).save(folder / "044.png")
    form = view.form
    form.add_files([folder])
    form.inputs["minutes"].segments.buttons["tokens"].click()
    form.inputs["minutes"].tokens.setValue(10_000)
    form.begin()
    long = 5 * PATIENCE
    qtbot.waitUntil(lambda: view.run.state.status == "failed", timeout=long)
    assert "several sizes: 000.png 4 × 5, 044.png 9 × 9" in view.notice.text()
    (folder / "044.png").write_bytes(whole)
    view.page.bar.go_back.click()
    form.begin()
    qtbot.waitUntil(lambda: view.run.state.status in ("done", "failed"), timeout=long)
    assert view.run.state.status == "done" and not notice(window)
    assert "bits/dimension" in view.page.unit.buttons["bits per byte"].text()
    assert "42 pictures of 5 × 4 pixels of 8 levels" in view.page.bar.facts.full
    assert "bits per dimension" in facts.summary(view.run.state) and "something else" in view.page.replay.empty.text()
    view.page.bar.open_it.click()
    qtbot.waitUntil(lambda: view.run.state.folder.name in window.playground.view.loaded.info.name, timeout=long)
    settle(window, qtbot)
    assert window.playground.view.answer.distribution.full
