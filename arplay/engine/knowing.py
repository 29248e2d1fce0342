"""What decoding may know at a place: the context of a step, with what second prompts and models say there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np

from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.decoding.stage import Context, Other, Others
from arplay.core.distribution import Distribution, Floats
from arplay.core.errors import Problem
from arplay.core.modalities.base import Ids, TokenSet
from arplay.core.reading import Reading
from arplay.core.stepping import context_of
from arplay.core.windows import windows_of
from arplay.engine.prefixes import Prefixes
from arplay.engine.state import State, in_chunks
from arplay.models import documents, grammar
from arplay.models.base import Model, next_of


@dataclass(slots=True)
class _Beside:
    """The sessions of second prompts, and the second models with theirs, by name."""

    prompts: Prefixes = field(default_factory=Prefixes)
    models: dict[str, tuple[Model, Prefixes]] = field(default_factory=dict)


def known_at(
    state: State,
    chain: Sequence[int] | Ids,
    lead: int,
    pipeline: Pipeline,
    seed: int,
    drawn: Sequence[float],
) -> Context:
    """The context behind ``chain``, which begins with ``lead`` tokens that are no part of the document.

    ``drawn``: log p of those of its tokens that decoding wrote, the last ones. Raises Problem.
    """
    ids: Ids = np.asarray(chain, np.int64)
    recalled = tuple(drawn) if pipeline.recalls else ()
    others = others_at(state, ids, lead, pipeline.wants, len(recalled))
    eos = state.current().alphabet.eos
    return context_of(ids, len(ids) - lead, state.tokens, seed, eos, recalled, grammar.allowed, others)


def left_behind(
    state: State, distribution: Distribution, chain: Sequence[int], ids: Sequence[int], lead: int, pipeline: Pipeline
) -> Floats:
    """log p of the next token after ``pipeline``, in nats, shape (V,), of the model's own ``distribution``.

    It is behind ``chain``, which begins with ``lead`` tokens that are no part of the document, and ``ids``, which
    nobody drew. Raises Problem.
    """
    if not pipeline.stages:
        return distribution.logprobs
    known = known_at(state, [*chain, *ids], lead, pipeline, 0, (math.nan,) * len(ids))
    return decode(distribution, pipeline, known).logprobs


def others_at(state: State, chain: Ids, lead: int, wants: Sequence[tuple[str, str]], written: int) -> Others:
    """What each second prompt (a stage ``guidance``) and second model (``contrastive``) says behind ``chain``.

    A second prompt stands in place of all but the last ``written`` tokens, behind the same lead.
    """
    found: dict[tuple[str, str], Other] = {}
    for stage, name in wants:
        try:
            found[stage, name] = _other(state, chain, lead, stage, name, written)
        except Problem as problem:  # the stage tells it: the model's own distribution is there all the same
            found[stage, name] = problem.cause, problem.remedy
    return found


def _other(state: State, chain: Ids, lead: int, stage: str, name: str, written: int) -> Distribution:
    kept = state.kept(_Beside)
    if stage == "contrastive":
        return _next(state, *_amateur(state, kept, name), chain)
    parts, model = [chain[:lead], chain[len(chain) - written :]], state.current()
    if name:
        prompt = documents.document(name, model.alphabet)
        parts.insert(1, state.encode(prompt, model.alphabet, special=False).ids)
    return _next(state, model, kept.prompts, np.concatenate(parts).astype(np.int64))


def _next(state: State, model: Model, prefixes: Prefixes, chain: Ids) -> Distribution:
    windows = windows_of(model.info.context, len(chain), Reading())
    context = chain[windows.start(len(chain)) :]
    if not (len(context) or model.can.starts_empty):
        raise Problem("guidance has nothing to go on: no second prompt, and nothing written", "name a second prompt")
    with prefixes.session(model.session, context) as session:
        for _ in in_chunks(session, session.read, context[len(session.ids) :], state.pace):
            pass
        return next_of(session)


def _amateur(state: State, kept: _Beside, name: str) -> tuple[Model, Prefixes]:
    if not name:
        raise Problem("contrastive decoding needs a weaker model", "name one, such as contrastive:0.1:NAME")
    if name not in kept.models:
        words = f"loading {PurePath(name).name}, the weaker model"
        state.report(None, words)
        model = state.load(name, "auto", "auto", lambda fraction, what: state.report(fraction, f"{words} · {what}"))
        if not _same(model.alphabet.vocabulary, state.tokens):
            raise Problem(f"{model.info.name} has other tokens than this model", "name a weaker model of the same ones")
        kept.models[name] = model, Prefixes()
    return kept.models[name]


def _same(one: TokenSet, other: TokenSet) -> bool:
    """Whether each id is the same token; two models may well have given the same tokens two names."""
    if one.name == other.name:
        return True
    return len(one) == len(other) and all(one.record(id) == other.record(id) for id in range(len(one)))
