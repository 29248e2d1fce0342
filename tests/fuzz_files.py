"""The readers of files that are no models, each given a folder with one damaged file in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from arplay.commands.sample import Trace
from arplay.gui.playground import recovery
from arplay.models.families.table.model import Table
from arplay.textfile import read_text
from arplay.training.corpus import read_recipe
from arplay.training.run_folder import RunFolder
from arplay.training.written import Prompts
from tests.fuzz_bases import new_run


def table(folder: Path) -> None:
    model = Table.load(folder / "table.json")
    session = model.session()
    session.extend(list(range(min(3, len(model.alphabet.vocabulary)))))
    session.logits()


def run(folder: Path) -> None:
    """What the window of training does with a folder."""
    opened = RunFolder(_placed(folder))
    plan = opened.plan()
    plan.snapshots()
    opened.problem()
    opened.reports()
    opened.done()
    opened.cut_back(1)


def checkpoint(folder: Path) -> None:
    """Go on from a checkpoint: a step more."""
    run = new_run()
    run.resume(folder / "state.safetensors")
    run.advance()


def _placed(folder: Path) -> Path:
    inside = folder / "training"
    inside.mkdir()
    for name in ("plan.json", "log.jsonl", "problem.json"):
        if (folder / name).exists():
            shutil.copy(folder / name, inside / name)
    return folder


def text(folder: Path) -> None:
    read_text(folder / "text.txt")


READERS: dict[str, Callable[[Path], object]] = {
    "recipe": lambda folder: read_recipe(folder / "recipe.toml"),
    "prompts": lambda folder: Prompts.read(folder / "prompts.toml"),
    "trace": lambda folder: Trace.read(folder / "trace.json"),
    "session": lambda folder: recovery.read(folder / "session.jsonl"),
    "table": table,
    "run": run,
    "checkpoint": checkpoint,
    "text": text,
}
