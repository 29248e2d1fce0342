"""Distributions and ledgers as records: lists of plain dicts that become CSV rows or JSON objects.

Log-probs and entropies are in nats. What was not scored is None (null, an empty cell); minus infinity stays itself
until it is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST, Ledger, underflows
from arplay.core.decoding.pipeline import Decoded
from arplay.core.distribution import LN2, Distribution
from arplay.core.format import power_of_ten
from arplay.core.modalities.base import TokenSet
from arplay.core.position import Answer
from arplay.core.timings import Timing
from arplay.core.tree import Step

Record = dict[str, Any]

BLOCK = 4096
"""Records of so many tokens are made at once."""
TIMING_COLUMNS = ("kind", "context", "evaluated", "reused", "seconds", "cache_bytes", "largest_difference")
_RUNNING = ("prob", "running_logprob", "running_prob", "running_prob_mantissa", "running_prob_exponent", "underflows")


def bar_columns(vocabulary: TokenSet) -> tuple[str, ...]:
    """The columns of :func:`items`."""
    return ("id", *vocabulary.record(0), "logprob", "prob", "decoded_prob", "rank")


def token_columns(ledger: Ledger, vocabulary: TokenSet) -> tuple[str, ...]:
    """The columns of :func:`tokens`."""
    where = ledger.encoded.part(0, min(1, len(ledger))).record()
    return ("index", "id", *vocabulary.record(0), *where, "logprob", "rank", "entropy", "context")


def ledger_columns(ledger: Ledger, vocabulary: TokenSet) -> tuple[str, ...]:
    """The columns of :func:`ledger_rows`."""
    return (*token_columns(ledger, vocabulary), *_RUNNING)


def heat_columns(ledger: Ledger, vocabulary: TokenSet) -> tuple[str, ...]:
    """The columns of :func:`flat` rows."""
    label = next(iter(vocabulary.record(0)))
    best = (f"best{n}_{what}" for n in range(1, BEST + 1) for what in (label, "logprob"))
    return (*token_columns(ledger, vocabulary), "prob", "surprisal_minus_entropy", *best)


def is_text(column: str) -> bool:
    """Whether a column holds texts, which may look like numbers."""
    return column.rpartition("_")[2] in ("text", "bytes", "kind") and not column.startswith(("byte_", "cache_"))


def items(distribution: Distribution, decoded: Decoded, vocabulary: TokenSet, ids: Iterable[int]) -> list[Record]:
    """One record a token: the model's own log-prob, probability and rank, and the probability after decoding."""
    return [_item(distribution, decoded, vocabulary, int(id)) for id in ids]


def _item(distribution: Distribution, decoded: Decoded, vocabulary: TokenSet, id: int) -> Record:
    logprob, after = distribution.logprob(id), decoded.distribution.logprob(id)
    return {
        "id": id,
        **vocabulary.record(id),
        "logprob": logprob,
        "prob": None if logprob is None else math.exp(logprob),
        "decoded_prob": None if after is None else math.exp(after),
        "rank": distribution.rank(id),
    }


def bars(
    answer: Answer,
    distribution: Distribution,
    decoded: Decoded,
    vocabulary: TokenSet,
    before: Mapping[str, Any],
    top: int,
    find: str | None = None,
) -> Record:
    """The next-token distribution as ``arplay next --json`` gives it, less the model.

    ``distribution`` is that of ``answer``, ``before`` what its document shows before the place. ``ids`` of the prefix
    are all the tokens of the chain, those that stand before the text (the first-token rule) included. ``top``: how
    many of the most probable tokens are listed.
    """
    shown = distribution.top(top)
    count, prob = distribution.rest(shown)
    nats = distribution.entropy
    found = vocabulary.find(find) if find else []
    return {
        "prefix": {**before, "ids": [*answer.lead, *answer.prefix.ids.tolist()]},
        "entropy": {"nats": nats, "bits": None if nats is None else nats / LN2},
        "top": items(distribution, decoded, vocabulary, shown.tolist()),
        "rest": {"count": count, "prob": prob},
        "found": items(distribution, decoded, vocabulary, found),
    }


def token_table(ledger: Ledger, vocabulary: TokenSet) -> dict[str, Sequence[Any]]:
    """The columns of a scored document by name, n values each; ``context``: tokens that the model had read before."""
    return _columns(ledger, vocabulary, ledger.encoded.record(), 0, len(ledger))


def tokens(ledger: Ledger, vocabulary: TokenSet) -> list[Record]:
    """The same, one record a token."""
    return [row for block in token_blocks(ledger, vocabulary) for row in block]


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """The same, made a block at a time whenever they are gone through: a million are never there at once."""

    ledger: Ledger
    vocabulary: TokenSet

    def blocks(self) -> Iterator[list[Record]]:
        return token_blocks(self.ledger, self.vocabulary)

    def __iter__(self) -> Iterator[Record]:
        return (row for block in self.blocks() for row in block)


