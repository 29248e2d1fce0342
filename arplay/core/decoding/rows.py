"""The stages as a user lays them out: in an order, each with its numbers, on or off; and layouts that are ready.

A pipeline has only what is on. A layout remembers the rest, so that switching a stage off and on again loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from arplay.core.decoding.pipeline import MOST_STAGES, Pipeline
from arplay.core.decoding.stage import Values
from arplay.core.decoding.stages import STAGES
from arplay.core.errors import Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One stage of a layout. Off, or with its neutral number, it changes nothing."""

    stage: str
    values: Values
    on: bool = True

    @property
    def works(self) -> bool:
        return self.on and not STAGES[self.stage].is_off(self.values)


Rows = tuple[Row, ...]


def row(stage: str, *values: float | str, on: bool = True) -> Row:
    """With the usual numbers where none are given. Raises Problem.

    >>> row("dry", 0.8).values[:3]
    (0.8, 1.75, 2)
    """
    kind = STAGES[stage]
    given = values or tuple(field.neutral for field in kind.fields[:1])
    return Row(stage, kind.check(given), on)


def pipeline_of(rows: Sequence[Row]) -> Pipeline:
    """The stages that work, in their order.

    >>> pipeline_of((row("top-k", 40, on=False), row("top-p", 0.9), row("temperature"))).spelled
    'top-p:0.9'
    """
    return Pipeline(tuple((each.stage, each.values) for each in rows if each.works))


def rows_of(pipeline: Pipeline, former: Sequence[Row] = ()) -> Rows:
    """A layout that works as ``pipeline`` does: ``former`` if it does so already, else one that keeps its other rows.

    A row that does not work stays behind the stage that it stood behind.

    >>> former = (row("temperature", 0.7), row("top-k", on=False), row("min-p", 0.1))
    >>> [(each.stage, each.works) for each in rows_of(Pipeline("min-p:0.2,temperature:1.5"), former)]
    [('min-p', True), ('temperature', True), ('top-k', False)]
    """
    if pipeline_of(former) == pipeline:
        return tuple(former)
    working = [Row(name, values) for name, values in pipeline.stages]
    done: list[Row] = list(working)
    before: str | None = None
    for each in former:
        if not any(other.stage == each.stage for other in done):
            at = next((at for at, other in enumerate(done) if other.stage == before), -1)
            done.insert(at + 1, each if not each.works else replace(each, on=False))
        before = each.stage
    return tuple(done)


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A stage an object, each number by its name; ``"on": false`` for one that is off."""
    return [
        {"stage": each.stage}
        | {field.name: value for field, value in zip(STAGES[each.stage].fields, each.values, strict=True)}
        | ({} if each.on else {"on": False})
        for each in rows
    ]


def from_json(said: Any) -> Rows:
    """Raises Problem for what :func:`as_json` does not write."""
    if not isinstance(said, list) or len(said) > MOST_STAGES:
        raise Problem("these are no decoding stages", f"give a list of at most {MOST_STAGES}")
    done = []
    for each in said:
        on = each.get("on", True) if isinstance(each, dict) else True
        if not isinstance(on, bool):
            raise Problem("“on” is true or false", "correct it, or leave it out")
        bare = {name: value for name, value in each.items() if name != "on"} if isinstance(each, dict) else each
        name, values = Pipeline.one(bare)
        done.append(Row(name, values, on))
    return tuple(done)


USUAL: Rows = (row("temperature"), row("top-k"), row("top-p"), row("min-p"))
"""What stands there at first: nothing of it works."""

PRESETS: dict[str, tuple[str, Rows]] = {
    "Raw": ("No stage at all: draw from what the model itself believes", USUAL),
    "Balanced": (
        "Temperature 0.8 and top-p 0.95: lively, rarely odd",
        (row("temperature", 0.8), row("top-k"), row("top-p", 0.95), row("min-p")),
    ),
    "Creative": (
        "Temperature 1.2 and min-p 0.05: bold, without the absurd tail",
        (row("temperature", 1.2), row("top-k"), row("top-p"), row("min-p", 0.05)),
    ),
    "Precise": (
        "Temperature 0.7 and top-k 40: stays with the likely",
        (row("temperature", 0.7), row("top-k", 40), row("top-p"), row("min-p")),
    ),
    "transformers": (
        "What generate() does by itself when it samples, with all of its stages in its order",
        (
            row("bias", on=False), row("repetition"), row("no-repeat"), row("ban", on=False), row("min-length"),
            row("temperature"), row("top-h"), row("top-k", 50), row("top-p"), row("min-p"), row("typical"),
            row("epsilon"), row("eta"),
        ),
    ),
    "llama.cpp": (
        "What llama.cpp does by itself, with its stages in its order",
        (
            row("repetition"), row("frequency"), row("presence"), row("dry"), row("top-n-sigma"), row("top-k", 40),
            row("typical"), row("top-p", 0.95), row("min-p", 0.05), row("xtc"), row("temperature", 0.8),
        ),
    ),
}  # fmt: skip
"""Layouts by name: what each is for, and its rows."""
