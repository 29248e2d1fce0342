"""A server that knows tokens by their ids, as vLLM does: the prompt goes there as ids, which nobody cuts anew.

``/tokenize`` and ``/detokenize`` say how a text is cut and what an id writes, ``prompt_logprobs`` what a token of the
prompt was worth, and ``return_tokens_as_token_ids`` which ids come next
(docs.vllm.ai, "OpenAI-Compatible Server").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from arplay.core.chain import BEST
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import Tokens
from arplay.core.recent import Recent
from arplay.core.signs import safe
from arplay.models.alphabets.spelling import BYTE, byte_level_bytes
from arplay.models.alphabets.text import lead_of
from arplay.models.base import Scores
from arplay.models.families.remote import answers as remote_answers
from arplay.models.families.remote.answers import KEPT, Server, ends_of
from arplay.models.families.remote.http import Refused
from arplay.models.families.remote.tokens import SeenTokens

_PROBE = "The quick brown fox"
_COUNTS = (50, 20, 5, 1)
_PREFIX = "token_id:"


class ByIds:
    """What a server says, id by id. Raises Refused where it does not know tokens by their ids."""

    no_scores = ""
    notes: tuple[str, ...] = ()

    def __init__(self, server: Server, tokens: SeenTokens, context: int | None) -> None:
        self._server, self._tokens, self._next = server, tokens, Recent[tuple[int, ...], Distribution](KEPT)
        self._root = server.address.path.removesuffix("/v1")
        self.context = None if context is None else max(1, context - 1)  # one token is drawn, and has to fit
        plain, whole = (self._cut(_PROBE, special) for special in (False, True))
        if not plain["tokens"]:
            raise Refused(f"{server.where} cuts a text into nothing", "use another server", 400)
        self._anchor = plain["tokens"][0]
        self._anchor_text = self._says([self._anchor])
        lead = lead_of(whole["tokens"], plain["tokens"])
        names = whole["token_strs"] or [None] * len(whole["tokens"])
        self.lead = tuple(
            tokens.learn((name or f"<token {id}>").encode(), id, special=True)
            for id, name in zip(lead, names, strict=False)
        )
        asked = [self._tokens.theirs(id) for id in self.cut(_PROBE.encode(), True).ids.tolist()]
        self.count = self._most(asked)
        self._of_prompt(asked)

    def cut(self, data: bytes, start: bool) -> Tokens:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            cause = "the server's tokenizer takes no byte that is part of no character"
            raise Problem(cause, "remove the broken character") from error
        if not text:
            return Tokens(np.zeros(0, np.int64), np.zeros(0, np.int64))
        told = self._cut(text, False)
        spelt = _spelt(told["token_strs"], data)
        if len(spelt) == len(told["tokens"]):
            ids = [self._tokens.learn(part, id) for id, part in zip(told["tokens"], spelt, strict=True)]
        else:
            ids = [self._learn(id) for id in told["tokens"]]
        special = self._tokens.vocabulary.special
        written = [b"" if id in special else self._tokens.written(id) for id in ids]
        return Tokens(np.array(ids, np.int64), ends_of(data, written))

    def scores(self, ids: Sequence[int], fresh: bool) -> Scores:
        """Of every token of a chain. The server is asked each time, so all answers are ``fresh``."""
        theirs = [self._tokens.theirs(id) for id in ids]
        scores = remote_answers.empty_scores(len(ids))
        for row, told in enumerate(self._of_prompt(theirs)):
            mine = None if told is None else told.get(str(theirs[row]))
            if told is None or mine is None:
                continue
            best = sorted(told.items(), key=lambda one: -one[1]["logprob"])[:BEST]
            known = [(self._learn(_id(name)), each["logprob"]) for name, each in best]
            remote_answers.put(scores, row, mine["logprob"], mine["rank"] or 0, known)
        return remote_answers.rows(scores, 0, len(ids))

    def following(self, ids: Sequence[int]) -> Distribution:
        def ask() -> Distribution:
            top = self._after([self._tokens.theirs(id) for id in ids], self.count)
            best = sorted(top, key=lambda id: -top[id])[: self.count]
            known = {self._learn(id): top[id] for id in best}
            return remote_answers.distribution(known, len(self._tokens), self.count)

        return self._next.get(tuple(ids), ask)

    def _most(self, theirs: list[int]) -> int:
        for count in _COUNTS[:-1]:
            try:
                self._after(theirs, count)
                return count
            except Refused as refused:
                if refused.status not in (400, 422):
                    raise
        return _COUNTS[-1]

    def _after(self, theirs: list[int], count: int) -> dict[int, float]:
        answer = self._server.complete(theirs, logprobs=count, return_tokens_as_token_ids=True)
        top = answer.tops[-1] if answer.tops else None
        if not top:
            raise Problem(f"{self._server.where} tells no log-probs", "start it so that it does")
        return {_id(name.removeprefix(_PREFIX)): value for name, value in top.items()}

    def _of_prompt(self, theirs: list[int]) -> Sequence[dict[str, dict[str, Any]] | None]:
        told = self._server.complete(theirs, prompt_logprobs=min(BEST, self.count)).of_prompt
        if told is None or len(told) != len(theirs):
            raise Refused(f"{self._server.where} gives no prompt_logprobs", "use another server", 400)
        return told

    def _cut(self, text: str, special: bool) -> dict[str, Any]:
        body = {"prompt": text, "add_special_tokens": special, "return_token_strs": True}
        told: dict[str, Any] = self._server.ask(f"{self._root}/tokenize", remote_answers.IDS, self._named(body))
        return told

    def _says(self, theirs: list[int]) -> str:
        told = self._server.ask(f"{self._root}/detokenize", remote_answers.TEXT, self._named({"tokens": theirs}))
        text: str = told["prompt"]
        return text

    def _named(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"model": self._server.address.model, **body}

    def _learn(self, theirs: int) -> int:
        """The token of an id, which writes what it adds behind another: alone, some decoders drop its space."""
        known = self._tokens.known(theirs)
        if known is not None:
            return known
        text = self._says([self._anchor, theirs])
        added = text.removeprefix(self._anchor_text)
        if text.startswith(self._anchor_text) and remote_answers.is_name(added):
            return self._tokens.learn(added.encode(), theirs)
        return self._tokens.learn(f"<token {theirs}>".encode(), theirs, special=True)  # a part of a character, or none


def _id(name: str) -> int:
    """Raises Problem for what is no id."""
    if not re.fullmatch("[0-9]{1,9}", name):
        raise Problem(f"the server names a token by {safe(name[:40])}, not by an id", "use another server")
    return int(name)


def _spelt(tokens: Sequence[str] | None, data: bytes) -> list[bytes]:
    """The bytes of tokens that are given as vocabularies spell them, where they are exactly ``data``; else none.

    >>> _spelt(["The", "Ġfox"], b"The fox"), _spelt(["▁The", "▁fox"], b"The fox")
    ([b'The', b' fox'], [b' The', b' fox'])
    """
    for spell in (byte_level_bytes, _sentence_piece):
        parts = [spell(token) for token in tokens or ()]
        if b"".join(parts) in (data, b" " + data):
            return parts
    return []


def _sentence_piece(token: str) -> bytes:
    if found := BYTE.fullmatch(token):
        return bytes([int(found[1], 16)])
    return token.replace("▁", " ").encode("utf-8", "surrogatepass")
