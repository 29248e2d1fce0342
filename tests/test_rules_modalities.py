"""Rule 2: who knows what a token stands for. The rest addresses documents by token and asks the protocols."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import arplay

PACKAGE = Path(arplay.__file__).parent
ROOMS = ("core/modalities/", "gui/canvases/", "gui/kinds.py", "models/", "training/")
PROTOCOLS = {"__init__", "base", "form", "forms", "lengthy", "loss", "places"}
KINDS = {
    f"arplay.core.modalities.{path.stem}"
    for path in (PACKAGE / "core/modalities").glob("*.py")
    if path.stem not in PROTOCOLS
}


def knows(source: str) -> bool:
    """Whether a module imports a modality, not only the protocols, losses and places that all of them have."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        else:
            continue
        if names & KINDS:
            return True
    return False


def test_no_more_modules_know_what_a_token_stands_for() -> None:
    files = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    outside = {name: path.read_text("utf-8") for name, path in files.items() if not name.startswith(ROOMS)}
    assert len(outside) > 150
    assert {name for name, source in outside.items() if knows(source)} == set()


@pytest.mark.parametrize(
    "source",
    [
        "from arplay.core.modalities.text import Text",
        "from arplay.core.modalities import base, image",
        "def f():\n    import arplay.core.modalities.spans",
        "from arplay.core.modalities.chats import chat",
    ],
)
def test_a_module_that_knows_is_found(source: str) -> None:
    assert knows(source)
    assert not knows("from arplay.core.modalities.base import Document\nfrom arplay.core.modalities import loss")
