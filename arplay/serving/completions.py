"""What a completions request asks of a model, and its answer: ``/v1/completions`` and ``/tokenize``, without a network.

OpenAI's form of 2023, with what it leaves out: log-probs of the prompt (``echo``), ids and bytes of every token.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arplay import api
from arplay.core.chain import BEST, Ledger
from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet
from arplay.core.reading import Reading
from arplay.export.tables import Record
from arplay.models import documents
from arplay.results import Score

MOST_PROMPTS = 256
MOST_STOPS = 16
MOST_TOKENS = 1 << 17
"""So many tokens are written at most, and of so many of a request log-probs are told: a model may have no limit."""
TOO_MANY = f"log-probs of more than {MOST_TOKENS:,} tokens are asked; make several requests of it"
LEAST = -9999.0
"""The log-prob that stands for minus infinity, for which JSON has no number; OpenAI's answers have it, too."""
NEUTRAL: Mapping[str, Any] = {"n": 1, "best_of": 1, "stream": False, "suffix": "", "logit_bias": {}}
"""Fields of OpenAI's that change nothing with these values; whatever else is asked cannot be followed, and is told."""
STAGES = {
    "temperature": "temperature",
    "top_p": "top-p",
    "top_k": "top-k",
    "min_p": "min-p",
    "presence_penalty": "presence",
    "frequency_penalty": "frequency",
    "repetition_penalty": "repetition",
}
"""Fields that are decoding stages, in the order in which they act after the penalties."""
OWN = ("prompt", "model", "max_tokens", "seed", "stop", "echo", "logprobs")


class Refused(Exception):  # noqa: N818 - an answer
    """A request that cannot be followed: it is told with this HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt of a request, checked. ``prompt``: a text, or ids that are read exactly, with nothing before them."""

    prompt: str | tuple[int, ...]
    most: int
    pipeline: tuple[tuple[str, float], ...]
    seed: int
    stops: tuple[str, ...]
    echo: bool
    logprobs: int | None


def asked(body: Any, vocabulary: TokenSet) -> list[Asked]:
    """Each prompt of the request. Raises Refused."""
    if not isinstance(body, dict):
        raise Refused(400, "the body is no JSON object")
    for name, value in body.items():
        known = name in OWN or name in STAGES or name == "user"
        if not known and value is not None and (name not in NEUTRAL or value != NEUTRAL[name]):
            raise Refused(400, f"{str(name)[:40]} = {str(value)[:40]} is not served; leave it out")
    given = ((name, body.get(name)) for name in reversed(STAGES))  # penalties first
    stages = [(STAGES[name], _number(name, value)) for name, value in given if value is not None]
    stops = body.get("stop") or []
    stops = [stops] if isinstance(stops, str) else stops
    if not isinstance(stops, list) or len(stops) > MOST_STOPS or not all(isinstance(s, str) and s for s in stops):
        raise Refused(400, f"stop is a text or up to {MOST_STOPS} of them")
    logprobs = body.get("logprobs")
    logprobs = BEST if logprobs is True else None if logprobs is False else logprobs
    if logprobs is not None and not (type(logprobs) is int and 0 <= logprobs <= BEST):
        raise Refused(400, f"logprobs is a whole number from 0 to {BEST}")
    most, seed = (_whole(body, name, default) for name, default in (("max_tokens", 16), ("seed", 0)))
    if most > MOST_TOKENS:
        raise Refused(400, f"max_tokens is at most {MOST_TOKENS:,}")
    if not isinstance(echo := body.get("echo") or False, bool):
        raise Refused(400, "echo is true or false")
    rest = (most, tuple(stages), seed, tuple(stops), echo, logprobs)
    return [Asked(prompt, *rest) for prompt in _prompts(body.get("prompt"), len(vocabulary))]


def complete(model: api.Model, one: Asked, index: int, check: Callable[[], None]) -> Record:
    """The choice with this index; ``check`` may raise between two tokens. Raises Refused."""
    vocabulary, coder, context = model.vocabulary, model.backend.alphabet, model.info.context
    if not documents.reads_text(coder):
        raise Refused(400, "this model reads no text, so it completes none")
    model.reading = _reading(model, one)
    try:
        if isinstance(one.prompt, str):
            document = documents.document(one.prompt, coder)
        else:
            document = documents.text_of_ids(one.prompt, coder)
        prompt = model.encode(document)
        read = len(prompt)
        if context is not None and read > context + 1:
            raise Refused(400, f"this prompt has {read:,} tokens, and the context is {context:,}")
        sample, finish = None, "length"
        if one.most:
            sample = model.stream(document, one.most, seed=one.seed, pipeline=one.pipeline, stops=one.stops)
            for _ in sample:
                check()
            finish = "length" if sample.stopped in ("length", "context") else "stop"
        drawn = () if sample is None else tuple(sample.ids.tolist())
        whole = document
        if drawn:
            whole = document.followed(prompt, vocabulary, documents.text_of_ids(drawn, coder, not len(document)))
        told = None
        if one.logprobs is not None:
            first = 0 if one.echo else read
            if read + len(drawn) - first > MOST_TOKENS:
                raise Refused(400, TOO_MANY)
            told = _logprobs(model.score(whole), first, one.logprobs, vocabulary)
    except Problem as problem:
        raise Refused(400, str(problem)) from problem
    written = "" if sample is None else sample.text
    before = document.before(document.end)["text"] if one.echo else ""
    return {
        "index": index,
        "text": before + written,
        "finish_reason": finish,
        "token_ids": list(drawn),
        "prompt_tokens": read,
        "logprobs": told,
    }


