"""Settings that are found again: one ini file, values in JSON so that types come back as they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args

from PySide6.QtCore import QByteArray, QSettings

from arplay import paths
from arplay.core.decoding import Decoding
from arplay.core.errors import Problem
from arplay.core.picking import MAX_SEED
from arplay.core.reading import FirstPiece, Reading
from arplay.gui.contract import AtLimit, ColourBy, Settings, Tokens, Unit
from arplay.gui.widgets.zoom import SIZES

RECENT = 10
READINGS = 50
"""How many models' reading settings are remembered."""
_WORDS: dict[str, tuple[str, ...]] = {
    "unit": get_args(Unit),
    "at_limit": get_args(AtLimit),
    "colour_by": get_args(ColourBy),
    "tokens": get_args(Tokens),
}
_RANGES = {
    "seed": (0, MAX_SEED),
    "bars": (5, 200),
    "play_per_second": (1, 200),
    "play_steps": (1, 100_000),
    "surprise": (0.1, 50.0),
    "text_size": (SIZES[0], SIZES[-1]),
}


class Store:
    """The settings file. A file that cannot be read counts as empty, one that cannot be written is told once."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or paths.settings()
        self._ini = QSettings(str(self.path), QSettings.Format.IniFormat)

    def settings(self) -> Settings:
        """The user's settings; anything that is not valid any more falls back to its default."""
        saved = self._json("settings", {})
        if not isinstance(saved, dict):
            return Settings()
        default = Settings()
        values: dict[str, Any] = {}
        for field in fields(Settings):
            value, like = saved.get(field.name), getattr(default, field.name)
            if field.name == "decoding":
                values["decoding"] = _decoding(value)
            elif field.name != "reading" and _sensible(field.name, value, like):
                values[field.name] = value
        try:
            return Settings(**values)
        except (Problem, TypeError, ValueError):
            return default

    def save_settings(self, settings: Settings) -> None:
        """All but ``reading``, which is kept for each model by :meth:`keep_reading`."""
        saved = {name: value for name, value in asdict(settings).items() if name != "reading"}
        self._ini.setValue("settings", json.dumps(saved))

    def reading(self, spec: str) -> Reading:
        """How texts were last read with the model ``spec``; else as its tokenizer does it."""
        return self._readings().get(spec, Reading())

    def keep_reading(self, spec: str, reading: Reading) -> None:
        """Remember it as the newest of at most ``READINGS``; what is the default need not be remembered."""
        others = [(known, kept) for known, kept in self._readings().items() if known != spec]
        entries = ([(spec, reading)] if reading != Reading() else []) + others
        saved = [{"model": known, **asdict(kept)} for known, kept in entries[:READINGS]]
        self._ini.setValue("readings", json.dumps(saved))

    def _readings(self) -> dict[str, Reading]:
        saved = self._json("readings", [])
        entries = [entry for entry in saved if isinstance(entry, dict)] if isinstance(saved, list) else []
        return {model: _reading(entry) for entry in entries if isinstance(model := entry.get("model"), str)}

    def text(self, key: str, default: str) -> str:
        value = self._ini.value(key, default)
        return value if isinstance(value, str) else default

    def set_text(self, key: str, value: str) -> None:
        self._ini.setValue(key, value)

    def flag(self, key: str) -> bool:
        return self.text(key, "") == "yes"

    def set_flag(self, key: str, value: bool) -> None:
        self.set_text(key, "yes" if value else "no")

    def recent(self, key: str) -> list[str]:
        saved = self._json(key, [])
        return [entry for entry in saved if isinstance(entry, str)][:RECENT] if isinstance(saved, list) else []

    def add_recent(self, key: str, entry: str) -> None:
        entries = [entry, *(known for known in self.recent(key) if known != entry)]
        self._ini.setValue(key, json.dumps(entries[:RECENT]))

    def remove_recent(self, key: str, entry: str) -> None:
        self._ini.setValue(key, json.dumps([known for known in self.recent(key) if known != entry]))

    def restore(self, key: str, apply: Callable[[QByteArray], bool]) -> bool:
        """Give a saved layout to ``apply``; False where there is none or it does not fit any more."""
        value = self._ini.value(key)
        return isinstance(value, QByteArray) and apply(value)

    def keep(self, key: str, value: QByteArray) -> None:
        self._ini.setValue(key, value)

    def flush(self) -> None:
        """Write the file now. Raises Problem where the folder is read-only."""
        self._ini.sync()
        if self._ini.status() != QSettings.Status.NoError:
            raise Problem(f"settings cannot be saved to {self.path}", "check the rights of that folder")

    def _json(self, key: str, default: Any) -> Any:
        try:
            return json.loads(self.text(key, json.dumps(default)))
        except (ValueError, RecursionError):
            return default


def _sensible(name: str, value: object, like: object) -> bool:
    """Whether a saved value has the type of the default ``like`` and is one of those that the window offers."""
    if type(value) is not type(like) and not (isinstance(like, float) and type(value) is int):
        return False
    if name in _WORDS:
        return value in _WORDS[name]
    low, high = _RANGES.get(name, (0, 0))
    return name not in _RANGES or (isinstance(value, int | float) and low <= value <= high)


def _reading(value: dict[str, Any]) -> Reading:
    default: FirstPiece = "auto"
    first = next((rule for rule in get_args(FirstPiece) if rule == value.get("first_piece")), default)
    return Reading(first, value.get("special") is True)


def _decoding(value: object) -> Decoding:
    if not isinstance(value, dict):
        return Decoding()
    try:
        return Decoding(**{field.name: value[field.name] for field in fields(Decoding) if field.name in value})
    except (Problem, TypeError):
        return Decoding()
