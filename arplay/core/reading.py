"""How a text becomes a chain of tokens: one choice a model, the same in every view and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

from arplay.core.errors import Problem

FirstToken = Literal["auto", "bos", "eos", "unscored"]
FIRST_TOKEN = {
    "model": "scored by the model's own p(x_1)",
    "tokenizer": "scored after what the tokenizer puts before a text",
    "bos": "scored after BOS",
    "eos": "scored after EOS",
    "unscored": "not scored",
}
"""What became of the first token by the rule that was followed, in words."""


@dataclass(frozen=True, slots=True)
class Reading:
    """``first_token``: what stands before the text (see :func:`arplay.models.base.lead`). ``special``: whether the
    name of a special token that was typed, like ``<|endoftext|>``, stands for that token or for its letters.
    ``window_lead``: whether what stands before the text stands before every later window of a long one as well.
    ``context``: the most tokens that are read before one, where that is less than the model can (None: all that it
    can). ``stride``: how many tokens each window of a long text moves on (None: half a window).
    Raises Problem for a rule that there is not.
    """

    first_token: FirstToken = "auto"
    special: bool = False
    window_lead: bool = False
    context: int | None = None
    stride: int | None = None

    def __post_init__(self) -> None:
        for name, number in (("context", self.context), ("stride", self.stride)):
            if number is not None and number < 1:
                raise Problem(f"a {name} of {number:,} tokens is impossible", "give at least 1")
        if self.first_token not in (rules := get_args(FirstToken)):
            raise Problem(f"there is no rule {self.first_token!r} for the first token", f"use {', '.join(rules)}")


Made = Callable[[Reading, int, Collection[FirstToken]], Reading]


@dataclass(frozen=True, slots=True)
class Preset:
    """A usual way to read a long text. ``made`` of a reading, the model's context W, and the rules for the first token
    that it can follow; ``differs``: what of a published recipe arplay does otherwise, "" where there is nothing.
    """

    name: str
    title: str
    says: str
    made: Made
    differs: str = ""


def _half(reading: Reading, context: int, rules: Collection[FirstToken]) -> Reading:
    return replace(reading, context=None, stride=None)


def _most(reading: Reading, context: int, rules: Collection[FirstToken]) -> Reading:
    """
    >>> _most(Reading("bos"), 512, ("auto", "bos"))
    Reading(first_token='bos', special=False, window_lead=False, context=None, stride=1)
    """
    return replace(reading, context=None, stride=1)


def _rolling(reading: Reading, context: int, rules: Collection[FirstToken]) -> Reading:
    """
    >>> _rolling(Reading(), 512, ("auto", "eos", "unscored"))
    Reading(first_token='eos', special=False, window_lead=False, context=None, stride=512)
    """
    first: FirstToken = "bos" if "bos" in rules else "eos" if "eos" in rules else "auto"
    return replace(reading, first_token=first, window_lead=False, context=None, stride=context)


def _strided(reading: Reading, context: int, rules: Collection[FirstToken]) -> Reading:
    """A window of the recipe has W tokens of which the last is scored but not read, so that W - 1 are read.

    >>> _strided(Reading(), 1024, ("auto",))
    Reading(first_token='auto', special=False, window_lead=False, context=1023, stride=512)
    """
    own, stride = max(1, context - 1), max(1, context // 2)
    return replace(reading, first_token="auto", window_lead=False, context=own, stride=min(stride, own))


PRESETS = (
    Preset("half", "Exact where it fits", "Half a context of stride: each token has at least the other half.", _half),
    Preset("most", "Maximum context", "Stride 1: every token has all the context there can be.", _most),
    Preset(
        "rolling",
        "Harness rolling",
        "Windows side by side, each with one token of the one before.",
        _rolling,
        "lm-evaluation-harness fills its last window up with context, and also scores what the tokenizer adds. Here "
        "the last window begins where the one before ended. The panel Perplexity has the harness's own figure.",
    ),
    Preset(
        "strided",
        "Hugging Face strided",
        "As its page “Perplexity of fixed-length models” has it.",
        _strided,
        "Each token has the context that the recipe gives it. The recipe's mean counts one token too few in every "
        "later window; here each counts once. The panel Perplexity has the recipe's own figure.",
    ),
)


def offered(context: int | None) -> tuple[Preset, ...]:
    """The presets that mean something: where a model has no limit a text is read as a whole."""
    return PRESETS if context else PRESETS[:1]


def preset_of(reading: Reading, context: int | None, rules: Collection[FirstToken]) -> Preset | None:
    """The preset that a reading is of; None where it is of none.

    >>> preset_of(Reading(stride=1), 512, ("auto",)).title, preset_of(Reading(stride=7), 512, ("auto",))
    ('Maximum context', None)
    """
    made = ((each, each.made(reading, context or 0, rules)) for each in offered(context))
    return next((each for each, its in made if its == reading), None)
