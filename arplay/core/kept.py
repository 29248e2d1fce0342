"""A session as lines of JSON, one fact a line: text and ids, history, undo, seed and caret.

:mod:`arplay.core.kept_reading` makes the same session of them again.

What the user does is appended, so that keeping it costs what changed. The lines of a whole session (:func:`whole`) take
the place of all that came before; they leave out what is too much, the oldest branches first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from arplay.core.modalities.runs import Edit, Run, Runs, Typed, size
from arplay.core.modalities.text import Text, text_of
from arplay.core.tree import Node, Plan, Step, Tree

VERSION = 1
MOST_NODES = 10_000
MOST_BYTES = 32 * 1024 * 1024
"""Of the texts that the kept history holds."""
MOST_MOVES = 10_000
BEGINNING = 60
"""Characters of a text by which it can be told from others."""


@dataclass
class Moves:
    """What can be undone: from which node to which, and in which words. ``index`` of them are done."""

    made: list[tuple[int, int, str | None]] = field(default_factory=list)
    index: int = 0

    def push(self, origin: int, target: int, words: str | None) -> None:
        del self.made[self.index :]
        self.made.append((origin, target, words))
        del self.made[:-MOST_MOVES]
        self.index = len(self.made)

    @property
    def undone(self) -> int:
        """How many of the last ones are undone."""
        return len(self.made) - self.index

    def among(self, numbers: set[int]) -> Moves:
        """Those that can still be gone: from the last one that leads to or from a node not among ``numbers``."""
        first = max((i + 1 for i, move in enumerate(self.made) if not numbers.issuperset(move[:2])), default=0)
        return Moves(self.made[first:], max(self.index - first, 0)) if first <= self.index else Moves()


@dataclass
class Session:
    """One window's text and how it came to be."""

    tree: Tree
    moves: Moves = field(default_factory=Moves)
    caret: int = 0
    seed: int = 0
    model: str | None = None
    long: str | None = None
    """The name of the long text that is shown beside its beginning."""


@dataclass(slots=True)
class Put:
    """An edit as it is kept: ``runs`` at byte ``at``, with the count of the bytes that gave way instead of them."""

    at: int
    cut: int
    runs: Runs


@dataclass(frozen=True)
class About:
    """What the first line tells: whether the window ended in order, whether anything was written in it (not only
    opened), and how its text began when the line was made."""

    closed: bool
    written: bool
    begins: str


def grown(node: Node) -> str:
    """A new node, on which the tree now stands."""
    return _line(_plan_out(plan_of(node)))


def merged(edit: Edit, caret: int) -> str:
    """Typing or deleting that became part of the node on which the tree stands."""
    return _line({"at": edit.at, "cut": size(edit.removed), "put": _runs_out(edit.inserted), "caret": caret})


def moved(origin: Node, target: Node, words: str | None) -> str:
    return _line({"move": [origin.serial, target.serial, words]})


def undone(count: int, node: Node) -> str:
    """So many of the last moves are undone now, which led to ``node``."""
    return _line({"undone": count, "to": node.serial})


def state(**values: object) -> str:
    """Whichever of ``caret``, ``seed``, ``model``, ``long`` changed."""
    return _line({"set": values})


@dataclass(frozen=True)
class Snapshot:
    """A whole session in values that no longer change, so that another thread can make its lines.

    The text at ``root`` comes from ``base`` by ``edits``. ``left_out``: how many states there was no room for.
    """

    document: Text
    base: Text
    edits: tuple[Edit, ...]
    root: Plan
    plans: tuple[Plan, ...]
    node: int
    moves: Moves
    values: dict[str, object]
    left_out: int

    def lines(self, closed: bool = False) -> Iterator[str]:
        start = self.base
        for edit in self.edits:
            start = start.apply(edit)
        root = self.root
        written = any(plan.kind != "opened" for plan in self.plans)
        begins = self.document.data[: BEGINNING * 4].decode("utf-8", "replace")[:BEGINNING]
        yield _line({"arplay": "session", "version": VERSION, "closed": closed, "written": written, "begins": begins})
        yield _line({"root": _runs_out(start.runs), "number": root.serial, "caret": root.caret, "name": root.name})
        for plan in self.plans:
            yield _line(_plan_out(plan))
        for move in self.moves.made:
            yield _line({"move": list(move)})
        yield _line({"undone": self.moves.undone, "to": self.node})
        yield state(**self.values)


