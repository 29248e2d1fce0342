"""Shared by all tests: no screen, folders of their own instead of the user's, and the strictness of the house."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from arplay import paths

pytest_plugins = [
    "pytester",
    "tests.strictness",
    "tests.fixtures_smollm2",
    "tests.tiny_models",
    "tests.windows_open",
    "tests.training_open",
]

collect_ignore = ["benchmarks"]  # they measure as they are imported

# Times are measured in benchmarks, never asserted in tests; each run tries other examples, so few of them do.
settings.register_profile("house", deadline=None, max_examples=40)
settings.load_profile("house")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # there are more processes than cores, for threads to spin
os.environ.setdefault("ARPLAY_TEST_CACHE", str(paths.cache() / "tests"))  # where it really is: fetched once

_HOME = Path(tempfile.mkdtemp(prefix="arplay-tests-"))
_PIP = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pip"
for _kind in ("CONFIG", "CACHE", "STATE", "DATA"):
    (_HOME / _kind.lower()).mkdir()
    os.environ[f"XDG_{_kind}_HOME"] = str(_HOME / _kind.lower())
if sys.platform == "win32":
    for _name in ("WIN_PD_OVERRIDE_LOCAL_APPDATA", "WIN_PD_OVERRIDE_APPDATA"):
        os.environ[_name] = str(_HOME / "config")
elif _PIP.is_dir():
    (_HOME / "config" / "pip").symlink_to(_PIP)  # what pip downloads comes from the user's own index


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: a test waits for timers and child processes a quarter of its time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """What was imported lives as long as the process: it is left out of all that is collected from now on."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _folders() -> Iterator[None]:
    """The folders above, for as long as the tests run."""
    yield
    shutil.rmtree(_HOME, ignore_errors=True)
