"""What a completions server says, checked: it is input like any file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from arplay import schema
from arplay.core.chain import BEST
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids
from arplay.models.alphabets.places import ends_by_matching
from arplay.models.base import Scores, frozen_scores, unscored
from arplay.models.families.remote import http as remote_http
from arplay.models.families.remote.http import Address

_LONGEST = 4096
"""Of a token's text."""
KEPT = 32

T = TypeVar("T")


def _text(value: Any, place: str) -> str:
    """Any text, with whatever characters a token may have."""
    if type(value) is not str:
        raise schema.Wrong(f"{place} is {schema.short(value)}", "a text belongs there")
    return value


def _token(value: Any, place: str) -> str:
    if len(_text(value, place)) > _LONGEST:
        raise schema.Wrong(f"{place} has {len(value):,} characters", f"at most {_LONGEST:,} belong there")
    return str(value)


_LOGPROB = schema.real(-math.inf, 0.01)  # rounding may lead a little above 0
_ID = schema.whole(0, 1 << 30)
_TOP = schema.named(_LOGPROB)
_TOLD = schema.table(
    {
        "tokens": schema.many(_token),
        "token_logprobs": schema.many(schema.maybe(_LOGPROB)),
        "top_logprobs": schema.many(schema.maybe(_TOP)),
    },
    more=True,
)
_OF_PROMPT = schema.many(
    schema.maybe(
        schema.named(
            schema.table(
                {"logprob": _LOGPROB, "rank": schema.maybe(_ID), "decoded_token": schema.maybe(_token)},
                {"rank": None, "decoded_token": None},
                more=True,
            )
        )
    )
)
_CHOICE = schema.table(
    {"text": schema.maybe(_text), "logprobs": schema.maybe(_TOLD), "prompt_logprobs": schema.maybe(_OF_PROMPT)},
    {"text": None, "logprobs": None, "prompt_logprobs": None},
    more=True,
)
_ANSWER = schema.table({"choices": schema.many(_CHOICE, 1, 1)}, more=True)
_MODEL = schema.table({"id": _token, "max_model_len": schema.maybe(_ID)}, {"max_model_len": None}, more=True)
MODELS = schema.table({"data": schema.many(_MODEL)}, more=True)
IDS = schema.table(
    {"tokens": schema.many(_ID), "token_strs": schema.maybe(schema.many(_token))}, {"token_strs": None}, more=True
)
TEXT = schema.table({"prompt": _text}, more=True)


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer: the whole ``text``, and its ``tokens`` with their ``logprobs`` and the best of each place.

    ``of_prompt``: vLLM's record of each token of the prompt, None where there is none.
    """

    text: str
    tokens: tuple[str, ...]
    logprobs: tuple[float | None, ...]
    tops: tuple[dict[str, float] | None, ...]
    of_prompt: tuple[dict[str, dict[str, Any]] | None, ...] | None


@dataclass(frozen=True, slots=True)
class Server:
    """One model of one server; its answers are checked."""

    address: Address

    @property
    def where(self) -> str:
        return f"{self.address.host}:{self.address.port}"

    def ask(self, path: str, check: schema.Check, body: object | None = None) -> Any:
        """Raises Problem as :func:`arplay.models.families.remote.http.ask` does, and for an answer of another form."""
        told = remote_http.ask(self.address, path, body)
        try:
            return check(told, "its answer")
        except schema.Wrong as error:
            cause = f"{self.where} does not answer as a completions server does ({error.cause})"
            raise Problem(cause, "check the address, or use another server") from error

    def complete(self, prompt: str | list[int], **others: Any) -> Completion:
        """Draw one token after ``prompt``, for what is told beside it. Neutral settings: p is to be the model's own."""
        body = {"model": self.address.model, "prompt": prompt, "max_tokens": 1, "temperature": 1, "top_p": 1, "seed": 0}
        answer = self.ask(f"{self.address.path}/completions", _ANSWER, body | others)
        choice = answer["choices"][0]
        told = choice["logprobs"] or {"tokens": (), "token_logprobs": (), "top_logprobs": ()}
        tokens, logprobs, tops = told["tokens"], told["token_logprobs"], told["top_logprobs"]
        if not len(tokens) == len(logprobs) == len(tops):
            raise Problem(f"{self.where} gives lists of different lengths for one text", "use another server")
        return Completion(choice["text"] or "", tokens, logprobs, tops, choice["prompt_logprobs"])


def distribution(told: Mapping[int, float], size: int, most: int, ceiling: float = -math.inf) -> Distribution:
    """What is known: the ``most`` best of ``told``, log-probs by id, and the ``ceiling`` of the others.

    Raises Problem where they sum to more than 1.

    >>> distribution({4: -1.0, 7: -0.5, 2: -3.0}, 9, 2).order
    array([7, 4])
    """
    best = sorted(told, key=lambda id: (-told[id], id))[:most]
    logprobs = np.array([min(0.0, told[id]) for id in best])
    if np.exp(logprobs).sum() > 1.01:
        raise Problem("the server's probabilities of one place sum to more than 1", "use another server")
    return Distribution(size, logprobs, np.array(best, np.int64), open=True, ceiling=ceiling)


def is_name(text: str) -> bool:
    """Whether a token is known by what it writes: not where that is nothing, or a part of a character."""
    return bool(text) and "\ufffd" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def ends_of(data: bytes, written: list[bytes]) -> Ids:
    """Where each token ends in the text, all of which belongs to them. Raises Problem where there are none."""
    if not written:
        raise Problem("the server cuts this text into nothing", "change it, or use another server")
    joined = b"".join(written)
    ends = np.cumsum([len(token) for token in written], dtype=np.int64)
    if joined == b" " + data:
        ends = np.maximum(ends - 1, 0)
    elif joined != data:
        ends = ends_by_matching(data, written)
    ends[-1] = len(data)
    return ends


def empty_scores(n: int) -> Scores:
    return Scores(*unscored(n))


def put(scores: Scores, row: int, logprob: float, rank: int, best: list[tuple[int, float]]) -> None:
    """Fill in a row: its entropy stays unknown."""
    scores.logprob[row], scores.rank[row] = min(0.0, logprob), rank
    for place, (id, value) in enumerate(sorted(best, key=lambda one: (-one[1], one[0]))[:BEST]):
        scores.best_ids[row, place], scores.best_logprobs[row, place] = id, min(0.0, value)


def rows(scores: Scores, first: int, stop: int) -> Scores:
    """A part of them, read-only."""
    return frozen_scores(tuple(getattr(scores, name)[first:stop].copy() for name in Scores.__dataclass_fields__))
