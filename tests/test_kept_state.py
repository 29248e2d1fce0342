"""The settings file is input like any other: what makes no sense is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arplay.core.errors import Problem
from arplay.core.reading import Reading
from arplay.gui.settings import Settings
from arplay.gui.store import READINGS, Store


def kept(folder: Path, content: str) -> Settings:
    store = Store(folder / "arplay.ini")
    store.set_text("settings", content)
    store.flush()
    return Store(folder / "arplay.ini").settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("seed", 2**64),
        ("seed", True),
        ("bars", 0),
        ("bars", "20"),
        ("unit", "bans"),
        ("at_limit", "wrap"),
        ("colour_by", "mood"),
        ("play_per_second", 0),
        ("play_per_second", float("nan")),
        ("play_steps", -3),
        ("animate", 1),
        ("decoding", {"temperature": -1}),
        ("decoding", {"mode": ["sample"]}),
        ("decoding", 7),
        ("decoding", [{"stage": "beam"}]),
        ("decoding", [{"stage": "top-k", "k": 2, "p": 1}]),
        ("decoding", [[]]),
    ],
)
def test_a_setting_that_makes_no_sense_is_the_default_and_the_others_stay(
    tmp_path: Path, name: str, value: Any
) -> None:
    settings = kept(tmp_path, json.dumps({"log_axis": True, name: value}))
    assert getattr(settings, name) == getattr(Settings(), name) and settings.log_axis


def test_settings_that_make_sense_come_back(tmp_path: Path) -> None:
    """Negative control."""
    changed = {"seed": 9, "bars": 5, "unit": "bits", "colour_by": "rank", "play_per_second": 2, "at_limit": "slide"}
    settings = kept(tmp_path, json.dumps({**changed, "decoding": {"temperature": 0.5}}))
    assert {name: getattr(settings, name) for name in changed} == changed
    assert settings.decoding.label == "temperature 0.5"


def test_each_model_has_its_own_reading_and_the_oldest_are_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / "arplay.ini")
    for number in range(READINGS + 1):
        store.keep_reading(f"org/model-{number}", Reading("bos", number % 2 == 0))
    store.keep_reading("org/model-3", Reading())
    store.save_settings(Settings(reading=Reading("eos")))
    store.flush()
    again = Store(tmp_path / "arplay.ini")
    assert again.reading("org/model-50") == Reading("bos", True) and again.reading("org/model-49") == Reading("bos")
    assert again.reading("org/model-0") == Reading() == again.reading("org/model-3")
    assert again.settings().reading == Reading()


@pytest.mark.parametrize("content", ["7", "{}", "[7]", '[{"model": 3}]', '[{"model": "m", "first_token": ["bos"]}]'])
def test_readings_that_make_no_sense_are_none(tmp_path: Path, content: str) -> None:
    store = Store(tmp_path / "arplay.ini")
    store.set_text("readings", content)
    assert store.reading("m") == Reading()
    store.keep_reading("m", Reading("unscored"))
    assert store.reading("m") == Reading("unscored")


@pytest.mark.parametrize("content", ["", "[]", "7", "{", "[" * 100_000, '{"decoding": NaN}'])
def test_a_settings_file_of_nonsense_is_no_settings(tmp_path: Path, content: str) -> None:
    assert kept(tmp_path, content) == Settings()


def test_two_windows_write_only_what_was_changed_in_them(tmp_path: Path) -> None:
    one, two = Store(tmp_path / "arplay.ini"), Store(tmp_path / "arplay.ini")
    first, second = one.settings(), two.settings()
    one.save_settings(replace(first, bars=7, unit="bits"))
    one.add_recent("recent_files", "a.txt")
    one.keep_reading("m", Reading("bos"))
    two.add_recent("recent_files", "b.txt")
    two.keep_reading("n", Reading("eos"))
    two.save_settings(replace(second, seed=5))  # the last to close
    for store in (one, two):
        store.flush()
    again = Store(tmp_path / "arplay.ini")
    settings = again.settings()
    assert (settings.bars, settings.unit, settings.seed) == (7, "bits", 5)
    assert again.recent("recent_files") == ["b.txt", "a.txt"] == one.recent("recent_files")
    assert (again.reading("m"), again.reading("n")) == (Reading("bos"), Reading("eos"))


def test_the_last_change_of_the_same_setting_counts(tmp_path: Path) -> None:
    """Negative control."""
    one, two = Store(tmp_path / "arplay.ini"), Store(tmp_path / "arplay.ini")
    settings = one.settings(), two.settings()
    one.save_settings(replace(settings[0], bars=7))
    two.save_settings(replace(settings[1], bars=9))
    assert Store(tmp_path / "arplay.ini").settings().bars == 9


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)), b"[General]\nhello\n", b"[General]\nmodel=abc\nsett", b"[Gen\nmodel=abc\n", b"\0\0", b"\xff"],
)
def test_a_damaged_file_is_put_aside_told_once_and_saved_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "arplay.ini"
    path.write_bytes(content)
    store = Store(path)
    assert store.said is not None and "damaged" in store.said[0] and "arplay.ini.damaged-1" in store.said[1]
    assert (tmp_path / "arplay.ini.damaged-1").read_bytes() == content and store.settings() == Settings()
    store.save_settings(replace(Settings(), bars=7))
    store.flush()
    again = Store(path)
    assert again.said is None and again.settings().bars == 7


@pytest.mark.parametrize("content", [b"", b"[General]\nmodel=abc\n"])
def test_a_file_that_is_in_order_is_left_where_it_is(tmp_path: Path, content: bytes) -> None:
    """Negative control."""
    (tmp_path / "arplay.ini").write_bytes(content)
    assert Store(tmp_path / "arplay.ini").said is None
    assert [path.name for path in tmp_path.iterdir()] == ["arplay.ini"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "arplay.ini")
    store.save_settings(replace(Settings(), bars=7))
    with pytest.raises(Problem, match="settings cannot be saved"):
        store.flush()


@pytest.mark.parametrize("kept", ['{"text_size": "huge"}', '{"decoding": 7}', "[]", "{", '{"theme_of": 1, "bars": -5}'])
def test_a_kept_setting_that_makes_no_sense_is_told(tmp_path: Path, kept: str) -> None:
    Store(tmp_path / "arplay.ini").set_text("settings", kept)
    store = Store(tmp_path / "arplay.ini")
    assert store.settings() == Settings() and store.said is not None and "made no sense" in store.said[0]


def test_settings_that_make_sense_are_not_told_of(tmp_path: Path) -> None:
    """Negative control: one of a newer arplay is no setting here."""
    Store(tmp_path / "arplay.ini").set_text("settings", '{"bars": 7, "of a newer one": 3}')
    store = Store(tmp_path / "arplay.ini")
    assert store.settings().bars == 7 and store.said is None
