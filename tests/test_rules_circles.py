"""Which module may know which: no circle of imports, and no arrow from a room to one that stands on it.

Imports for types alone count, and so do those inside functions.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import pytest

import arplay

ORDER: tuple[tuple[str, ...], ...] = (
    ("core", "version"),
    ("schema", "textfile", "paths"),
    ("models",),
    ("export",),
    ("training",),
    ("engine",),
    ("export.charts",),  # a chart is of what the engine answers
    (
        *("export.trees", "export.bets", "export.tried", "export.candidates", "export.causality"),
        *("export.conventions", "export.divergence", "export.orders", "export.parts", "export.segmentations"),
        *("export.tokenizers",),
    ),
    ("export.perplexity", "export.comparing"),
    ("export.masks",),
    ("results", "samples", "continued", "labs", "measures", "api", "comparisons"),
    ("serving",),
    ("", "training.table"),  # the package itself tells of the interface; the table of shipped models is made with it
    ("gui",),
    ("commands",),
    ("cli", "__main__"),
)
"""The rooms from the ground up. One that is named more closely than its own stands where that name does."""

Graph = dict[str, set[str]]


def graph(sources: Mapping[str, str]) -> Graph:
    """Who imports whom, of modules by their names inside the package; "" is the package itself."""
    names = {f"arplay.{name}".rstrip("."): name for name in sources}
    return {
        name: {names[full] for full in _imported(source, names) if full in names} - {name}
        for name, source in sources.items()
    }


def _imported(source: str, known: Container[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None, "imports are absolute"
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield module if module in known else node.module


def circles(arrows: Graph) -> set[frozenset[str]]:
    """Each greatest set of modules of which every one leads to every other (Tarjan's strongly connected components)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: set[frozenset[str]] = set()

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in arrows[module]:
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            at = stack.index(module)
            if len(stack) - at > 1:
                found.add(frozenset(stack[at:]))
            del stack[at:]

    for module in arrows:
        if module not in number:
            visit(module)
    return found


def level(module: str) -> int:
    """How high its room stands."""
    levels = {room: height for height, rooms in enumerate(ORDER) for room in rooms}
    while module not in levels:
        module, _, last = module.rpartition(".")
        assert module, f"the room of {last} stands nowhere in ORDER"
    return levels[module]


def upward(arrows: Graph) -> set[tuple[str, str]]:
    return {(one, other) for one, others in arrows.items() for other in others if level(one) < level(other)}


@pytest.fixture(scope="module")
def arrows() -> Graph:
    root = Path(arplay.__file__).parent
    sources = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        sources[".".join(part for part in parts if part != "__init__")] = path.read_text("utf-8")
    return graph(sources)


def test_no_circle(arrows: Graph) -> None:
    assert circles(arrows) == set()


def test_no_arrow_up(arrows: Graph) -> None:
    assert upward(arrows) == set()
    assert len({level(module) for module in arrows}) == len(ORDER), "a room of ORDER is not there any more"


def test_the_state_of_the_window_knows_no_widget(arrows: Graph) -> None:
    """It is told what happens and shows a View; who draws that stands outside, as does the window."""
    room = {module: others for module, others in arrows.items() if module.startswith("gui.playground.")}
    known = {other for others in room.values() for other in others if other.startswith("gui.")} - room.keys()
    assert known == {"gui.bridge", "gui.intents", "gui.kinds", "gui.peers", "gui.settings", "gui.view"}


def test_circles_and_arrows_up_are_found() -> None:
    sources = {
        "": "from arplay.version import __version__",
        "version": "__version__ = '1'",
        "core.a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from arplay.core.b import B",
        "core.b": "def later():\n    import arplay.core.c",
        "core.c": "from arplay.core import a",
        "models.d": "from arplay.core.a import A\nfrom arplay import __version__",
        "gui.e": "from arplay.models import d\nfrom arplay import version",
    }
    arrows = graph(sources)
    assert circles(arrows) == {frozenset({"core.a", "core.b", "core.c"})}
    assert arrows["gui.e"] == {"models.d", "version"} and arrows["models.d"] == {"core.a", ""}
    assert upward(arrows) == {("models.d", "")}
    assert not circles(graph(sources | {"core.c": ""}))
