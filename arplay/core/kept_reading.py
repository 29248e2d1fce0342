"""A session from the lines of :mod:`arplay.core.kept`. They are input like any other: every field is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar, get_args

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.kept import VERSION, About, Moves, Session
from arplay.core.modalities.form import BEGINNING, MAX_ID, Form, whole, words
from arplay.core.modalities.forms import of_start
from arplay.core.picking import MAX_SEED
from arplay.core.reading import FirstToken
from arplay.core.tree import LONGEST_NAME, TRIED, Mark, Plan, Step, Tree

MOST_SPELLED = 1 << 16
MOST_WHY = 1000
"""Characters of a pipeline."""
_T = TypeVar("_T")


class NewerError(ValueError):
    """Written by a later version."""


class Reader:
    """Takes the lines of a session one after the other; nothing in them is trusted.

    ``feed`` raises ValueError for a line that makes no sense, which is then not taken, nor is what follows in the same
    document; NewerError for a later version. ``unfit``: why a document is not among those of ``session``.
    """

    def __init__(self) -> None:
        self._about: About | None = None
        self._parts: list[_Part] = []
        self._damaged = False
        self.unfit = ""

    def feed(self, line: bytes) -> None:
        if self._damaged and not line.startswith(b'{"root":'):
            return
        self._damaged = True
        self.add(_fact(line))
        self._damaged = False

    def add(self, fact: object) -> None:
        """One that was read from its line."""
        _checked(fact, self._take)

    def session(self) -> Session | None:
        """What the lines say, or None where they do not get as far as a document. ValueError where nothing fits."""
        fit: list[Session] = []
        for part in self._parts:
            try:
                fit.append(part.session())
            except ValueError as error:
                self.unfit = str(error)
        if self.unfit and not fit:
            raise ValueError(self.unfit)
        return replace(fit[-1], beside=tuple(fit[:-1])) if fit else None

    def _take(self, fact: dict[str, Any]) -> None:
        if self._about is None:
            self._about = _about_in(fact)
        elif "root" in fact:
            self._parts.append(_Part(fact))
        elif self._parts:
            self._parts[-1].take(fact)
        else:
            raise ValueError("there is no document yet")


class _Part:
    """One document with its history. ``fact``: its root."""

    def __init__(self, fact: dict[str, Any]) -> None:
        self._form: Form = of_start(fact["root"])
        self._start = self._form.start_in(fact["root"])
        number, caret = whole(fact["number"]), whole(fact["caret"], len(self._start))
        self._root = Plan(number, -1, "opened", None, caret, None, words(fact["name"], 255))
        self._plans: dict[int, Plan] = {}
        self._node = number
        self._moves = Moves()
        self._marks: dict[int, Mark] = {}
        self._values: dict[str, Any] = {"caret": caret, "seed": 0}

    def session(self) -> Session:
        """Raises ValueError where it does not fit."""
        tree = Tree.of(self._start, self._root, self._plans.values(), self._node, self._form.edit_in)
        for number, mark in self._marks.items():
            tree.mark(tree.nodes[number], mark)
        values = dict(self._values)
        values["caret"] = min(values["caret"], len(tree.document))
        if values.get("long") is not None and not self._form.long:
            raise ValueError("only a text is the beginning of a long one")
        return Session(tree, self._moves, **values)

    def take(self, fact: dict[str, Any]) -> None:
        if "node" in fact:
            plan = self._plan_in(fact)
            if not (plan.parent == self._root.serial or plan.parent in self._plans):
                raise ValueError("no such parent")
            if plan.serial <= self._root.serial or plan.serial <= next(reversed(self._plans), -1):
                raise ValueError("numbers rise")
            self._plans[plan.serial] = plan
            if plan.kind not in TRIED:  # there one stands only once it was gone to
                self._node, self._values["caret"] = plan.serial, plan.caret
        elif "move" in fact:
            origin, target, said = fact["move"]
            self._moves.push(self._known(origin), self._known(target), words(said, 100))
            self._node = target
        elif "undone" in fact:
            count = whole(fact["undone"])
            self._node = self._known(fact["to"])
            self._moves.index = max(len(self._moves.made) - count, 0)  # the first moves may have been left out
        elif "mark" in fact:
            star, pruned = fact["star"], fact["pruned"]
            if type(star) is not bool or type(pruned) is not bool:
                raise ValueError("a mark is there or not")
            name = words(fact["name"], LONGEST_NAME) or ""
            self._marks[self._known(fact["mark"])] = Mark(name, star, pruned)
        elif "set" in fact:
            self._set(fact["set"])
        else:
            self._merge(fact)

    def _plan_in(self, fact: dict[str, Any]) -> Plan:
        kind = next((one for one in self._form.kinds if one == fact["kind"]), None)
        if kind is None:
            raise ValueError("no such kind")
        return Plan(
            whole(fact["node"]),
            whole(fact["parent"]),
            kind,
            self._form.put_in(fact),
            whole(fact["caret"]),
            _step_in(fact["step"]) if "step" in fact else None,
            words(fact.get("name"), 255),
        )

    def _merge(self, fact: dict[str, Any]) -> None:
        last = self._plans[self._node]
        more, caret = self._form.put_in(fact), whole(fact["caret"])
        if last.kind != "typed":
            raise ValueError("only typing goes on")
        self._form.merge(last.edit, more)
        last.caret = self._values["caret"] = caret

    def _set(self, values: dict[str, Any]) -> None:
        checked: dict[str, Any] = {}
        for name, value in values.items():
            if name in ("caret", "seed"):
                checked[name] = whole(value, MAX_SEED) if name == "seed" else whole(value)
            elif name in ("model", "long", "revision"):
                checked[name] = words(value, 4096)
            elif name == "decoding":
                checked[name] = None if value is None else _spelled(value)
            elif name == "reading":
                checked[name] = None if value is None else _reading_in(value)
            else:
                raise ValueError(f"there is no {name!r}")
        self._values |= checked

    def _known(self, number: Any) -> int:
        if number != self._root.serial and number not in self._plans:
            raise ValueError("no such state")
        return whole(number)


def about(line: bytes) -> About:
    """What the first line of a session tells. Raises ValueError and NewerError as a :class:`Reader` does."""
    return _checked(_fact(line), _about_in)


def _fact(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _checked(fact: object, take: Callable[[dict[str, Any]], _T]) -> _T:
    try:
        if not isinstance(fact, dict):
            raise ValueError("a line is an object")
        return take(fact)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _about_in(fact: dict[str, Any]) -> About:
    if fact["arplay"] != "session":
        raise ValueError("this is no session")
    if whole(fact["version"]) > VERSION:
        raise NewerError(f"version {fact['version']}")
    closed = fact["closed"] is True
    written = fact["written"] is True or not closed  # where there was no end, much may follow the first line
    return About(closed, written, words(fact["begins"], BEGINNING) or "")


def _step_in(fact: list[Any]) -> Step:
    id, index, logprob, prob, decoded, rank, u, seed, *more = fact
    if len(more) > 3:
        raise ValueError("a step has eleven parts at most")
    if u is not None and not (isinstance(u, float) and 0 <= u <= 1):
        raise ValueError("u is between 0 and 1")
    return Step(
        whole(id, MAX_ID),
        whole(index),
        _figure_in(logprob),
        _figure_in(prob),
        _figure_in(decoded),
        whole(rank),
        u,
        None if seed is None else whole(seed, MAX_SEED),
        *map(_spelled, more[:1]),
        *(words(why, MOST_WHY) or "" for why in more[1:]),
    )


@lru_cache(maxsize=256)
def _spelled(said: str) -> str:
    """A pipeline, as it is spelled."""
    if len(words(said, MOST_SPELLED) or "") == 0:
        return ""
    try:
        return Pipeline(said).spelled
    except Problem as problem:
        raise ValueError(problem.cause) from problem


def _reading_in(value: list[Any]) -> tuple[Any, ...]:
    first_token, special, window_lead, *sizes = value
    if first_token not in get_args(FirstToken) or type(special) is not bool or type(window_lead) is not bool:
        raise ValueError("a text is not read so")
    if len(sizes) not in (0, 2):  # none before the context and the stride could be chosen
        raise ValueError("a context and a stride come together")
    return first_token, special, window_lead, *(size if size is None else max(1, whole(size)) for size in sizes)


def _figure_in(value: Any) -> float:
    if isinstance(value, str) and value in ("inf", "-inf", "nan"):
        return float(value)
    if not isinstance(value, float) or not math.isfinite(value):
        raise ValueError("this is no figure")
    return value