def token_blocks(
    ledger: Ledger, vocabulary: TokenSet, spans: Iterable[tuple[int, int]] | None = None
) -> Iterator[list[Record]]:
    """The same of all tokens, or of those in ``spans``, :data:`BLOCK` of them at a time."""
    where = ledger.encoded.record()
    for first, last in ((0, len(ledger)),) if spans is None else spans:
        for start in range(first, last, BLOCK):
            columns = _columns(ledger, vocabulary, where, start, min(start + BLOCK, last))
            yield [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _columns(
    ledger: Ledger, vocabulary: TokenSet, where: Mapping[str, NDArray[Any]], first: int, stop: int
) -> dict[str, Sequence[Any]]:
    """Of tokens [first, stop)."""
    rows, cut = np.arange(first, stop), slice(first, stop)
    ids, logprob, rank, entropy = ledger.ids[cut].tolist(), ledger.logprob[cut], ledger.rank[cut], ledger.entropy[cut]
    known = {id: vocabulary.record(id) for id in set(ids)}
    scored = ~np.isnan(logprob) & (rows < ledger.done)
    return {
        "index": range(first, stop),
        "id": ids,
        **{name: [known[id][name] for id in ids] for name in vocabulary.record(0)},
        **{name: values[cut].tolist() for name, values in where.items()},
        "logprob": _known(logprob, scored),
        "rank": _known(rank, scored & (rank > 0)),
        "entropy": _known(entropy, scored & ~np.isnan(entropy)),
        "context": ledger.context_of(rows).tolist(),
    }


def totals(ledger: Ledger) -> Record:
    """The figures of a whole document: sums over scored tokens, units (bytes, pixels) are theirs.

    ``notes`` belong to all of them.
    """
    sums = ledger.totals
    units = sums.unit.many
    return {
        "tokens": sums.tokens,
        "scored": sums.scored,
        units: sums.units,
        f"{units}_total": sums.units_total,
        **dict(sums.counts),
        "nll_nats": sums.nll_nats,
        "nll_bits": sums.nll_bits,
        "perplexity": sums.perplexity,
        sums.unit.key: sums.bits_per_unit,
        "first_token": sums.first_token,
        "window": sums.window,
        "stride": sums.stride,
        "notes": [note.sentence for note in ledger.notes],
    }


def comments(sums: Record) -> list[str]:
    """The totals as lines for a CSV file."""
    figures = [f"{key}: {'' if value is None else value}" for key, value in sums.items() if key != "notes"]
    return [*figures, *(f"note: {sentence}" for sentence in sums["notes"])]


def ledger_rows(ledger: Ledger, vocabulary: TokenSet) -> list[Record]:
    """The chain rule, a row a token: log p, p, their running sum and product (plain and as a power of ten)."""
    rows = tokens(ledger, vocabulary)
    for row, running in zip(rows, ledger.running.tolist(), strict=True):
        mantissa, exponent = power_of_ten(running)
        row["prob"] = None if row["logprob"] is None else math.exp(row["logprob"])
        row["running_logprob"] = running
        row["running_prob"] = math.exp(running)
        row["running_prob_mantissa"], row["running_prob_exponent"] = mantissa, exponent
        row["underflows"] = underflows(running)
    return rows


def heat_rows(ledger: Ledger, vocabulary: TokenSet) -> list[Record]:
    """What the heatmap shows of every token: its figures and the tokens that were expected most."""
    rows, label = tokens(ledger, vocabulary), next(iter(vocabulary.record(0)))
    for index, row in enumerate(rows):
        row["prob"] = None if row["logprob"] is None else math.exp(row["logprob"])
        known = row["logprob"] is not None and row["entropy"] is not None
        row["surprisal_minus_entropy"] = -row["logprob"] - row["entropy"] if known else None
        best = ledger.best.at(index) if index < ledger.done else ()
        row["best"] = [{"id": id, label: vocabulary.record(id)[label], "logprob": logprob} for id, logprob in best]
    return rows


def step_columns(vocabulary: TokenSet) -> tuple[str, ...]:
    """The columns of :func:`step`."""
    return ("id", *vocabulary.record(0), "logprob", "prob", "decoded_prob", "rank", "u", "context_start")


def step(step: Step, context_start: int, vocabulary: TokenSet) -> Record:
    """A sampled token: ``context_start`` is the token of the chain where what the model had read began."""
    return {
        "id": step.id,
        **vocabulary.record(step.id),
        "logprob": step.logprob,
        "prob": step.prob,
        "decoded_prob": step.decoded_prob,
        "rank": step.rank,
        "u": step.u,
        "context_start": context_start,
    }


def timing_rows(timings: Iterable[Timing]) -> list[Record]:
    """One record a measured answer, the oldest first; tokens of context, of these read and reused, and seconds."""
    return [
        {
            "kind": t.kind,
            "context": t.context,
            "evaluated": t.evaluated,
            "reused": t.reused,
            "seconds": t.seconds,
            "cache_bytes": None if t.kind == "uncached" else t.cache_bytes,
            "largest_difference": t.difference,
        }
        for t in timings
    ]


def flat(row: Record, columns: Iterable[str]) -> Record:
    """A row of :func:`heat_rows` for CSV: the list ``best`` as columns best1_text, best1_logprob, ..."""
    result: Record = dict.fromkeys(columns)
    result |= {name: value for name, value in row.items() if name != "best"}
    for n, best in enumerate(row["best"], start=1):
        result |= {f"best{n}_{name}": value for name, value in best.items() if name != "id"}
    return result


def _known(values: NDArray[np.number[Any]], known: NDArray[np.bool_]) -> list[float | None]:
    return [value if is_known else None for value, is_known in zip(values.tolist(), known.tolist(), strict=True)]
