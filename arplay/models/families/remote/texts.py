"""A server that knows tokens as texts (OpenAI's completions, llama.cpp's server): the prompt goes there as text.

It cuts the text itself, each time anew. Where it echoes a prompt with its tokens, these are the tokens of the text, and
their log-probs its scores; where it does not, words stand for tokens and nothing can be scored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arplay.core.chain import BEST
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids
from arplay.core.modalities.vocabulary import Tokens
from arplay.core.recent import Recent
from arplay.models.base import Scores
from arplay.models.families.remote import answers as remote_answers
from arplay.models.families.remote.answers import KEPT, Completion, Server, ends_of, is_name
from arplay.models.families.remote.http import Refused
from arplay.models.families.remote.tokens import SeenTokens

PROBE = "The quick brown fox jumps over"
_COUNTS = (50, 20, 5, 1)
"""How many of the best tokens are asked for: the most that the server tells of these."""
_WORD = re.compile(r"\s*\S+|\s+")
_DRAWS = 8
"""How often a token is drawn where the server tells nothing beside the end of the text."""
_APART, _SHARED = 0.5, 0.5
"""The echo of a prompt is believed where, beside the answers to its beginnings, at least such a share of the best
tokens is the same, and half of their log-probs differ by no more nats (quantised weights round otherwise for one token
than for many)."""
_COMPARED = 3
"""At so many places."""
_NAMELESS = b"<token without a text>"


@dataclass(frozen=True, eq=False, slots=True)
class _Read:
    """A text as the server cut it, with what it said of each token."""

    tokens: Tokens
    scores: Scores


class Texts:
    """What a server says, token by token. ``no_scores``: why it says nothing of the prompt, "" where it does.

    Raises Problem where it tells no log-probs at all.
    """

    lead: tuple[int, ...] = ()
    context: int | None = None

    def __init__(self, server: Server, tokens: SeenTokens) -> None:
        self._server, self._tokens = server, tokens
        self._reads, self._next = Recent[str, _Read](KEPT), Recent[str, Completion](KEPT)
        self.count = next((count for count in _COUNTS if self._takes(count)), 1)
        first = self._following(PROBE)
        if first.tops and 2 * len(first.tops[-1] or ()) <= self.count:
            self.count = max(1, len(first.tops[-1] or ()))  # it tells fewer than it was asked for
        self._best = min(BEST, self.count)  # of each token of a prompt
        if not first.tokens:
            cause = f"{server.where} tells no log-probs"
            raise Problem(cause, "start it so that it does (llama.cpp: --logits_all true), or use another server")
        self._echoes = True
        self.no_scores = self._doubts()

    @property
    def notes(self) -> tuple[str, ...]:
        cut = "the server cuts a text itself: ids of picks and samples count only where it would choose the same"
        same = "tokens are known by their texts: those that hold a part of a character cannot be told apart"
        words = "the server does not tell its tokens: words stand for them, and counts are of words"
        return (same, cut) if self._echoes else (same, cut, words)

    def cut(self, data: bytes, start: bool) -> Tokens:
        text = _text(data)
        if self._echoes:
            return self._read(text).tokens if text else Tokens(np.zeros(0, np.int64), np.zeros(0, np.int64))
        words = [word.encode() for word in _WORD.findall(text)]
        ids = np.array([self._tokens.learn(word) for word in words], np.int64)
        return Tokens(ids, np.cumsum([len(word) for word in words], dtype=np.int64))

    def scores(self, ids: Sequence[int], fresh: bool) -> Scores:
        """Of every token of a chain; one that the server cuts otherwise has none. ``fresh``: it is asked again."""
        if self.no_scores:
            raise Problem(self.no_scores, "use a server that gives the log-probs of a prompt")
        text = self._written(ids)
        if fresh:
            self._reads.clear()
        chain = np.array(ids, np.int64)
        for read in self._reads:
            if np.array_equal(read.tokens.ids[: len(chain)], chain):
                return remote_answers.rows(read.scores, 0, len(chain))
        read = self._read(text)
        ends = np.cumsum([len(self._tokens.written(id)) for id in ids], dtype=np.int64)
        theirs = {span: row for row, span in enumerate(_spans(read.tokens.ends))}
        scores = remote_answers.empty_scores(len(chain))
        for row, span in enumerate(_spans(ends)):
            if (there := theirs.get(span)) is not None:
                for name in Scores.__dataclass_fields__:
                    getattr(scores, name)[row] = getattr(read.scores, name)[there]
        return remote_answers.rows(scores, 0, len(chain))

    def following(self, ids: Sequence[int]) -> Distribution:
        answer = self._following(self._written(ids))
        top = answer.tops[-1] if answer.tops else None
        if top is None:
            cause = f"{self._server.where} drew the end of the text {_DRAWS} times, and told nothing beside it"
            raise Problem(cause, "go back a token, or write on yourself")
        known, ceiling = _sure(top, answer.tokens[-1], self.count) if top else ({}, 0.0)
        if not known:
            raise Problem(f"{self._server.where} names none of the next tokens", "go back a token")
        told = {self._tokens.learn(text.encode()): logprob for text, logprob in known.items()}
        return remote_answers.distribution(told, len(self._tokens), self.count, ceiling)

    def _takes(self, count: int) -> bool:
        try:
            return bool(self._server.complete(PROBE, logprobs=count).tokens)
        except Refused as refused:
            if refused.status not in (400, 422):
                raise
            return False

    def _following(self, text: str) -> Completion:
        """The answer after a text. A token that ends it is told by some servers only as a text that goes no further."""

        def ask() -> Completion:
            for seed in range(_DRAWS):
                answer = self._server.complete(text, logprobs=self.count, seed=seed)
                if answer.tokens:
                    break
            return answer

        return self._next.get(text, ask)

    def _read(self, text: str) -> _Read:
        def ask() -> _Read:
            return self._cut(text, self._server.complete(text, logprobs=self._best, echo=True))

        return self._reads.get(text, ask)

    def _cut(self, text: str, answer: Completion) -> _Read:
        """The prompt's part of an answer with an echo."""
        count = len(answer.tokens)
        if count and "".join(answer.tokens) != text and answer.tokens[-1] == answer.text.removeprefix(text):
            count -= 1  # the token that was drawn, which some servers list and some do not
        if count < 1:
            raise Problem(f"{self._server.where} tells no tokens of this text", "change it, or use another server")
        data = text.encode()
        ends = ends_of(data, [_bytes(token) for token in answer.tokens[:count]])
        ids, scores = np.zeros(count, np.int64), remote_answers.empty_scores(count)
        for row, (start, end) in enumerate(_spans(ends)):
            named = data[start:end] or _bytes(answer.tokens[row])
            ids[row] = self._tokens.learn(named) if named else self._tokens.learn(_NAMELESS, special=True)
            self._put(scores, row, answer)
        return _Read(Tokens(ids, ends), scores)

    def _put(self, scores: Scores, row: int, answer: Completion) -> None:
        logprob, top = answer.logprobs[row], answer.tops[row]
        if logprob is None:
            return
        mine = answer.tokens[row]
        known, ceiling = _sure(top, mine, self._best) if top else ({}, 0.0)
        ahead = sum(value > logprob for value in known.values())
        ranked = ahead < self._best and mine in known and logprob >= ceiling
        best = [(self._tokens.learn(text.encode()), value) for text, value in known.items()]
        remote_answers.put(scores, row, logprob, 1 + ahead if ranked else 0, best)

    def _written(self, ids: Sequence[int]) -> str:
        return _text(b"".join(map(self._tokens.written, ids)))

    def _doubts(self) -> str:
        """Why nothing can be scored: no echo, or one that contradicts the answers to prefixes of the same text."""
        where = self._server.where
        try:
            echo = self._server.complete(PROBE, logprobs=self.count, echo=True)
            read = self._cut(PROBE, echo)
        except Problem as problem:
            if isinstance(problem, Refused) and problem.status not in (400, 422):
                raise
            self._echoes = False
            return f"{where} gives no log-probs of the prompt: {problem.cause}"
        ends = read.tokens.ends.tolist()
        if not any(echo.tops[: len(ends)]):
            return f"{where} echoes the prompt without log-probs"
        pairs: list[tuple[float, float | None]] = []
        for row in range(max(1, len(ends) - _COMPARED), len(ends)):
            told = (self._following(PROBE[: ends[row - 1]]).tops or ({},))[-1] or {}
            echoed = {text: logprob for text, logprob in (echo.tops[row] or {}).items() if is_name(text)}
            echoed.pop(echo.tokens[row], None)  # it is there however improbable it is
            best = sorted(echoed, key=lambda text: -echoed[text])[:BEST]
            pairs += [(echoed[text], told.get(text)) for text in best]
        gaps = [abs(echoed - told) for echoed, told in pairs if told is not None]
        if len(gaps) >= _SHARED * len(pairs) > 0 and float(np.median(gaps)) <= _APART:
            return ""
        return f"the log-probs that {where} echoes of a prompt are not those that it gives after its beginning"


