"""The menu of every stage there is: a menu of its own for each thing that they are good for."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu

from arplay.core.decoding.rows import Row
from arplay.core.decoding.stage import Stage
from arplay.core.decoding.stages import STAGES
from arplay.gui.widgets.caption import plain

GROUPS: dict[str, tuple[str, ...]] = {
    "Against &repetition": ("repetition", "presence", "frequency", "no-repeat", "dry"),
    "&Named tokens": ("bias", "ban", "min-length"),
    "&Constraints": ("regex", "json-schema", "choices", "begins"),
    "&Temperature": ("temperature", "dynamic-temperature"),
    "Tr&uncation": (
        "top-k",
        "top-p",
        "min-p",
        "typical",
        "epsilon",
        "eta",
        "top-h",
        "top-a",
        "top-n-sigma",
        "tail-free",
        "xtc",
        "mirostat",
    ),
    "&Second distribution": ("guidance", "contrastive"),
}
OTHER = "&Other"


def groups() -> dict[str, list[Stage]]:
    """Every stage of the table that has something to set, those that no group names under :data:`OTHER`."""
    named = {name for names in GROUPS.values() for name in names}
    found = {title: [STAGES[name] for name in names if name in STAGES] for title, names in GROUPS.items()}
    others = [stage for stage in STAGES.values() if stage.fields and stage.name not in named]
    return found | ({OTHER: others} if others else {})


def useful(name: str) -> Row:
    """A stage as it is added: with a value that does something."""
    stage = STAGES[name]
    return Row(name, stage.check(tuple(field.given for field in stage.fields)))


def fill(menu: QMenu) -> None:
    """Each entry has the name of its stage as its data."""
    menu.clear()
    for title, stages in groups().items():
        group = menu.addMenu(title)
        group.setToolTipsVisible(True)
        for stage in stages:
            action = group.addAction(stage.title)
            action.setToolTip(plain(stage.does))
            action.setData(stage.name)
