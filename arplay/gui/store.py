"""Settings that are found again: one ini file, values in JSON so that types come back as they were.

Several windows share it: each writes only what was changed in it, into the file as it is at that moment.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args

from filelock import FileLock, Timeout
from PySide6.QtCore import QByteArray, QSettings

from arplay import paths
from arplay.core import measures, watch
from arplay.core.candidates import candidates_from_json
from arplay.core.decoding import layouts, rows
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.picking import MAX_SEED
from arplay.core.reading import FirstToken, Reading
from arplay.export import plots
from arplay.gui.playground.recovery import set_aside
from arplay.gui.settings import LEAST_SURPRISE, MOST_SURPRISE, AtLimit, Settings, Tokens, Unit, Wrap
from arplay.gui.widgets.zoom import SIZES

RECENT = 10
READINGS = 50
"""How many models' reading settings are remembered."""
_WORDS: dict[str, tuple[str, ...]] = {
    "unit": get_args(Unit),
    "at_limit": get_args(AtLimit),
    "colour_by": measures.NAMES,
    "tokens": get_args(Tokens),
    "wrap": get_args(Wrap),
    "plot": tuple(plots.BY_NAME),
}
_RANGES = {
    "seed": (0, MAX_SEED),
    "bars": (5, 200),
    "play_per_second": (1, 200),
    "play_steps": (1, 100_000),
    "surprise": (LEAST_SURPRISE, MOST_SURPRISE),
    "text_size": (SIZES[0], SIZES[-1]),
    "plot_mean": plots.MEANS,
    "plot_bin": plots.BINS,
}
_MADE: dict[str, Callable[[Any], Any]] = {
    "decoding": Pipeline,
    "rows": rows.from_json,
    "presets": layouts.presets_from_json,
    "watch": watch.from_json,
    "candidates": candidates_from_json,
    "rank_bounds": measures.bounds_from_json,
    "tokenizers": lambda said: tuple(_entries(said)),
}
_SAID = {
    "decoding": "decoding",
    "rows": "rows of decoding stages",
    "presets": "presets",
    "watch": "rules of Play",
    "candidates": "candidates",
    "rank_bounds": "bounds of ranks",
}


