"""Models that a person wrote into a JSON file: a table of conditionals, or a joint distribution of small pictures."""

from __future__ import annotations

from pathlib import Path

from arplay.models.joint import Joint
from arplay.models.tabular import MAX_BYTES, Table
from arplay.textfile import read_json


def load(path: Path) -> Table | Joint:
    """Read and check one. Raises Problem that names what is wrong."""
    try:
        content = read_json(path, MAX_BYTES)
    except (OSError, ValueError):
        return Table.load(path)  # which tells what is wrong with it
    return Joint.load(path) if isinstance(content, dict) and "patterns" in content else Table.load(path)
