"""The settings file and the text of the last session are input like any other: what makes no sense is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arplay.core.document import Document, Fixed, Typed
from arplay.gui import recovery
from arplay.gui.contract import Settings
from arplay.gui.store import Store


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
        ("reading", {"first_piece": "pad"}),
        ("reading", "bos"),
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
    changed = {"seed": 9, "bars": 5, "unit": "bits", "colour_by": "rank", "play_per_second": 2}
    settings = kept(
        tmp_path, json.dumps({**changed, "decoding": {"temperature": 0.5}, "reading": {"first_piece": "bos"}})
    )
    assert {name: getattr(settings, name) for name in changed} == changed
    assert settings.decoding.temperature == 0.5 and settings.reading.first_piece == "bos"


@pytest.mark.parametrize("content", ["", "[]", "7", "{", "[" * 100_000, '{"decoding": NaN}'])
def test_a_settings_file_of_nonsense_is_no_settings(tmp_path: Path, content: str) -> None:
    assert kept(tmp_path, content) == Settings()


@pytest.mark.parametrize(
    "run",
    [
        {"typed": "not base64!"},
        {"typed": 7},
        {"vocabulary": "v", "ids": [1], "pieces": []},
        {"vocabulary": "v", "ids": [-1], "pieces": ["QQ=="]},
        {"vocabulary": "v", "ids": [10**30], "pieces": ["QQ=="]},
        {"vocabulary": "v", "ids": [1.5], "pieces": ["QQ=="]},
        {"vocabulary": "v", "ids": [1], "pieces": [""]},
        [],
        None,
    ],
)
def test_a_recovered_text_that_makes_no_sense_is_no_text(tmp_path: Path, run: Any) -> None:
    file = tmp_path / "last.json"
    file.write_text(json.dumps({"runs": [run]}))
    assert recovery.load(file) is None


def test_a_recovered_text_comes_back_with_its_ids(tmp_path: Path) -> None:
    """Negative control."""
    document = Document((Typed(b"\xff A\r\n"), Fixed("v", (3, 1), (b"x", b"\xe2"))))
    recovery.save(tmp_path / "last.json", document)
    assert recovery.load(tmp_path / "last.json") == document
