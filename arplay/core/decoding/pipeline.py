"""Decoding as a list of stages: what is done to a model's distribution before a token is chosen from it.

The order is data. Each stage gets what the one before it left; probabilities are renormalised once, at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from arplay.core.decoding.candidates import Candidates
from arplay.core.decoding.stage import Context, Stage, StageProblem, State, Values, Words
from arplay.core.decoding.stages import STAGES
from arplay.core.decoding.trace import Lost, Trace
from arplay.core.distribution import Distribution, log_softmax
from arplay.core.errors import Problem

Floats = NDArray[np.float64]
Said: TypeAlias = "str | Sequence[Any] | Mapping[Any, Any] | Pipeline"
"""What a pipeline is made from."""

MOST_STAGES = 64


@dataclass(frozen=True, slots=True, init=False)
class Pipeline:
    """Stages by name with their numbers, the first one first. One whose number is neutral is left out.

    It is made from ``stage:value,stage:value`` (a text that has a comma stands in quotes, as in JSON), from a list of
    such stages, of pairs of a name and its numbers or of ``{"stage": name, field: number}`` as :attr:`as_json` gives
    them, from the JSON of any of these, or from another one. Raises Problem for a stage that does not exist and for a
    number that it does not allow.

    >>> Pipeline("top-k:40,greedy").stages
    (('top-k', (40,)), ('greedy', ()))
    >>> Pipeline(["top-p:0.9", ("temperature", 1)]) == Pipeline('[{"stage": "top-p", "p": 0.9}]')
    True
    """

    stages: tuple[tuple[str, Values], ...]

    def __init__(self, said: Said = ()) -> None:
        found = _listed(said)
        if len(found) > MOST_STAGES:
            raise Problem(f"{len(found):,} decoding stages are too many", f"give at most {MOST_STAGES}")
        checked = ((stage, stage.check(values)) for stage, values in map(_one, found))
        used = tuple((stage.name, values) for stage, values in checked if not stage.is_off(values))
        object.__setattr__(self, "stages", used)

    @staticmethod
    def one(said: Any) -> tuple[str, Values]:
        """One stage in any of these forms: its name and numbers, neutral ones too. Raises Problem."""
        stage, values = _one(said)
        return stage.name, stage.check(values)

    @classmethod
    def of(cls, greedy: bool = False, **values: float | str) -> Pipeline:
        """Stages of one number each, in the order of the table.

        >>> Pipeline.of(top_p=0.9, temperature=0.7).spelled
        'temperature:0.7,top-p:0.9'
        """
        done = cls("greedy" if greedy else "")
        for name, value in values.items():
            done = done.put(name.replace("_", "-"), value)
        return done

    @property
    def as_json(self) -> list[dict[str, Any]]:
        """For JSON: a stage an object, each number by its name."""
        return [
            {"stage": name, **{field.name: value for field, value in zip(STAGES[name].fields, values, strict=True)}}
            for name, values in self.stages
        ]

    @property
    def spelled(self) -> str:
        """In one line, as a pipeline is made from it."""
        return ",".join(":".join([name, *map(_spelled, values)]) for name, values in self.stages)

    @property
    def label(self) -> str:
        """The stages in words, as exports and the status line show them."""
        return " → ".join(STAGES[name].label(values) for name, values in self.stages) or "the model's own distribution"

    @property
    def recalls(self) -> bool:
        """Whether a stage asks what was drawn before."""
        return any(STAGES[name].recalls for name, _ in self.stages)

    @property
    def matches(self) -> bool:
        """Whether a stage asks what matches a constraint."""
        return any(STAGES[name].matches for name, _ in self.stages)

    @property
    def wants(self) -> tuple[tuple[str, str], ...]:
        """What second prompts and models are to be asked: a stage and what it names, each."""
        return tuple((name, str(values[1])) for name, values in self.stages if STAGES[name].beside)

    def has(self, name: str) -> bool:
        return any(used == name for used, _ in self.stages)

    def put(self, name: str, *values: float | str) -> Pipeline:
        """With these numbers for a stage: where it is already, or where the table's order has it."""
        _stage(name)
        if self.has(name):
            return Pipeline(tuple((used, values if used == name else old) for used, old in self.stages))
        order = list(STAGES)
        at = next(
            (at for at, (used, _) in enumerate(self.stages) if order.index(used) > order.index(name)), len(self.stages)
        )
        return Pipeline((*self.stages[:at], (name, values), *self.stages[at:]))

    def without(self, name: str) -> Pipeline:
        return Pipeline(tuple(stage for stage in self.stages if stage[0] != name))

    def apply(self, logprobs: Floats, context: Context | None = None) -> Floats:
        """Log-probs of shape (V,) after all stages, in nats; a removed token is minus infinity.

        >>> np.exp(Pipeline("top-k:2").apply(np.log([0.5, 0.3, 0.2]))).round(3)
        array([0.625, 0.375, 0.   ])
        """
        own = np.asarray(logprobs, dtype=np.float64)
        return decode(Distribution(len(own), own), self, context).logprobs


