"""What a decoding stage is: its numbers, what it does to the candidates, and the words and sources for it.

A stage is one row of arplay/core/decoding/stages.py. Dials, options, validation, JSON, tooltips and provenance are
made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from arplay.core.decoding.candidates import Candidates, Ids
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet

Values = tuple[float | str, ...]
Kind = Literal["regex", "json-schema", "choices"]
Other = Distribution | tuple[str, str]
"""A second p(next), or cause and remedy of why there is none."""
Others = Mapping[tuple[str, str], Other]
"""What else was asked, by the name of a stage and what it names."""
MOST_CHARACTERS = 20_000
LONGEST_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Field:
    """A number of a stage: from ``low`` to ``high``, and ``neutral``, which switches the stage off.

    ``above_low``: low itself is not allowed. ``usual``: the largest value that a slider reaches; ``bend``: how its way
    becomes a value ("log": equal ratios are equal ways; "square": fine near low). ``decimals``: what a field shows.
    """

    name: str
    low: float
    high: float
    neutral: float
    allowed: str
    whole: bool = False
    above_low: bool = False
    least: float | None = None
    usual: float | None = None
    decimals: int = 2
    bend: Literal["even", "log", "square"] = "even"
    default: float | None = None  # where it is not given; the neutral number if None

    @property
    def given(self) -> float:
        """What it is where nobody says another."""
        return self.neutral if self.default is None else self.default

    def check(self, stage: str, value: object) -> float:
        """The value as it is used. Raises Problem for one that is not allowed."""
        if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
            inside = self.low <= value <= self.high and not (self.above_low and value == self.low)
            if (inside or value == self.neutral) and (not self.whole or value == int(value)):
                return int(value) if self.whole else float(value)
        raise Problem(f"{stage} {str(value)[:40]} is out of range", f"allowed: {self.allowed}")


@dataclass(frozen=True, slots=True)
class Words:
    """A text that a stage takes, such as a pattern. ``read`` raises Problem for one that is not allowed."""

    name: str
    allowed: str
    read: Callable[[str], object]
    default: str = ""
    neutral = ""

    @property
    def given(self) -> str:
        return self.default

    def check(self, stage: str, value: object) -> str:
        """The text as it is used. Raises Problem for one that is not allowed."""
        if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
            raise Problem(f"{stage} takes a text of at most {MOST_CHARACTERS:,} characters", f"allowed: {self.allowed}")
        if value:
            self.read(value)
        return value


class Grammar(Protocol):
    """Which of V tokens may follow ``written`` so that all becomes a text that ``text`` allows, shape (V,).

    One of ``ends`` may where it can be whole. Raises Problem for a ``text`` that cannot be read.
    """

    def __call__(
        self, kind: Kind, text: str, tokens: TokenSet | None, ends: tuple[int, ...], written: tuple[int, ...], /
    ) -> NDArray[np.bool_]: ...


@dataclass(frozen=True, eq=False, slots=True)
class Context:
    """What a stage may know beside the candidates.

    ``ids``: the tokens so far, those before the text included, shape (n,). ``drawn``: of those of them that decoding
    wrote, the last ones, log p in what each was drawn from, in nats; NaN for one that a person chose. ``chance``: a
    number for stages that act at random, other than the one that the choice is made at. ``tokens``: what the ids stand
    for; ``ends``: those of them that end a document. ``grammar``: what matches constraints; ``others``: what second
    prompts and models say, by stage and name.
    """

    ids: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    tokens: TokenSet | None = None
    drawn: tuple[float, ...] = ()
    chance: float | None = None
    ends: tuple[int, ...] = ()
    grammar: Grammar | None = None
    others: Others = field(default_factory=dict)

    def last(self, count: float) -> Ids:
        """The last ``count`` of the tokens so far; all for 0."""
        return self.ids[-int(count) :] if count else self.ids


class StageProblem(Problem):
    """What goes wrong in a stage; ``at``: its place in the pipeline, from 0."""

    def __init__(self, cause: str, remedy: str, at: int = 0) -> None:
        super().__init__(cause, remedy)
        self.at = at


class State(Protocol):
    """A stage that remembers what was chosen, after llama.cpp's samplers."""

    def apply(self, candidates: Candidates, context: Context) -> Candidates:
        """The candidates that are left; changes nothing."""

    def accept(self, id: int) -> None:
        """``id`` was chosen from what the last :meth:`apply` left."""

    def reset(self) -> None:
        """As before the first token."""

    def clone(self) -> State:
        """Another one with the same memory, which then goes its own way."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of stage. ``does`` is a sentence, ``formula`` rich text, ``source`` who wrote it down first.

    ``apply`` gives the candidates that are left, from those before it, the context and the stage's numbers. A stage
    that remembers has ``begin`` instead, which makes its :class:`State` from the numbers. ``recalls``: it asks what was
    drawn before. ``beside``: it asks what another prompt or model says, which its second number names.
    ``matches``: it asks the context's grammar.
    """

    name: str
    title: str
    does: str
    formula: str
    source: str
    fields: tuple[Field | Words, ...] = ()
    apply: Callable[..., Candidates] | None = None
    recalls: bool = False
    begin: Callable[..., State] | None = None
    beside: bool = False
    matches: bool = False

    def check(self, values: tuple[object, ...]) -> Values:
        """The numbers as they are used, of which the last ones may be left out. Raises Problem."""
        if not bool(self.fields) <= len(values) <= len(self.fields):
            raise Problem(
                f"{self.name} takes {len(self.fields)} numbers, not {len(values)}", "see arplay sample --help"
            )
        whole = (*values, *(field.given for field in self.fields[len(values) :]))
        return tuple(field.check(self.name, value) for field, value in zip(self.fields, whole, strict=True))

    def is_off(self, values: Values) -> bool:
        """Whether its first number is the neutral one."""
        return bool(self.fields) and values[0] == self.fields[0].neutral

    def label(self, values: Values) -> str:
        """``top-k 40``; numbers behind the first one only where they are not the usual ones."""
        shown = len(values)
        while shown > 1 and values[shown - 1] == self.fields[shown - 1].given:
            shown -= 1
        return " ".join([self.name, *map(_short, values[:shown])])


def _short(value: float | str) -> str:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_SHOWN else value[: LONGEST_SHOWN - 1] + "…"
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
