"""The check of the newest libraries: what is newer is told and tried, within a time, and nothing is decided by it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
HANG_GUARD = 120

PYTHON = """#!/bin/sh
[ "$1 $2 $3" = "-m pip install" ] && {{ [ "$5" = --no-deps ] && echo "$@" >>installed.txt; exit {pip}; }}
exec {python} "$@"
"""
"""The python of the tested environment, which has its own answer for pip alone."""

FIRST = "def test_hub() -> None: pass\n"
LATE = "import time\ndef test_hub() -> None: time.time = lambda: 4e9\n"
OTHERS = "def test_one() -> None: pass\ndef test_two() -> None: assert 1 == 2\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with two files of tests, for whose environment pip plans the versions that .ci/tested.txt has."""
    shutil.copytree(REPOSITORY / ".ci", tmp_path / ".ci", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("tests", "arplay", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    options = "-p no:cacheprovider -n 1 --dist loadfile --no-loadscope-reorder"
    (tmp_path / "pytest.ini").write_text(f"[pytest]\naddopts = {options}\n")
    (tmp_path / "tests" / "test_hub.py").write_text(FIRST)
    (tmp_path / "tests" / "test_a.py").write_text(OTHERS)
    plan(tmp_path)
    return tmp_path


def plan(repository: Path, pip: int = 0, **newer: str) -> None:
    """Let pip plan what was tested but for ``newer``, and end with this status."""
    lines = (repository / ".ci" / "tested.txt").read_text("utf-8").splitlines()
    versions = dict(line.split("==") for line in lines if not line.startswith("#")) | newer
    items = [{"metadata": {"name": name, "version": version}} for name, version in versions.items()]
    answer = repository / "plan.json"
    answer.write_text(json.dumps({"install": [*items, {"metadata": {"name": "setuptools", "version": "99"}}]}))
    script = PYTHON.format(python=sys.executable, pip=pip)
    copied = f'[ "$5" = --dry-run ] && cp {answer} "$8"\n'
    python = repository / ".venv" / "bin" / "python"
    python.write_text(script.replace("#!/bin/sh\n", "#!/bin/sh\n" + copied))
    python.chmod(0o755)


def newest(repository: Path, *seconds: int) -> list[str]:
    """The lines that it prints."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHONPATH"))}
    command = [repository / ".ci" / "newest", *map(str, seconds)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=HANG_GUARD)
    assert said.returncode == 0, "it decides nothing"
    assert said.stderr == ""
    return said.stdout.splitlines()


def test_it_is_the_last_thing_that_ci_runs_and_knows_how_long_that_took() -> None:
    last = (REPOSITORY / ".ci" / "run").read_text("utf-8").rstrip().splitlines()[-1]
    assert last.startswith(".ci/newest $((SECONDS < 600 ? 720 - SECONDS : SECONDS < 960 ? 120 : 1080 - SECONDS))")


def test_nothing_is_run_where_nothing_is_newer(repository: Path) -> None:
    assert newest(repository) == ["newest: there is nothing newer than what was tested"]
    assert not (repository / ".venv-newest").exists()


def test_what_is_newer_is_installed_and_all_tests_run(repository: Path) -> None:
    plan(repository, numpy="99.1")
    said = newest(repository, 600)
    assert said[0] == "newest: not as tested: numpy==99.1"
    assert said[1].startswith("FAILED tests/test_a.py::test_two")
    assert said[2].startswith("newest: 1 failed, 2 passed in ")
    assert said[2].endswith("; 3 of 3 tests began (exit status 1)") and len(said) == 3
    assert (repository / "installed.txt").read_text() == "-m pip install -q --no-deps numpy==99.1\n"
    (repository / "tests" / "test_a.py").write_text(OTHERS.replace("1 == 2", "True"))
    assert newest(repository, 600)[-1].endswith("3 of 3 tests began (exit status 0)")


def test_where_the_time_is_over_no_test_begins_and_it_says_how_many_did_not(repository: Path) -> None:
    plan(repository, numpy="99.1")
    (repository / "tests" / "test_hub.py").write_text(LATE)
    said = newest(repository, 600)
    assert len(said) == 2 and said[1].startswith("newest: 1 passed in "), said
    assert "; 1 of 3 tests began, 2 did not: the time was over" in said[1]
    assert newest(repository, 0)[1:] == ["newest: 0 tests began: no time was left for them"]


def test_versions_that_cannot_be_had_are_told(repository: Path) -> None:
    plan(repository, pip=1)
    assert newest(repository)[-1] == "newest: pip finds no plan for the newest of everything"
    (repository / ".venv" / "bin" / "python").unlink()
    assert newest(repository) == ["newest: nothing to start from: the README's test command makes .venv"]


def test_the_files_whose_libraries_change_most_are_there() -> None:
    script = (REPOSITORY / ".ci" / "newest").read_text("utf-8")
    names = script.partition('first="')[2].partition('"')[0].split()
    assert len(names) > 10
    assert [name for name in names if not [*(REPOSITORY / "tests").glob(f"test_{name}*.py")]] == []
