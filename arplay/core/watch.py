"""Rules while Play writes: where a figure of a token passes a threshold or a text comes, it stops, pauses or branches.

A rule is a pure function of the tokens as they are drawn, so the same seed meets it at the same place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from arplay.core.errors import Problem
from arplay.core.format import nats_and_bits, percent
from arplay.core.signs import safe

What = Literal["p", "rank", "entropy", "text"]
Then = Literal["stop", "pause", "branch"]
MOST_RULES, MOST_CHARACTERS = 16, 200
_PASSES = {"p": "fell below", "rank": "rose above", "entropy": "rose above"}
_DONE = {"stop": "Play stopped", "pause": "Play paused", "branch": "Play went back before it"}


@dataclass(frozen=True, slots=True)
class Rule:
    """``what``: p of the token by the model itself is below ``at``, its rank or the entropy in nats that it was drawn
    at is above; or ``text`` is in what Play writes. ``then``: "stop" ends Play behind the token, "pause" as well, and
    Play goes on with what was left; "branch" goes back before the token, which stays as a branch. Raises Problem.

    >>> Rule("p", 0.01).met(Drawn(p=0.004, rank=31, entropy=2.0), ""), Rule("text", text="end").met(None, "the end")
    ('p = 0.40% fell below 1.00%', 'the text “end” came')
    """

    what: What
    at: float = 0.0
    text: str = ""
    then: Then = "stop"

    def __post_init__(self) -> None:
        if self.what not in get_args(What) or self.then not in get_args(Then):
            raise Problem(f"a rule cannot be {self.what} and {self.then}"[:80], "use p, rank, entropy or text")
        if self.what == "text" and not 1 <= len(self.text) <= MOST_CHARACTERS:
            raise Problem("a rule of a text needs one", f"give 1 to {MOST_CHARACTERS} characters")
        most = 1.0 if self.what == "p" else math.inf
        if not (isinstance(self.at, int | float) and 0 <= self.at <= most and math.isfinite(self.at)):
            raise Problem(
                f"{str(self.at)[:20]} is no threshold of {self.what}", "give a number from 0 on; p is at most 1"
            )

    def met(self, drawn: Drawn | None, written: str) -> str:
        """Why it is met, in words; "" where it is not. ``written``: the end of what Play wrote, the token included."""
        if self.what == "text":
            return f"the text “{safe(self.text)}” came" if self.text in written else ""
        value = None if drawn is None else getattr(drawn, self.what)
        if value is None or math.isnan(value) or not (value < self.at if self.what == "p" else value > self.at):
            return ""
        shown, at = (_shown(self.what, number) for number in (value, self.at))
        return f"{self.what} = {shown} {_PASSES[self.what]} {at}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a rule looks at: p and rank of a token by the model itself, and the entropy in nats; None: nobody knows."""

    p: float
    rank: int | None
    entropy: float | None


@dataclass(frozen=True, slots=True)
class Met:
    """The rule that was met, and why in words."""

    rule: Rule
    why: str

    @property
    def said(self) -> str:
        return f"{_DONE[self.rule.then]}: {self.why}"


Watch = tuple[Rule, ...]


def first_met(rules: Watch, drawn: Drawn | None, written: str) -> Met | None:
    """The first rule that is met."""
    return next((Met(rule, why) for rule in rules if (why := rule.met(drawn, written))), None)


def as_json(rules: Watch) -> list[dict[str, Any]]:
    return [
        {"what": rule.what, "then": rule.then} | ({"text": rule.text} if rule.what == "text" else {"at": rule.at})
        for rule in rules
    ]


def from_json(said: Any) -> Watch:
    """Raises Problem for what :func:`as_json` does not write.

    >>> from_json(as_json((Rule("rank", 5, then="pause"),)))
    (Rule(what='rank', at=5, text='', then='pause'),)
    """
    if not isinstance(said, Sequence) or isinstance(said, str) or len(said) > MOST_RULES:
        raise Problem("these are no rules", f"give a list of at most {MOST_RULES}")
    try:
        return tuple(Rule(**each) for each in said)
    except TypeError as error:
        raise Problem(
            f"{json.dumps(said, default=str)[:60]} are no rules", "give what, at or text, and then"
        ) from error


def _shown(what: str, number: float) -> str:
    return percent(number) if what == "p" else f"{number:,g}" if what == "rank" else nats_and_bits(number)
