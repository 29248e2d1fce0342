"""Bad input through the real window: a clear message, the text and the former model kept, nothing lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Text
from arplay.gui import exports, files
from arplay.gui.intents import Do
from arplay.gui.main_window import MainWindow
from arplay.textfile import detect
from tests.windows_open import PATIENCE, Open, answer_box, notice, settle, text_field


def refused(window: MainWindow, qtbot: QtBot, text: bytes = b"BAC") -> str:
    """The message, once it is there; the text is as it was."""
    qtbot.waitUntil(lambda: notice(window) != "", timeout=PATIENCE)
    assert window.playground.document.data == text
    return notice(window)


def test_missing_file(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened()
    window.open_file(tmp_path / "nowhere.txt")
    assert "nowhere.txt" in refused(window, qtbot)


def test_folder_as_text(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened()
    window.open_file(tmp_path)
    assert "cannot be read" in refused(window, qtbot)


def test_other_encoding_is_offered_and_taken(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened()
    file = tmp_path / "old.txt"
    text = "Où est le café ? Là-bas, près de l'hôtel, à côté de la forêt. " * 20
    file.write_bytes(text.encode("utf-16"))
    QTimer.singleShot(0, lambda: answer_box("Cancel"))
    window.open_file(file)
    assert "not UTF-8" in refused(window, qtbot)
    QTimer.singleShot(0, lambda: answer_box("Open as"))
    window.open_file(file)
    assert window.playground.document.data.decode() == text
    assert file.read_bytes() == text.encode("utf-16")


def test_empty_file_is_an_empty_text(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened()
    (tmp_path / "empty.txt").touch()
    window.open_file(tmp_path / "empty.txt")
    settle(window, qtbot)
    assert window.playground.document.data == b"" and notice(window) == ""
    assert window.playground.view.answer is not None and window.playground.view.answer.distribution is not None


@pytest.mark.parametrize(
    "text",
    ["a\0b", "שלום עולם", "👩‍👩‍👧‍👦 ok", "z̸̢͎͝a̷̡͚͑l̵̟̈́g̶̖̓o̴̞̾", "one\r\ntwo\rthree\u2028four\u2029", "no\u00a0break", "\ufeffmark"],
    ids=["nul", "rtl", "emoji", "zalgo", "newlines", "nbsp", "bom"],
)
def test_strange_text_is_kept_byte_for_byte(opened: Open, qtbot: QtBot, tmp_path: Path, text: str) -> None:
    window = opened()
    (tmp_path / "in.txt").write_bytes(text.encode())
    window.open_file(tmp_path / "in.txt")
    assert window.playground.document.data == text.encode()
    qtbot.waitUntil(lambda: "is not in this model" in notice(window), timeout=PATIENCE)  # abc cannot write it
    assert files.save(tmp_path / "out.txt", window)
    assert (tmp_path / "out.txt").read_bytes() == text.encode()
    window.menus.undo.trigger()
    qtbot.waitUntil(lambda: notice(window) == "", timeout=PATIENCE)  # what was told is mended
    assert window.playground.document.data == b"BAC"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Die Straße führt über den Fluß.\r\nà la carte", "cp1252"),
        ("Zażółć gęślą jaźń, powiedział żółty chrząszcz w gęstwinie.", "cp1250"),
        ("Это простой текст на русском языке, и он довольно короткий.", "cp1251"),
    ],
)
def test_the_offered_encoding_reads_well(text: str, encoding: str) -> None:
    guess = detect(text.encode(encoding))
    assert guess is not None and text.encode(encoding).decode(guess) == text


def test_huge_paste_is_analysed_and_the_editor_stays_usable(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    clip = QMimeData()
    clip.setText("BAC" * 3_500_000)
    QApplication.clipboard().setMimeData(clip)
    text_field(window).paste()
    qtbot.waitUntil(lambda: window.playground.view.excerpt_of is not None, timeout=PATIENCE)
    assert len(window.playground.scored_document) == 10_500_000
    assert len(window.playground.document) < 100_000
    window.playground.open_document(Text.of(b"BA"), at_end=True)
    settle(window, qtbot)
    qtbot.keyClicks(text_field(window), "C")
    settle(window, qtbot)
    assert window.playground.document.data == b"BAC"
    QApplication.clipboard().clear()


def test_lone_surrogate_is_told_and_not_inserted(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    clip = QMimeData()
    clip.setData("text/plain", b"A\xed\xa0\x80B")  # half a UTF-16 pair, as broken programs write it
    text_field(window).insertFromMimeData(clip)
    assert refused(window, qtbot)


Damage = Callable[[Path], object]


def _cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    os.truncate(file, file.stat().st_size // 2)


def _without_a_weight(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.0.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _with_nan(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"].fill_(float("nan"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _no_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


def _encoder(folder: Path) -> None:
    config = folder / "config.json"
    config.write_text(config.read_text().replace("LlamaForCausalLM", "BertModel"))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut, "damaged or cut off"),
        (_without_a_weight, "up_proj"),
        (_no_tokenizer, "no tokenizer"),
        (_encoder, "not a causal language model"),
        (lambda folder: (folder / "config.json").unlink(), "no model folder"),
    ],
    ids=["cut", "missing weight", "no tokenizer", "encoder", "no config"],
)
def test_a_bad_model_folder_is_refused_and_the_former_model_stays(
    opened: Open, qtbot: QtBot, tiny_copy: Path, damage: Damage, said: str
) -> None:
    window = opened()
    damage(tiny_copy)
    window.choose_model(str(tiny_copy))
    assert said in refused(window, qtbot)
    assert window.playground.view.loaded is not None and window.playground.view.loaded.info.name == "abc"
    qtbot.keyClicks(text_field(window), "A")
    settle(window, qtbot)
    assert window.playground.document.data == b"BACA" and window.playground.view.problem is None


def test_nan_logits_are_told(opened: Open, qtbot: QtBot, tiny_copy: Path) -> None:
    window = opened()
    _with_nan(tiny_copy)
    window.choose_model(str(tiny_copy))
    assert "NaN" in refused(window, qtbot)


def test_context_full_stops_and_says_so(opened: Open, qtbot: QtBot, tiny_copy: Path) -> None:
    window = opened(str(tiny_copy), b"The cat")
    window.playground.handle(Do("play"))
    qtbot.waitUntil(lambda: not window.playground.view.playing, timeout=PATIENCE)
    assert "context is full" in notice(window)
    view = window.playground.view
    assert view.answer is not None and view.loaded is not None
    context = view.loaded.info.context
    assert context is not None and view.answer.position.end == context + 1  # a full context still says what comes next


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".csv", ".json"])
def test_a_failed_export_says_so_and_leaves_the_file(opened: Open, qtbot: QtBot, tmp_path: Path, suffix: str) -> None:
    window = opened()
    chart = window.panels["next_token"]
    good, bad = tmp_path / f"chart{suffix}", tmp_path / "none" / f"chart{suffix}"
    assert exports.of_panel(chart, window).save(good) and good.stat().st_size > 100
    assert not exports.of_panel(chart, window).save(bad)
    assert "cannot be written" in refused(window, qtbot)
    good.write_bytes(b"mine")
    good.chmod(0o444)
    if not os.access(good, os.W_OK):  # root may write anything
        assert not exports.of_panel(chart, window).save(good)
        assert good.read_bytes() == b"mine"


def test_settings_that_cannot_be_saved_are_told_once(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    window = opened(store=blocked / "arplay.ini")
    window._save_settings()
    assert "ettings cannot be saved" in refused(window, qtbot)
    window.notice.forget()
    window._save_settings()
    assert notice(window) == ""


@pytest.mark.parametrize(
    ("begins", "kind"),
    [(b"\x89PNG\r\n", "picture"), (b"\xff\xd8\xff\xe0", "picture"), (b"GIF89a", "picture"), (b"RIFF\xff\xff", "sound")],
)
def test_a_picture_or_a_sound_for_a_model_of_texts(
    opened: Open, qtbot: QtBot, tmp_path: Path, begins: bytes, kind: str
) -> None:
    window, file = opened(), tmp_path / "it.bin"
    file.write_bytes(begins + b"\xff\x00" * 40)
    window.open_file(file)
    assert f"it.bin is a {kind}, and this model reads text" in refused(window, qtbot)
    file.write_bytes(b"\xff\x00" * 40)  # negative control
    window.notice.forget()
    window.open_file(file)
    assert f"is a {kind}" not in refused(window, qtbot) and "NAME" not in notice(window)


def _copy(source: Path, target: Path) -> Path:
    import shutil

    shutil.copytree(source, target)
    return target


@pytest.fixture
def tiny_copy(tiny_folders: dict[str, Path], tmp_path: Path) -> Any:
    return _copy(tiny_folders["llama"], tmp_path / "model")