def snapshot(session: Session) -> Snapshot:
    """The newest of the way to the current state, then whole branches, the newest first, while there is room."""
    tree = session.tree
    path = tree.path()
    first, room = len(path) - 1, MOST_BYTES - len(tree.document)
    while first and len(path) - first < MOST_NODES and room >= _weight(path[first]):
        room -= _weight(path[first])
        first -= 1
    kept = {node.serial for node in path[first:]}
    for branch in _branches(path[first:]):
        weight = sum(map(_weight, branch))
        if len(kept) + len(branch) <= MOST_NODES and weight <= room:
            kept |= {node.serial for node in branch}
            room -= weight
    from_start = first <= len(path) - first  # the text at the new root: by the shorter way
    way = (node.edit for node in path[1 : first + 1])
    back = (node.edit.inverse for node in reversed(path[first + 1 :]))
    inside = kept - {path[first].serial}
    root = replace(plan_of(path[first]), name=path[first].opened_from)
    return Snapshot(
        document=text_of(tree.document),
        base=text_of(tree.start if from_start else tree.document),
        edits=tuple(cast(Edit, edit) for edit in (way if from_start else back)),
        root=root,
        plans=tuple(plan_of(node) for node in tree.nodes.values() if node.serial in inside),
        node=tree.node.serial,
        moves=session.moves.among(kept),
        values={"caret": session.caret, "seed": session.seed, "model": session.model, "long": session.long},
        left_out=tree.count - len(kept),
    )


def plan_of(node: Node) -> Plan:
    parent = node.parent.serial if node.parent is not None else -1
    edit = node.edit
    assert isinstance(edit, Edit), "of a text"
    put = Put(edit.at, size(edit.removed), edit.inserted)
    return Plan(node.serial, parent, node.kind, put, node.caret, node.step, node.name)


def _branches(path: list[Node]) -> list[list[Node]]:
    """The branches that leave ``path``, each with all its nodes; the one that has the newest node first."""
    on_path = {node.serial for node in path}
    branches = []
    for node in path:
        for head in node.children:
            if head.serial not in on_path:
                branch = [head]
                for one in branch:
                    branch += one.children
                branches.append(branch)
    return sorted(branches, key=lambda branch: max(node.serial for node in branch), reverse=True)


def _weight(node: Node) -> int:
    assert isinstance(node.edit, Edit), "of a text"
    return size(node.edit.inserted)


def _plan_out(plan: Plan) -> dict[str, Any]:
    put: Put = plan.edit
    fact: dict[str, Any] = {"node": plan.serial, "parent": plan.parent, "kind": plan.kind, "at": put.at}
    fact |= {"cut": put.cut, "put": _runs_out(put.runs), "caret": plan.caret}
    if plan.step is not None:
        fact["step"] = _step_out(plan.step)
    if plan.name is not None:
        fact["name"] = plan.name
    return fact


_FIGURES = ("logprob", "prob", "decoded_prob")


def _step_out(step: Step) -> list[Any]:
    figures = [_figure_out(getattr(step, name)) for name in _FIGURES]
    u = None if step.u is None else float(step.u)
    return [int(step.id), int(step.index), *figures, int(step.rank), u, None if step.seed is None else int(step.seed)]


def _figure_out(value: float) -> float | str:
    """JSON has no infinity."""
    return float(value) if math.isfinite(value) else str(float(value))


def _runs_out(runs: Runs) -> list[Any]:
    return [_run_out(run) for run in runs]


def _run_out(run: Run) -> Any:
    if isinstance(run, Typed):
        return _text_out(run.data)
    return {"vocabulary": run.vocabulary, "ids": list(run.ids), "pieces": [_text_out(piece) for piece in run.pieces]}


def _text_out(data: bytes) -> str:
    """Bytes that are no UTF-8 become lone surrogates, which JSON escapes."""
    return data.decode("utf-8", "surrogateescape")


def _line(fact: dict[str, Any]) -> str:
    return json.dumps(fact, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
