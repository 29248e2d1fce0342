"""The settings file is input like any other: what makes no sense is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arplay.core.reading import Reading
from arplay.gui.contract import Settings
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
    assert settings.decoding.temperature == 0.5


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


@pytest.mark.parametrize("content", ["7", "{}", "[7]", '[{"model": 3}]', '[{"model": "m", "first_piece": ["bos"]}]'])
def test_readings_that_make_no_sense_are_none(tmp_path: Path, content: str) -> None:
    store = Store(tmp_path / "arplay.ini")
    store.set_text("readings", content)
    assert store.reading("m") == Reading()
    store.keep_reading("m", Reading("unscored"))
    assert store.reading("m") == Reading("unscored")


@pytest.mark.parametrize("content", ["", "[]", "7", "{", "[" * 100_000, '{"decoding": NaN}'])
def test_a_settings_file_of_nonsense_is_no_settings(tmp_path: Path, content: str) -> None:
    assert kept(tmp_path, content) == Settings()
