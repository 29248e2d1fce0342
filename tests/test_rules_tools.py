"""The tools of the house, run by a plain pytest: ruff reads and formats everything, mypy types the program."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import mypy
import pytest

REPOSITORY = Path(__file__).parent.parent
HANG_GUARD = 600

pytestmark = pytest.mark.slow


def tool(*command: str | Path, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", *command]
    return subprocess.run(run, cwd=cwd, capture_output=True, text=True, timeout=HANG_GUARD)


def test_ruff_finds_nothing() -> None:
    said = tool("ruff", "check", "--no-cache", "arplay", "tests")
    assert said.returncode == 0, said.stdout


def test_the_source_is_formatted() -> None:
    said = tool("ruff", "format", "--check", "--no-cache", "arplay", "tests")
    assert said.returncode == 0, said.stdout


def test_mypy_finds_nothing() -> None:
    said = tool("mypy", "--platform", "linux")
    assert said.returncode == 0, said.stdout + said.stderr


WINDOWS = """
[tool.mypy]
python_version = "3.11"
follow_imports = "skip"

[[tool.mypy.overrides]]
module = ["PySide6.*", "shiboken6.*"]
follow_imports_for_stubs = true

[[tool.mypy.overrides]]
module = ["miniaudio"]
ignore_missing_imports = true

[[tool.mypy.overrides]]
# numpy's types have names of their own in many a module, and panels have what their base class has
module = ["numpy.*", "arplay.gui.contract", "arplay.gui.panels.filled"]
follow_imports = "normal"

[[tool.mypy.overrides]]
module = ["psutil.*", "pandas.*"]
ignore_missing_imports = true
"""
"""Types are the same on every platform and checked above: here Python's own modules are read, and what uses them."""


def differing() -> set[str]:
    """The modules of Python that are not the same on every platform, by what mypy knows of them."""
    known = Path(mypy.__file__).parent / "typeshed" / "stdlib"
    files = [file for file in known.rglob("*.pyi") if "sys.platform" in file.read_text("utf-8")]
    return {
        file.relative_to(known).with_suffix("").as_posix().removesuffix("/__init__").replace("/", ".") for file in files
    }


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{name.name}" for name in node.names))


def windows(folder: Path, files: Iterable[Path]) -> subprocess.CompletedProcess[str]:
    """As on Windows, where mypy knows what Python does not have there: fcntl, os.killpg, signal.SIGKILL, ...

    Of the files, those are checked that import a module of Python that is another there.
    """
    settings, different = folder / "windows.toml", differing()
    settings.write_text(WINDOWS)
    concerned = [file for file in files if different.intersection(imports(file))]
    command = ["--platform", "win32", "--config-file", settings, "--cache-dir", folder / "cache", *concerned]
    return tool("mypy", *command)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy learnt of Python on Windows, which each of its runs there needs."""
    return tmp_path_factory.mktemp("windows")


def test_mypy_finds_nothing_on_windows(learnt: Path) -> None:
    said = windows(learnt, (REPOSITORY / "arplay").rglob("*.py"))
    assert said.returncode == 0, said.stdout + said.stderr
    checked = re.search(r"no issues found in (\d+) source files", said.stdout)
    assert checked and int(checked[1]) > 100, said.stdout


def test_the_tools_see_what_is_wrong(tmp_path: Path, learnt: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import os\nfrom arplay.core.errors import Problem\ndef f(x): return Problem(1,  'b')\n")
    settings: list[str | Path] = ["--config", REPOSITORY / "pyproject.toml", "--no-cache", bad]
    assert "F401" in tool("ruff", "check", *settings).stdout
    assert tool("ruff", "format", "--check", *settings).returncode == 1
    posix = "import os, signal, sys\nif sys.platform != 'win32':\n    os.killpg(1, signal.SIGKILL)\n"
    guarded, open_to_all = tmp_path / "guarded.py", tmp_path / "open_to_all.py"
    guarded.write_text(posix)
    open_to_all.write_text(posix.replace("!=", "=="))
    lines = windows(learnt, [guarded, open_to_all]).stdout.splitlines()
    assert [line for line in lines if "open_to_all.py" in line and 'has no attribute "killpg"' in line], lines
    assert not [line for line in lines if "guarded.py" in line], lines
    said = tool("mypy", "--config-file", REPOSITORY / "pyproject.toml", bad).stdout
    assert "no-untyped-def" in said
    assert "arg-type" in said


def test_no_file_grows_past_what_can_be_read() -> None:
    files = [*(REPOSITORY / "arplay").rglob("*.py"), *(REPOSITORY / "tests").rglob("*.py")]
    lengths = {file.relative_to(REPOSITORY).as_posix(): len(file.read_text("utf-8").splitlines()) for file in files}
    assert len(lengths) > 60
    assert {file: length for file, length in lengths.items() if length > 500} == {}
