"""A session as lines of JSON, one fact a line: text and ids or picture, history, undo, seed and caret.

The first line is of the window; each document begins with a root, and the last one lies on the table.

:mod:`arplay.core.kept_reading` makes the same session of them again.

What the user does is appended, so that keeping it costs what changed. The lines of a whole session (:func:`whole`) take
the place of all that came before; they leave out what is too much, the oldest branches first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from arplay.core.modalities.base import Document, Edit
from arplay.core.modalities.forms import of_document, of_edit
from arplay.core.tree import TRIED, Mark, Node, Plan, Step, Tree

VERSION = 4
"""1 held one text, 2 no decoding, 3 nothing that was only tried."""
MOST_NODES = 10_000
MOST_BYTES = 32 * 1024 * 1024
"""Of what the kept history of a document holds."""
MOST_MOVES = 10_000


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
    """One window's document and how it came to be; those of other kinds are ``beside`` it."""

    tree: Tree
    moves: Moves = field(default_factory=Moves)
    caret: int = 0
    seed: int = 0
    model: str | None = None
    long: str | None = None
    """The name of the long text that is shown beside its beginning."""
    beside: tuple[Session, ...] = ()
    revision: str | None = None
    """That of the model."""
    decoding: str | None = None
    """The pipeline, as it is spelled."""
    reading: tuple[Any, ...] | None = None
    """The fields of a :class:`arplay.core.reading.Reading`."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever in it."""
        return self.tree.count == 1 and self.tree.document.is_blank


@dataclass(frozen=True)
class About:
    """What the first line tells: whether the window ended in order, whether anything was written in it (not only
    opened), and how its document began when the line was made."""

    closed: bool
    written: bool
    begins: str


def grown(node: Node) -> str:
    """A new node, on which the tree now stands where it was not only tried."""
    plan = plan_of(node)
    return _line(_plan_out(plan, of_edit(node.edit).put_out(plan.edit)))


def merged(edit: Edit, caret: int) -> str:
    """Typing or deleting that became part of the node on which the tree stands."""
    form = of_edit(edit)
    return _line({**form.put_out(form.put_of(edit)), "caret": caret})


def moved(origin: Node, target: Node, words: str | None) -> str:
    return _line({"move": [origin.serial, target.serial, words]})


def marked(serial: int, mark: Mark) -> str:
    """What the user thinks of a state now."""
    return _line({"mark": serial, "name": mark.name, "star": mark.star, "pruned": mark.pruned})


def undone(count: int, node: Node) -> str:
    """So many of the last moves are undone now, which led to ``node``."""
    return _line({"undone": count, "to": node.serial})


def state(**values: object) -> str:
    """Whichever of ``caret``, ``seed``, ``model``, ``revision``, ``decoding``, ``reading``, ``long`` changed."""
    return _line({"set": values})


@dataclass(frozen=True)
class Snapshot:
    """A whole session in values that no longer change, so that another thread can make its lines.

    The document at ``root`` comes from ``base`` by ``edits``. ``left_out``: how many states there was no room for.
    """

    document: Document
    base: Document
    edits: tuple[Edit, ...]
    root: Plan
    plans: tuple[Plan, ...]
    node: int
    marks: tuple[tuple[int, Mark], ...]
    moves: Moves
    values: dict[str, object]
    left_out: int
    beside: tuple[Snapshot, ...]

    def lines(self, closed: bool = False) -> Iterator[str]:
        parts = (*self.beside, self)
        written = any(plan.kind != "opened" for part in parts for plan in part.plans)
        begins = of_document(self.document).begins(self.document)
        yield _line({"arplay": "session", "version": VERSION, "closed": closed, "written": written, "begins": begins})
        for part in parts:
            yield from part._own_lines()

    def _own_lines(self) -> Iterator[str]:
        start = self.base
        for edit in self.edits:
            start = start.apply(edit)
        root, begun = self.root, of_document(start).start_out(start)
        yield _line({"root": begun, "number": root.serial, "caret": root.caret, "name": root.name})
        for plan in self.plans:
            yield _line(_plan_out(plan, of_document(start).put_out(plan.edit)))
        for number, mark in self.marks:
            yield marked(number, mark)
        for move in self.moves.made:
            yield _line({"move": list(move)})
        yield _line({"undone": self.moves.undone, "to": self.node})
        yield state(**self.values)


def snapshot(session: Session) -> Snapshot:
    """The newest of the way to the current state, then whole branches, the newest first, while there is room.

    Those that were only tried come last."""
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
    beside = tuple(map(snapshot, session.beside))
    root = replace(plan_of(path[first]), name=path[first].opened_from)
    return Snapshot(
        document=tree.document,
        base=tree.start if from_start else tree.document,
        edits=tuple(way if from_start else back),
        root=root,
        plans=tuple(plan_of(node) for node in tree.nodes.values() if node.serial in inside),
        node=tree.node.serial,
        marks=tuple((number, mark) for number, mark in tree.marks.items() if number in kept),
        moves=session.moves.among(kept),
        values={
            "caret": session.caret,
            "seed": session.seed,
            "model": session.model,
            "long": session.long,
            "revision": session.revision,
            "decoding": session.decoding,
            "reading": session.reading,
        },
        left_out=tree.count - len(kept) + sum(one.left_out for one in beside),
        beside=beside,
    )


def plan_of(node: Node) -> Plan:
    parent = node.parent.serial if node.parent is not None else -1
    put = of_edit(node.edit).put_of(node.edit)
    return Plan(node.serial, parent, node.kind, put, node.caret, node.step, node.name)


def _branches(path: list[Node]) -> list[list[Node]]:
    """The branches that leave ``path``, each with all its nodes; the one that has the newest node first.

    Those that were only tried come last.
    """
    on_path = {node.serial for node in path}
    branches = []
    for node in path:
        for head in node.children:
            if head.serial not in on_path:
                branch = [head]
                for one in branch:
                    branch += one.children
                branches.append(branch)

    def order(branch: list[Node]) -> tuple[bool, int]:
        return any(node.kind not in TRIED for node in branch), max(node.serial for node in branch)

    return sorted(branches, key=order, reverse=True)


def _weight(node: Node) -> int:
    return of_edit(node.edit).weight(node.edit)


def _plan_out(plan: Plan, put: Mapping[str, Any]) -> dict[str, Any]:
    fact: dict[str, Any] = {"node": plan.serial, "parent": plan.parent, "kind": plan.kind}
    fact |= {**put, "caret": plan.caret}
    if plan.step is not None:
        fact["step"] = _step_out(plan.step)
    if plan.name is not None:
        fact["name"] = plan.name
    return fact


_FIGURES = ("logprob", "prob", "decoded_prob")


def _step_out(step: Step) -> list[Any]:
    figures = [_figure_out(getattr(step, name)) for name in _FIGURES]
    u = None if step.u is None else float(step.u)
    seed = None if step.seed is None else int(step.seed)
    more = [step.by, step.met, step.cut]
    while more and not more[-1]:
        more.pop()
    return [int(step.id), int(step.index), *figures, int(step.rank), u, seed, *more]


def _figure_out(value: float) -> float | str:
    """JSON has no infinity."""
    return float(value) if math.isfinite(value) else str(float(value))


def _line(fact: dict[str, Any]) -> str:
    return json.dumps(fact, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