def _sure(top: Mapping[str, float], drawn: str, count: int) -> tuple[dict[str, float], float]:
    """What is sure of the ``count`` best tokens and the one that was ``drawn``: log-probs by text, and the largest one
    that another token may have.

    Tokens that hold a part of a character may share a text ("", or what is left of them), which then stands where the
    best of them would, with the log-prob of the least: it is taken for none of them. Where some are missing for that,
    what is known of the others is only what they leave together.

    >>> _sure({"a": -1.0, "": -2.0, "b": -9.0}, "b", 2)
    ({'a': -1.0, 'b': -9.0}, -2.0)
    >>> known, ceiling = _sure({"a": -3.0, "c": -1.0, "b": -9.0}, "b", 3)
    >>> known, round(ceiling, 3)
    ({'c': -1.0, 'b': -9.0}, -0.459)
    """
    extra = top.get(drawn) == min(top.values())
    if len(top) - extra >= count:
        known = {text: logprob for text, logprob in top.items() if is_name(text)}
        return known, max((logprob for text, logprob in top.items() if text not in known), default=-math.inf)
    behind = np.maximum.accumulate(list(top.values())[::-1])[::-1]
    known = {
        text: logprob
        for (text, logprob), most in zip(top.items(), behind, strict=True)
        if is_name(text) and logprob >= most
    }
    rest = 1 - sum(map(math.exp, known.values()))
    return known, math.log(rest) if rest > 0 else -math.inf


def _bytes(token: str) -> bytes:
    return token.encode() if is_name(token) else b""


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        cause = "this server reads texts, and here one ends inside of a character, or holds a byte that is part of none"
        raise Problem(cause, "go to the end of the character") from error


def _spans(ends: Ids) -> list[tuple[int, int]]:
    stops = ends.tolist()
    return list(zip([0, *stops[:-1]], stops, strict=True))
