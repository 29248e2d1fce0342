"""A run that counts: one step, from the texts to an n-gram model and its figures."""

from __future__ import annotations

import time
from collections.abc import Callable

from arplay.models import catalogue
from arplay.training import ngram
from arplay.training.card import write_card
from arplay.training.data import Data, Say
from arplay.training.evaluate import score_model
from arplay.training.run_folder import Plan, Report, RunFolder

LEAST_SCORED = 20_000
"""Tokens of training text that the one report scores, a document at least; and of held-out text, without a recipe."""


def run(folder: RunFolder, plan: Plan, data: Data, say: Say, on_report: Callable[[Report], None]) -> None:
    """Count every training document once, write the model, score it."""
    began = time.monotonic()
    say(f"counting n-grams up to {plan.order}")
    ids = [document for found in data.training.values() for document in found]
    counts = ngram.train(ids, plan.order, plan.vocabulary)
    ngram.save(counts, folder.path)
    seconds = time.monotonic() - began
    say("scoring held-out text")
    model = catalogue.load(str(folder.path), "cpu", "auto", lambda fraction, what: None)
    held = data.held_texts(None if plan.recipe else LEAST_SCORED)
    scores = {source: score_model(model, texts) for source, texts in held.items()}
    own = score_model(model, _some(data))
    nats, tokens, size = (sum(getattr(s, name) for s in scores.values()) for name in ("nats", "tokens", "bytes"))
    report = Report(
        step=1,
        steps=1,
        tokens=plan.tokens,
        seconds=seconds,
        loss=own.nats / own.tokens,
        held_out=nats / tokens,
        bits_per_byte=own.bits_per_byte,
        held_out_bits_per_byte=type(own)(nats, tokens, size).bits_per_byte,
        tokens_per_second=plan.tokens / seconds,
        seconds_left=0.0,
        rate=1.0,
    )
    figures = {
        source: (f"{len(held[source]):,} of {len(data.held_out[source]):,}", found.bits_per_byte)
        for source, found in scores.items()
    }
    write_card(folder.path, plan, counts.entries, data.described(), figures)
    folder.append(report)
    on_report(report)
    for source, (part, bits) in figures.items():
        say(f"held-out {source}: {part} documents, {bits:.4f} bits per byte")


def _some(data: Data) -> list[str]:
    texts: list[str] = []
    tokens = 0
    for source, found in data.training.items():
        own = (document.text for document in data.texts.training if document.source == source)
        for text, ids in zip(own, found, strict=True):
            if not texts or tokens + len(ids) <= LEAST_SCORED:
                texts.append(text)
                tokens += len(ids)
    return texts
