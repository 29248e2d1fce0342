"""A session from the lines of :mod:`arplay.core.kept`. They are input like any other: every field is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from arplay.core.kept import BEGINNING, VERSION, About, Moves, Put, Session
from arplay.core.modalities.runs import Edit, Fixed, Run, Runs, Typed, normal, size
from arplay.core.modalities.text import Text
from arplay.core.picking import MAX_SEED
from arplay.core.tree import Kind, Plan, Step, Tree

_T = TypeVar("_T")
_MAX_ID = 2**31
_MAX_NUMBER = 2**53


class NewerError(ValueError):
    """Written by a later version."""


class Reader:
    """Takes the lines of a session one after the other; nothing in them is trusted.

    ``feed`` raises ValueError for a line that makes no sense, which is then not taken; NewerError for a later version.
    """

    def __init__(self) -> None:
        self._about: About | None = None
        self._root: Plan | None = None
        self._start = Text()
        self._plans: dict[int, Plan] = {}
        self._node = 0
        self._moves = Moves()
        self._values: dict[str, Any] = {"caret": 0, "seed": 0, "model": None, "long": None}

    def feed(self, line: bytes) -> None:
        _read(line, self._take)

    def session(self) -> Session | None:
        """What the lines say, or None where they do not get as far as a text. ValueError where it does not fit."""
        if self._root is None:
            return None
        tree = Tree.of(self._start, self._root, self._plans.values(), self._node, _edit_of)
        values = dict(self._values)
        values["caret"] = min(values["caret"], len(tree.document))
        return Session(tree, self._moves, **values)

    def _take(self, fact: dict[str, Any]) -> None:
        if self._about is None:
            self._about = _about_in(fact)
        elif self._root is None:
            self._take_root(fact)
        elif "node" in fact:
            plan = _plan_in(fact)
            if not (plan.parent == self._root.serial or plan.parent in self._plans):
                raise ValueError("no such parent")
            if plan.serial <= self._root.serial or plan.serial <= next(reversed(self._plans), -1):
                raise ValueError("numbers rise")
            self._plans[plan.serial] = plan
            self._node, self._values["caret"] = plan.serial, plan.caret
        elif "put" in fact:
            self._merge(fact)
        elif "move" in fact:
            origin, target, words = fact["move"]
            self._moves.push(self._known(origin), self._known(target), _words(words, 100))
            self._node = target
        elif "undone" in fact:
            count = _whole(fact["undone"])
            self._node = self._known(fact["to"])
            self._moves.index = max(len(self._moves.made) - count, 0)  # the first moves may have been left out
        else:
            self._set(fact["set"])

    def _take_root(self, fact: dict[str, Any]) -> None:
        runs = _runs_in(fact["root"])
        number, caret = _whole(fact["number"]), _whole(fact["caret"], size(runs))
        self._root = Plan(number, -1, "opened", None, caret, None, _words(fact["name"], 255))
        self._start, self._node, self._values["caret"] = Text(runs), number, caret

    def _merge(self, fact: dict[str, Any]) -> None:
        """As the tree does it: typing that goes on, or deleting that does."""
        last = self._plans[self._node]
        at, cut, put = _whole(fact["at"]), _whole(fact["cut"]), _runs_in(fact["put"])
        caret = _whole(fact["caret"])
        if last.kind != "typed":
            raise ValueError("only typing goes on")
        former: Put = last.edit
        if not cut and not former.cut and at == former.at + size(former.runs):
            former.runs = normal(former.runs + put)
        elif not put and not former.runs and former.at in (at, at + cut):
            former.at, former.cut = at, former.cut + cut
        else:
            raise ValueError("this does not go on where the last typing ended")
        last.caret = self._values["caret"] = caret

    def _set(self, values: dict[str, Any]) -> None:
        checked: dict[str, Any] = {}
        for name, value in values.items():
            if name in ("caret", "seed"):
                checked[name] = _whole(value, MAX_SEED if name == "seed" else _MAX_NUMBER)
            elif name in ("model", "long"):
                checked[name] = _words(value, 4096)
            else:
                raise ValueError(f"there is no {name!r}")
        self._values |= checked

    def _known(self, number: Any) -> int:
        if self._root is None or (number != self._root.serial and number not in self._plans):
            raise ValueError("no such state")
        return _whole(number)


def about(line: bytes) -> About:
    """What the first line of a session tells. Raises ValueError and NewerError as a :class:`Reader` does."""
    return _read(line, _about_in)


def _read(line: bytes, take: Callable[[dict[str, Any]], _T]) -> _T:
    try:
        fact = json.loads(line.decode("utf-8"))
        if not isinstance(fact, dict):
            raise ValueError("a line is an object")
        return take(fact)
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _about_in(fact: dict[str, Any]) -> About:
    if fact["arplay"] != "session":
        raise ValueError("this is no session")
    if _whole(fact["version"]) > VERSION:
        raise NewerError(f"version {fact['version']}")
    closed = fact["closed"] is True
    written = fact["written"] is True or not closed  # where there was no end, much may follow the first line
    return About(closed, written, _words(fact["begins"], BEGINNING) or "")


def _edit_of(text: Text, plan: Plan) -> Edit:
    put: Put = plan.edit
    return text.edit(put.at, put.cut, put.runs, plan.kind == "retokenised")


def _plan_in(fact: dict[str, Any]) -> Plan:
    kind = next((one for one in get_args(Kind) if one == fact["kind"]), None)
    if kind is None:
        raise ValueError("no such kind")
    return Plan(
        _whole(fact["node"]),
        _whole(fact["parent"]),
        kind,
        Put(_whole(fact["at"]), _whole(fact["cut"]), _runs_in(fact["put"])),
        _whole(fact["caret"]),
        _step_in(fact["step"]) if "step" in fact else None,
        _words(fact.get("name"), 255),
    )


def _step_in(fact: list[Any]) -> Step:
    id, index, logprob, prob, decoded, rank, u, seed = fact
    if u is not None and not (isinstance(u, float) and 0 <= u <= 1):
        raise ValueError("u is between 0 and 1")
    return Step(
        _whole(id, _MAX_ID),
        _whole(index),
        _figure_in(logprob),
        _figure_in(prob),
        _figure_in(decoded),
        _whole(rank),
        u,
        None if seed is None else _whole(seed, MAX_SEED),
    )


def _figure_in(value: Any) -> float:
    if isinstance(value, str) and value in ("inf", "-inf", "nan"):
        return float(value)
    if not isinstance(value, float) or not math.isfinite(value):
        raise ValueError("this is no figure")
    return value


def _runs_in(fact: Any) -> Runs:
    if not isinstance(fact, list):
        raise ValueError("runs are a list")
    return normal(_run_in(run) for run in fact)


def _run_in(fact: Any) -> Run:
    if isinstance(fact, str):
        return Typed(_text_in(fact))
    ids, pieces = tuple(_whole(id, _MAX_ID) for id in fact["ids"]), tuple(_text_in(piece) for piece in fact["pieces"])
    if len(ids) != len(pieces):
        raise ValueError("ids and pieces do not match")
    return Fixed(_words(fact["vocabulary"], 4096) or "", ids, pieces)


def _text_in(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ValueError("a text is a string")
    return text.encode("utf-8", "surrogateescape")


def _words(value: Any, most: int) -> str | None:
    if value is not None and not (isinstance(value, str) and len(value) <= most):
        raise ValueError("these are no words")
    return value


def _whole(value: Any, most: int = _MAX_NUMBER) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"this is no number up to {most}")
    return value