@dataclass(frozen=True, eq=False)
class Decoded:
    """What is left of the model's ``own`` distribution to choose from, and how it came about."""

    own: Distribution
    candidates: Candidates
    traces: tuple[Trace, ...]

    @cached_property
    def distribution(self) -> Distribution:
        """What may be drawn and how probable it is; partial exactly where tokens may be drawn that nobody knows."""
        left = self.candidates
        if not self.traces or left.is_partial:  # no stage leaves what nobody knows and changes the rest
            return self.own
        logprobs, known = np.full(left.size, -np.inf), log_softmax(left.scores)
        logprobs[left.ids] = known
        alive = known > -np.inf
        return Distribution(left.size, logprobs, support=left.ids if alive.all() else left.ids[alive])

    @property
    def logprobs(self) -> Floats:
        """Those of :attr:`distribution`."""
        return self.distribution.logprobs

    def lost(self, id: int) -> Lost | None:
        """What removed the token ``id``, if a stage did."""
        return next((lost for trace in self.traces if (lost := trace.lost(id)) is not None), None)


class Chain:
    """A pipeline at work on one text: its stages with what those that remember have seen."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._states: list[State | None] = []
        for name, values in pipeline.stages:
            begin = STAGES[name].begin
            self._states.append(begin(*values) if begin is not None else None)

    def apply(self, distribution: Distribution, context: Context | None = None) -> Decoded:
        """What the stages leave of ``distribution``. Changes nothing. Raises Problem."""
        context = context or Context()
        candidates, traces = Candidates.of(distribution), []
        for at, ((name, values), state) in enumerate(zip(self.pipeline.stages, self._states, strict=True)):
            apply = STAGES[name].apply
            try:
                if state is not None:
                    after = state.apply(candidates, context)
                else:
                    assert apply is not None, name
                    after = apply(candidates, context, *values)
            except StageProblem as problem:
                problem.at = at
                raise
            except Problem as problem:
                raise StageProblem(problem.cause, problem.remedy, at) from problem
            if not (len(after) or after.is_partial):
                words = f"{STAGES[name].label(values)} leaves no token to choose from"
                raise StageProblem(words, "loosen it, or put it later", at)
            traces.append(Trace(STAGES[name], values, candidates, after, distribution))
            candidates = after
        return Decoded(distribution, candidates, tuple(traces))

    def accept(self, id: int) -> None:
        """``id`` was chosen."""
        for state in self._states:
            if state is not None:
                state.accept(id)

    def reset(self) -> None:
        """As before the first token."""
        for state in self._states:
            if state is not None:
                state.reset()

    def clone(self) -> Chain:
        """Another one with the same memory, for a branch."""
        other = Chain(self.pipeline)
        other._states = [None if state is None else state.clone() for state in self._states]
        return other


def decode(distribution: Distribution, pipeline: Pipeline, context: Context | None = None) -> Decoded:
    """Apply the stages of ``pipeline`` in order, with nothing remembered."""
    return Chain(pipeline).apply(distribution, context)


def _no(said: object, what: str, there_are: str = "") -> Problem:
    return Problem(f"{_short(said)} {what}", f"give stages like temperature:0.8,top-p:0.95{there_are}")


def _stage(name: object) -> Stage:
    if not isinstance(name, str) or name not in STAGES:
        raise _no(name, "is no decoding stage", f"; there are {', '.join(STAGES)}")
    return STAGES[name]


def _listed(said: Any) -> Sequence[Any]:
    """The stages as they were given, of which one may be too many."""
    if isinstance(said, str) and said.lstrip()[:1] in ("[", "{"):
        try:
            return _listed(json.loads(said))
        except (ValueError, RecursionError) as error:
            raise _no(said, "is no JSON of a pipeline") from error
    if isinstance(said, str):
        return [part for part in _parted(said, ",") if part.strip()]
    if isinstance(said, Pipeline):
        return said.stages
    if isinstance(said, Mapping):
        return _former(said)
    if not isinstance(said, list | tuple):
        raise _no(said, "is no pipeline")
    return said


def _one(said: Any) -> tuple[Stage, tuple[Any, ...]]:
    """A stage and its numbers, which are not checked yet."""
    if isinstance(said, str):
        name, *texts = _parted(said.strip(), ":") or [""]
        stage = _stage(name.strip())
        takes_text = [isinstance(field, Words) for field in stage.fields]
        if takes_text and takes_text[-1] and len(texts) > len(takes_text):  # the last text may have colons
            texts[len(takes_text) - 1 :] = [":".join(texts[len(takes_text) - 1 :])]
        try:
            kinds = [_text if text else _number for text in takes_text] or [_number]
            return stage, tuple(kinds[min(at, len(kinds) - 1)](text) for at, text in enumerate(texts))
        except ValueError as error:
            raise _no(said, "has a value that is no number") from error
    if isinstance(said, Mapping):
        stage = _stage(said.get("stage"))
        unknown = said.keys() - {"stage", *(field.name for field in stage.fields)}
        if unknown:
            raise _no(min(unknown, key=str), f"is no number of {stage.name}")
        return stage, tuple(said.get(field.name, field.given) for field in stage.fields)
    if not (isinstance(said, list | tuple) and len(said) == 2):
        raise _no(said, "is no stage")
    stage, values = _stage(said[0]), said[1]
    return stage, tuple(values) if isinstance(values, list | tuple) else (values,)


def _parted(text: str, mark: str) -> list[str]:
    """The parts of ``text`` between marks that stand outside of quotes."""
    return re.findall(rf'(?:"(?:\\.|[^"\\])*"|[^{mark}])+', text)


def _text(text: str) -> str:
    """As it stands, or as JSON writes it. Raises ValueError."""
    return str(json.loads(text)) if text.startswith('"') else text


def _spelled(value: float | str) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _number(text: str) -> float:
    """Whole where it is written so. Raises ValueError."""
    return int(text) if text.strip().isdigit() and len(text) < 20 else float(text)


def _former(said: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """A mode and four numbers by name, as the first version wrote them."""
    mode, stages = said.get("mode", "sample"), []
    names = {name.replace("-", "_"): name for name in STAGES if STAGES[name].fields}
    if not said or mode not in ("sample", "greedy") or not said.keys() <= {"mode", *names}:
        raise _no(dict(said), "is no pipeline")
    for key, name in names.items():
        if key in said:
            stages.append({"stage": name, STAGES[name].fields[0].name: said[key]})
    return stages + ([{"stage": "greedy"}] if mode == "greedy" else [])


def _short(said: object) -> str:
    shown = repr(said) if not isinstance(said, str) else f"“{said}”"
    return shown if len(shown) <= 60 else shown[:57] + "…"
