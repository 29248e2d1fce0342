"""What a user installs: the wheel carries everything it needs, and the README's two commands are the ones that run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parent.parent
HANG_GUARD = 300

COMMANDS = [
    "python3 -m venv .venv && .venv/bin/pip install -c .ci/tested.txt . && .venv/bin/arplay",
    "python3 -m venv .venv && .venv/bin/pip install -c .ci/tested.txt -e '.[test]' && .venv/bin/pytest",
]


def run(*command: str | Path, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=HANG_GUARD)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build: list[str | Path] = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    built = run(*build, cwd=REPOSITORY)
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel was installed into, over the same environment."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    done = run(*pip, "--target", folder, wheel, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_top_level_is_what_the_readme_says_and_no_file_strayed_into_it() -> None:
    tracked = run("git", "ls-files", cwd=REPOSITORY)
    if tracked.returncode:
        pytest.skip("not a checkout")
    names = {name.split("/")[0] for name in tracked.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} == {
        "LICENSE",
        "README.md",
        "arplay",
        "assets",
        "pyproject.toml",
        "tests",
    }


def test_the_wheel_holds_the_program_and_its_assets_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    assets = {path for path in (REPOSITORY / "assets").rglob("*") if path.is_file()}
    assert len(assets) >= 3
    for asset in assets:
        assert sizes[f"arplay/{asset.relative_to(REPOSITORY).as_posix()}"] == asset.stat().st_size
    modules = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "arplay").rglob("*.py")}
    assert modules | {"arplay/py.typed"} <= set(sizes)
    others = {
        name
        for name in sizes
        if not re.match(r"arplay/assets/|arplay/.*\.py$|arplay/py\.typed$|arplay-[\d.\w]+\.dist-info/", name)
    }
    assert others == set()
    assert not [name for name in sizes if "test" in name.lower()]


def test_the_metadata_tells_what_arplay_is(installed: Path) -> None:
    (folder,) = installed.glob("arplay-*.dist-info")
    distribution = Distribution.at(folder)
    told = distribution.metadata
    assert told["Name"] == "arplay"
    assert told["License-Expression"] == "MIT"
    assert told["Requires-Python"] == ">=3.11"
    assert told["Description-Content-Type"] == "text/markdown"
    _, _, description = (folder / "METADATA").read_text("utf-8").partition("\n\n")
    assert description.strip() == (REPOSITORY / "README.md").read_text("utf-8").strip()
    entries = {(entry.group, entry.name): entry.load for entry in distribution.entry_points}
    assert set(entries) == {("console_scripts", "arplay"), ("gui_scripts", "arplay-window")}
    assert all(callable(load()) for load in entries.values())


def test_arplay_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    text = tmp_path / "bac.txt"
    text.write_bytes(b"BAC")
    said = run(sys.executable, "-m", "arplay", "score", text, "--model", "abc", "--json", cwd=tmp_path, path=installed)
    assert said.returncode == 0, said.stderr
    scored = json.loads(said.stdout)
    assert scored["totals"]["nll_nats"] == pytest.approx(2.1203, abs=1e-4)
    assert [token["text"] for token in scored["tokens"]] == ["B", "A", "C"]
    assert Path(scored["model"]["source"]).is_relative_to(installed), "the table came from elsewhere"


def test_both_scripts_start(installed: Path, tmp_path: Path) -> None:
    for name in ("arplay", "arplay-window"):
        said = run(installed / "bin" / name, "--version", cwd=tmp_path, path=installed)
        assert (said.returncode, said.stdout.split()[0]) == (0, "arplay"), said.stderr


def test_assets_come_from_the_checkout_or_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    ask = [sys.executable, "-c", "import arplay.paths; print(arplay.paths.assets())"]
    assert run(*ask, cwd=tmp_path, path=installed).stdout.strip() == str(installed / "arplay" / "assets")
    assert run(*ask, cwd=tmp_path, path=REPOSITORY).stdout.strip() == str(REPOSITORY / "assets")


def test_the_pages_of_the_help_come_with_the_wheel(installed: Path, tmp_path: Path) -> None:
    ask = [sys.executable, "-c", "from arplay.gui.pages import pages\nfor title, file in pages(): print(file)"]
    files = [Path(line) for line in run(*ask, cwd=tmp_path, path=installed).stdout.splitlines()]
    assert len(files) > 5 and all(file.is_relative_to(installed) for file in files)


def commands(readme: str) -> list[str]:
    """The lines that make an environment: the commands for a fresh machine."""
    return [line.strip() for line in readme.splitlines() if re.match(r"\s*python3 -m venv\b", line)]


def extracted(folder: Path) -> str:
    """The command that .ci/run finds in the README of ``folder``."""
    script = (REPOSITORY / ".ci" / "run").read_text("utf-8")
    (line,) = [line for line in script.splitlines() if line.startswith("command=")]
    said = run("bash", "-euo", "pipefail", "-c", f'{line}\nprintf %s "$command"', cwd=folder)
    assert said.returncode == 0, said.stderr
    return said.stdout


def test_the_readme_has_exactly_the_two_commands() -> None:
    assert commands((REPOSITORY / "README.md").read_text("utf-8")) == COMMANDS


def pinned(text: str) -> dict[str, str]:
    """The versions of a constraints file, by canonical name."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def unpinned(requirements: list[str], versions: dict[str, str]) -> list[str]:
    """Requirements that no version of ``versions`` meets, or that have no upper bound."""

    def fine(needed: Requirement) -> bool:
        version = versions.get(canonicalize_name(needed.name))
        return (
            version is not None
            and version in needed.specifier
            and any(bound.operator == "<" for bound in needed.specifier)
        )

    return [text for text in requirements if not fine(Requirement(text))]


def test_what_was_tested_is_pinned_and_every_library_has_an_upper_bound() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    versions = pinned((REPOSITORY / ".ci" / "tested.txt").read_text("utf-8"))
    extras = project["optional-dependencies"]
    assert unpinned(project["dependencies"] + extras["gguf"], versions) == []
    assert {Requirement(tool).name.lower() for tool in extras["test"]} <= versions.keys()
    assert unpinned(["numpy>=2", "numpy<2", "absent<1"], versions) == ["numpy>=2", "numpy<2", "absent<1"]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert extracted(REPOSITORY) == COMMANDS[1]
    script = (REPOSITORY / ".ci" / "run").read_text("utf-8")
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)
    assert "[test]" not in script and "bin/pytest" not in script.replace("/pytest$", ""), "a second copy of the command"
    assert run("bash", "-n", REPOSITORY / ".ci" / "run", cwd=REPOSITORY).returncode == 0


def test_another_readme_means_another_command(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "# A\n```sh\npython3 -m venv x && x/bin/arplay\n  python3 -m venv y && y/bin/pytest\n```\n"
    )
    assert commands((tmp_path / "README.md").read_text()) != COMMANDS
    assert extracted(tmp_path) == "python3 -m venv y && y/bin/pytest"
    (tmp_path / "README.md").write_text("# A\nnothing to run\n")
    with pytest.raises(AssertionError):
        extracted(tmp_path)
