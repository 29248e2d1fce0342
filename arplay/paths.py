"""The one place that knows where assets, caches and settings are."""

from __future__ import annotations

from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


def assets() -> Path:
    """What the program ships: inside the installed wheel, else beside the package in a checkout."""
    shipped = _PACKAGE / "assets"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "assets"


def cache() -> Path:
    """Where fetched models and corpora are kept (not created here)."""
    return Path(platformdirs.user_cache_dir("arplay", appauthor=False))


def models() -> Path:
    return cache() / "models"


def settings() -> Path:
    """The file of the window's settings."""
    return Path(platformdirs.user_config_dir("arplay", appauthor=False)) / "arplay.ini"


def sessions() -> Path:
    """Where each window keeps its text and history (not created here)."""
    return Path(platformdirs.user_state_dir("arplay", appauthor=False)) / "sessions"


def trained() -> Path:
    """Where models that the user trains are put, a folder each (not created here)."""
    return Path(platformdirs.user_data_dir("arplay", appauthor=False)) / "trained"
