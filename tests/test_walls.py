"""Rules 1 and 2: who may import what, by import-linter on the source and by blocked imports in a fresh process."""

from __future__ import annotations

import os
import pkgutil
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import arplay
from arplay.gui.panels import PANELS

REPOSITORY = Path(__file__).parent.parent
PACKAGE = Path(arplay.__file__).parent
HANG_GUARD = 120

QT = ("PySide6", "shiboken6", "qtawesome", "qtpy")
TORCH = ("torch", "transformers", "tokenizers", "safetensors")
LATER = (
    *(entry.panel.partition(":")[0] for entry in PANELS if entry.behind),
    *("arplay.gui.model_browser", "arplay.gui.text_set", "arplay.gui.training.window"),
    *("arplay.gui.canvases.picture.canvas", "arplay.gui.canvases.sound.canvas"),
)
"""What of the window is imported when somebody first looks at it."""

BLOCKER = """
import importlib, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if {{name, name.partition(".")[0]}} & {blocked!r}:
            raise RuntimeError(f"{{name}} was imported behind the wall")
sys.meta_path.insert(0, Wall())
"""

WINDOW = """
from pathlib import Path
from PySide6.QtWidgets import QApplication
app = QApplication([])
from arplay.gui.bridge import Bridge
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
bridge = Bridge()
try:
    window = MainWindow(Store(Path(sys.argv[1]) / "arplay.ini"), bridge)
    window.show()
    app.processEvents()
    assert window.isVisible()
    for name in sys.argv[2:]:
        importlib.import_module(name)
finally:
    assert bridge.close(30)
window.close()
"""


def contracts() -> list[str]:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the package below ``root`` against the contracts of this repository."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    command += ["--config", str(REPOSITORY / "pyproject.toml")]
    environment = os.environ | {"PYTHONPATH": str(root), "COLUMNS": "200"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=HANG_GUARD)


def behind_the_wall(blocked: Sequence[str], script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``script`` in a fresh process in which importing any of ``blocked`` raises."""
    command = [sys.executable, "-c", BLOCKER.format(blocked=set(blocked)) + script, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=HANG_GUARD)


def import_all(blocked: Sequence[str], names: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return behind_the_wall(blocked, "for name in sys.argv[1:]: importlib.import_module(name)", *names)


def modules(*rooms: str) -> list[str]:
    """The names of every module of these rooms, without importing one."""
    names = []
    for room in rooms:
        folder = PACKAGE / room
        if folder.is_dir():
            found = (module.name for module in pkgutil.walk_packages([str(folder)], f"arplay.{room}."))
            names += [f"arplay.{room}", *(name for name in found if not name.endswith("__main__"))]
        else:
            names.append(f"arplay.{room}")
    return names


def test_every_import_contract_is_kept() -> None:
    said = lint(REPOSITORY)
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_broken_contract_is_caught(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "arplay", ignore=shutil.ignore_patterns("__pycache__", "assets"))
    for module, line in (
        ("core/chain.py", "import torch"),
        ("models/families/looked_up.py", "from PySide6.QtCore import QObject"),
        ("commands/console.py", "import qtawesome"),
        ("gui/theme.py", "import torch"),
        ("engine/job.py", "import transformers"),
        ("export/tables.py", "import arplay.api"),
    ):
        with (tmp_path / "arplay" / module).open("a") as file:
            file.write(f"\n{line}\n")
    said = lint(tmp_path)
    assert said.returncode == 1, said.stdout + said.stderr
    for name in contracts():
        assert f"{name} BROKEN" in said.stdout, f"not caught: {name}\n{said.stdout}"


def test_core_works_without_torch_and_qt() -> None:
    names = modules("core")
    assert len(names) > 8
    said = import_all([*QT, *TORCH, "platformdirs"], names)
    assert said.returncode == 0, said.stderr


def test_models_and_engine_work_without_qt() -> None:
    rooms = ("models", "training", "engine", "export", "commands", "cli", "paths", "textfile")
    names = modules(*rooms, "api", "results", "samples")
    assert {"arplay.models.hf.causal_lm", "arplay.training.train", "arplay.engine.worker"} <= set(names)
    said = import_all(QT, names)
    assert said.returncode == 0, said.stderr


def test_what_the_window_and_the_command_line_pay_for_is_light() -> None:
    names = modules("models", "engine", "export", "commands", "cli", "api", "results", "samples")
    own: tuple[str, ...] = ("lstm.network", "pixelcnn.model", "pixelcnn.network", "pixelcnn.rows")
    own += ("wavenet.model", "wavenet.network")
    shared = (
        "arplay.models.hf.fast_",
        "arplay.models.hf.llama",
        "arplay.models.gradients",
        "arplay.models.saved_network",
    )
    with_a_network = (*shared, *(f"arplay.models.families.{n}" for n in own))
    light = [name for name in names if not name.startswith(with_a_network)]
    said = import_all(TORCH, light)
    assert said.returncode == 0, said.stderr


def test_the_wall_stops_an_import() -> None:
    for blocked, name in ((QT, "arplay.gui.theme"), (TORCH, "arplay.training.train")):
        said = import_all(blocked, [name])
        assert said.returncode != 0
        assert "was imported behind the wall" in said.stderr


def test_the_window_stands_without_torch_and_what_nobody_sees_yet(tmp_path: Path) -> None:
    said = behind_the_wall((*TORCH, *LATER), WINDOW, str(tmp_path))
    assert said.returncode == 0, said.stderr


def test_a_window_that_imports_torch_is_caught(tmp_path: Path) -> None:
    for name in ("arplay.training.train", "arplay.gui.panels.words"):
        said = behind_the_wall((*TORCH, *LATER), WINDOW, str(tmp_path), name)
        assert said.returncode != 0
        assert "was imported behind the wall" in said.stderr