class Store:
    """The settings file. ``said`` tells of what could not be read: it is as at first."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or paths.settings()
        self._ini = QSettings(str(self.path), QSettings.Format.IniFormat)
        self._former: dict[str, Any] = {}
        self.said: tuple[str, str] | None = None
        self._check()

    def _check(self) -> None:
        """A damaged file is put aside before anything is written over it."""
        self._ini.allKeys()  # until something is read Qt does not look whether the file makes sense
        if self._ini.status() != QSettings.Status.FormatError and _is_text(self.path):
            return
        cause = f"the settings in {self.path} are damaged"
        try:
            aside = set_aside(self.path, self.path.name)
            self.said = (f"{cause}; all are as at first", f"the file was put aside: {aside}")
        except OSError as error:
            self.said = (f"{cause} and cannot be put aside ({error.strerror or error})", "remove that file")
        self._ini = QSettings(str(self.path), QSettings.Format.IniFormat)

    def settings(self) -> Settings:
        """The user's settings; what is not valid any more has its default, and ``said`` tells of it."""
        settings = self._settings()
        self._former = _fields(settings)
        return settings

    def _settings(self) -> Settings:
        saved = self._json("settings", {})
        if not isinstance(saved, dict):
            self._say_dropped("list of settings")
            return Settings()
        default = Settings()
        values: dict[str, Any] = {}
        for field in fields(Settings):
            value, like = saved.get(field.name), getattr(default, field.name)
            if field.name not in saved or field.name == "reading":  # kept for each model
                continue
            if field.name in _MADE:
                try:
                    values[field.name] = _MADE[field.name](value)
                except Problem:
                    self._say_dropped(_SAID[field.name])
            elif _sensible(field.name, value, like):
                values[field.name] = value
            else:
                self._say_dropped(field.name.replace("_", " "))
        return Settings(**values)

    def _say_dropped(self, what: str) -> None:
        cause = f"the {what} kept in {self.path} made no sense"
        self.said = self.said or (f"{cause} and is as at first", "choose it again")

    def save_settings(self, settings: Settings) -> None:
        """What changed since the last time, but ``reading``, which is kept for each model by :meth:`keep_reading`."""
        wanted = _fields(settings)
        changed = {name: value for name, value in wanted.items() if self._former.get(name) != value}
        if changed:
            self._update("settings", {}, lambda saved: (saved if isinstance(saved, dict) else {}) | changed)
        self._former = wanted

    def reading(self, spec: str) -> Reading:
        """How texts were last read with the model ``spec``; else as its tokenizer does it."""
        return self._readings().get(spec, Reading())

    def keep_reading(self, spec: str, reading: Reading) -> None:
        """Remember it as the newest of at most ``READINGS``; what is the default need not be remembered."""
        self._update("readings", [], lambda saved: _with_reading(saved, spec, reading))

    def _readings(self) -> dict[str, Reading]:
        return _known_readings(self._json("readings", []))

    def text(self, key: str, default: str) -> str:
        value = self._ini.value(key, default)
        return value if isinstance(value, str) else default

    def set_text(self, key: str, value: str) -> None:
        if self._ini.value(key) != value:
            self._ini.setValue(key, value)

    def flag(self, key: str) -> bool:
        return self.text(key, "") == "yes"

    def set_flag(self, key: str, value: bool) -> None:
        self.set_text(key, "yes" if value else "no")

    def recent(self, key: str) -> list[str]:
        """The newest first, those of other windows too."""
        self._ini.sync()
        return _entries(self._json(key, []))

    def add_recent(self, key: str, entry: str) -> None:
        self._update(key, [], lambda saved: [entry, *(known for known in _entries(saved) if known != entry)][:RECENT])

    def remove_recent(self, key: str, entry: str) -> None:
        self._update(key, [], lambda saved: [known for known in _entries(saved) if known != entry])

    def restore(self, key: str, apply: Callable[[QByteArray], bool]) -> bool:
        """Give a saved layout to ``apply``; False where there is none or it does not fit any more."""
        value = self._ini.value(key)
        return isinstance(value, QByteArray) and apply(value)

    def keep(self, key: str, value: QByteArray) -> None:
        if self._ini.value(key) != value:
            self._ini.setValue(key, value)

    def flush(self) -> None:
        """Write the file now. Raises Problem where that fails."""
        self._ini.sync()
        if self._ini.status() == QSettings.Status.AccessError:
            raise Problem(f"settings cannot be saved to {self.path}", "check the rights of that folder")

    def _update(self, key: str, default: Any, change: Callable[[Any], Any]) -> None:
        """Read, change and write one value while no other window does."""
        with _alone(self.path):
            self._ini.sync()
            self._ini.setValue(key, json.dumps(change(self._json(key, default))))
            self._ini.sync()

    def _json(self, key: str, default: Any) -> Any:
        try:
            return json.loads(self.text(key, json.dumps(default)))
        except (ValueError, RecursionError):
            self._say_dropped(key.replace("_", " "))
            return default


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Where nothing can be locked (a folder that is read-only) nothing is written either."""
    lock = FileLock(path.with_name(f".{path.name}.merge"), timeout=5)  # Qt itself uses the name with .lock
    try:
        lock.acquire()
    except (Timeout, OSError, NotImplementedError):
        yield  # after five seconds a window that hangs with the lock is not waited for
        return
    try:
        yield
    finally:
        lock.release()


def _is_text(path: Path) -> bool:
    try:
        path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return True
    except UnicodeDecodeError:
        return False
    except OSError:
        return True  # Qt tells that it cannot be read
    return True


def _fields(settings: Settings) -> dict[str, Any]:
    values = {name: value for name, value in asdict(settings).items() if name != "reading"}
    return values | {
        "decoding": settings.decoding.as_json,
        "rows": rows.as_json(settings.rows),
        "presets": layouts.presets_as_json(settings.presets),
        "watch": watch.as_json(settings.watch),
        "rank_bounds": list(settings.rank_bounds),
    }


def _entries(saved: Any) -> list[str]:
    return [entry for entry in saved if isinstance(entry, str)][:RECENT] if isinstance(saved, list) else []


def _known_readings(saved: Any) -> dict[str, Reading]:
    entries = [entry for entry in saved if isinstance(entry, dict)] if isinstance(saved, list) else []
    return {model: _reading(entry) for entry in entries if isinstance(model := entry.get("model"), str)}


def _with_reading(saved: Any, spec: str, reading: Reading) -> list[dict[str, Any]]:
    others = [(known, kept) for known, kept in _known_readings(saved).items() if known != spec]
    entries = ([(spec, reading)] if reading != Reading() else []) + others
    return [{"model": known, **asdict(kept)} for known, kept in entries[:READINGS]]


def _sensible(name: str, value: object, like: object) -> bool:
    """Whether a saved value has the type of the default ``like`` and is one of those that the window offers."""
    if type(value) is not type(like) and not (isinstance(like, float) and type(value) is int):
        return False
    if name in _WORDS:
        return value in _WORDS[name]
    low, high = _RANGES.get(name, (0, 0))
    return name not in _RANGES or (isinstance(value, int | float) and low <= value <= high)


def _reading(value: dict[str, Any]) -> Reading:
    default: FirstToken = "auto"
    said = value.get("first_token", value.get("first_piece"))  # its name until 0.1
    first = next((rule for rule in get_args(FirstToken) if rule == said), default)
    context, stride = (n if type(n := value.get(name)) is int and n > 0 else None for name in ("context", "stride"))
    return Reading(first, value.get("special") is True, value.get("window_lead") is True, context, stride)
