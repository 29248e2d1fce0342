"""How a text becomes a chain of tokens: one choice a model, the same in every view and on the command line."""

from __future__ import annotations

from dataclasses import dataclass
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