def tokenize(model: api.Model, body: Any) -> Record:
    """Ids and bytes of a text, as this model's tokenizer cuts it. Raises Refused."""
    text = body.get("prompt", body.get("content")) if isinstance(body, dict) else None
    vocabulary = model.vocabulary
    if not isinstance(text, str) or not documents.reads_text(model.backend.alphabet):
        raise Refused(400, "give a text as prompt (or content), to a model that reads text")
    try:
        model.reading = Reading()
        encoded = model.encode(text)
    except Problem as problem:
        raise Refused(400, str(problem)) from problem
    ids = encoded.ids.tolist()
    spans = zip(encoded.starts.tolist(), encoded.ends.tolist(), strict=True)
    data = text.encode("utf-8")
    return {
        "tokens": ids,
        "count": len(ids),
        "bytes": [data[start:end].hex() for start, end in spans],
        "pieces": [vocabulary.record(id)["text"] for id in ids],
        "max_model_len": model.info.context,
    }


def _logprobs(score: Score, first: int, count: int, vocabulary: TokenSet) -> Record:
    """Of the tokens from ``first`` on: log p in nats (null where not scored), the best, ids and bytes.

    ``text_offset``: the character in which each begins, counted from the beginning of the prompt.
    """
    ledger: Ledger = score.ledger
    ids: list[int] = ledger.ids.tolist()[first:]
    text = [vocabulary.record(id)["text"] for id in ids]
    logprobs = [None if math.isnan(value) else max(value, LEAST) for value in ledger.logprob.tolist()[first:]]
    best = [_best(ledger, first + row, count) for row in range(len(ids))]
    return {
        "tokens": text,
        "token_ids": ids,
        "token_bytes": [vocabulary.record(id).get("bytes") for id in ids],
        "token_logprobs": logprobs,
        "top_logprobs": [
            {vocabulary.record(id)["text"]: logprob for id, logprob in row.items()} or None for row in best
        ],
        "top_tokens": [[{"id": id, "logprob": logprob} for id, logprob in row.items()] for row in best],
        "ranks": [rank or None for rank in ledger.rank.tolist()[first:]],
        "text_offset": ledger.encoded.record()["start"].tolist()[first:],
    }


def _best(ledger: Ledger, row: int, count: int) -> dict[int, float]:
    """The ``count`` most probable tokens, and the one that came, as OpenAI's answers have it."""
    if not count or math.isnan(ledger.logprob[row]):
        return {}
    told = (*ledger.best.at(row)[:count], (int(ledger.ids[row]), float(ledger.logprob[row])))
    return {id: max(logprob, LEAST) for id, logprob in told}


def _reading(model: api.Model, one: Asked) -> Reading:
    """A text is read as everywhere; ids have nothing put before them."""
    alone = not isinstance(one.prompt, str) and (model.backend.alphabet.lead or not model.backend.can.starts_empty)
    return Reading(first_token="unscored" if alone else "auto")


def _prompts(prompt: Any, size: int) -> Iterator[str | tuple[int, ...]]:
    """Each of them. Raises Refused."""
    several = isinstance(prompt, list) and (not prompt or type(prompt[0]) is not int)
    prompts = prompt if several else [prompt]
    if not 1 <= len(prompts) <= MOST_PROMPTS:
        raise Refused(400, f"give 1 to {MOST_PROMPTS} prompts")
    for each in prompts:
        if isinstance(each, str):
            yield each
        elif isinstance(each, list) and each and all(type(id) is int for id in each):
            if not 0 <= min(each) <= max(each) < size:
                raise Refused(400, f"an id is outside of the vocabulary of {size:,}")
            yield tuple(each)
        else:
            raise Refused(400, "prompt is a text, a list of ids, or a list of either")


def _number(name: str, value: Any) -> float:
    """Whole where it came so; the stage says whether it may be."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -math.inf < value < math.inf:
        raise Refused(400, f"{name} is no number")
    return value


def _whole(body: Mapping[str, Any], name: str, default: int) -> int:
    value = default if body.get(name) is None else body[name]
    if type(value) is not int or value < 0:
        raise Refused(400, f"{name} is no whole number from 0")
    return value
