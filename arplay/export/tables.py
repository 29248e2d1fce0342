"""Distributions and ledgers as records: lists of plain dicts that become CSV rows or JSON objects.

Log-probs and entropies are in nats. What was not scored is None (null, an empty cell); minus infinity stays itself
until it is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from arplay.core.chain import BEST, Ledger, power_of_ten, underflows
from arplay.core.decoding.pipeline import Decoded
from arplay.core.distribution import LN2, Distribution
from arplay.core.pieces import Piece, Vocabulary
from arplay.core.position import Answer
from arplay.core.spans import char_spans
from arplay.core.timings import Timing

Record = dict[str, Any]

BAR_COLUMNS = ("id", "text", "bytes", "logprob", "prob", "decoded_prob", "rank")
TOKEN_COLUMNS = (
    *("index", "id", "text", "bytes", "start", "end", "byte_start", "byte_end"),
    *("logprob", "rank", "entropy", "context"),
)
LEDGER_COLUMNS = (
    *TOKEN_COLUMNS,
    *("prob", "running_logprob", "running_prob", "running_prob_mantissa", "running_prob_exponent", "underflows"),
)
TIMING_COLUMNS = ("kind", "context", "evaluated", "reused", "seconds", "cache_bytes", "largest_difference")
HEAT_COLUMNS = (
    *TOKEN_COLUMNS,
    "prob",
    *(f"best{n}_{what}" for n in range(1, BEST + 1) for what in ("text", "logprob")),
)


def is_text(column: str) -> bool:
    """Whether a column holds texts, which may look like numbers."""
    return column.rpartition("_")[2] in ("text", "bytes", "kind") and not column.startswith(("byte_", "cache_"))


def exact_text(data: bytes) -> str:
    """The text of ``data``; only a byte that is part of no whole character is written as a sign.

    >>> exact_text(" é".encode() + b"\\xe2")
    ' é⟨E2⟩'
    """
    text = data.decode("utf-8", "surrogateescape")
    return "".join(f"⟨{ord(c) - 0xDC00:02X}⟩" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)


def piece_text(piece: Piece) -> str:
    return exact_text(piece.data)


def items(distribution: Distribution, decoded: Decoded, vocabulary: Vocabulary, ids: Iterable[int]) -> list[Record]:
    """One record a piece: the model's own log-prob, probability and rank, and the probability after decoding."""
    return [_item(distribution, decoded, vocabulary, int(id)) for id in ids]


def _item(distribution: Distribution, decoded: Decoded, vocabulary: Vocabulary, id: int) -> Record:
    piece, logprob, after = vocabulary.piece(id), distribution.logprob(id), decoded.distribution.logprob(id)
    return {
        "id": id,
        "text": piece_text(piece),
        "bytes": piece.data.hex(),
        "logprob": logprob,
        "prob": None if logprob is None else math.exp(logprob),
        "decoded_prob": None if after is None else math.exp(after),
        "rank": distribution.rank(id),
    }


def bars(
    answer: Answer,
    distribution: Distribution,
    decoded: Decoded,
    vocabulary: Vocabulary,
    data: bytes,
    top: int,
    find: str | None = None,
) -> Record:
    """The next-piece distribution as ``arplay next --json`` gives it, less the model.

    ``distribution`` is that of ``answer``, ``data`` the text before its caret. ``ids`` of the prefix are all the
    pieces of the chain, those that stand before the text (the first-piece rule) included. ``top``: how many of the
    most probable pieces are listed.
    """
    shown = distribution.top(top)
    count, prob = distribution.rest(shown)
    nats = distribution.entropy
    found = vocabulary.find(find) if find else []
    return {
        "prefix": {"text": exact_text(data), "ids": [*answer.lead, *answer.prefix.ids.tolist()]},
        "entropy": {"nats": nats, "bits": None if nats is None else nats / LN2},
        "top": items(distribution, decoded, vocabulary, shown.tolist()),
        "rest": {"count": count, "prob": prob},
        "found": items(distribution, decoded, vocabulary, found),
    }


def tokens(ledger: Ledger, vocabulary: Vocabulary) -> list[Record]:
    """One record a piece of a scored text.

    ``start`` and ``end`` are the smallest run of code points that the piece's bytes touch; ``context`` is how many
    pieces the model had read before it.
    """
    starts, ends = char_spans(ledger.data, ledger.starts, ledger.ends)
    ids = ledger.ids.tolist()
    known = {id: vocabulary.piece(id) for id in set(ids)}
    columns = {
        "index": range(len(ids)),
        "id": ids,
        "text": [piece_text(known[id]) for id in ids],
        "bytes": [known[id].data.hex() for id in ids],
        "start": starts.tolist(),
        "end": ends.tolist(),
        "byte_start": ledger.starts.tolist(),
        "byte_end": ledger.ends.tolist(),
        "logprob": _known(ledger.logprob),
        "rank": [rank or None for rank in ledger.rank.tolist()],
        "entropy": _known(ledger.entropy),
        "context": ledger.context.tolist(),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def totals(ledger: Ledger) -> Record:
    """The figures of a whole text: sums over scored pieces, ``bytes`` are theirs; ``notes`` belong to all of them."""
    sums = ledger.totals
    return {
        "pieces": sums.pieces,
        "scored": sums.scored,
        "bytes": sums.bytes,
        "bytes_total": sums.bytes_total,
        "characters": sums.characters,
        "nll_nats": sums.nll_nats,
        "nll_bits": sums.nll_bits,
        "perplexity": sums.perplexity,
        "bits_per_byte": sums.bits_per_byte,
        "first_piece": sums.first_piece,
        "window": sums.window,
        "stride": sums.stride,
        "notes": [note.sentence for note in ledger.notes],
    }


def comments(sums: Record) -> list[str]:
    """The totals as lines for a CSV file."""
    figures = [f"{key}: {'' if value is None else value}" for key, value in sums.items() if key != "notes"]
    return [*figures, *(f"note: {sentence}" for sentence in sums["notes"])]


def ledger_rows(ledger: Ledger, vocabulary: Vocabulary) -> list[Record]:
    """The chain rule, a row a piece: log p, p, their running sum and product (plain and as a power of ten)."""
    rows = tokens(ledger, vocabulary)
    for row, running in zip(rows, ledger.running.tolist(), strict=True):
        mantissa, exponent = power_of_ten(running)
        row["prob"] = None if row["logprob"] is None else math.exp(row["logprob"])
        row["running_logprob"] = running
        row["running_prob"] = math.exp(running)
        row["running_prob_mantissa"], row["running_prob_exponent"] = mantissa, exponent
        row["underflows"] = underflows(running)
    return rows


def heat_rows(ledger: Ledger, vocabulary: Vocabulary) -> list[Record]:
    """What the heatmap shows of every piece: its figures and the pieces that were expected most."""
    rows = tokens(ledger, vocabulary)
    best = zip(ledger.best_ids.tolist(), ledger.best_logprobs.tolist(), strict=True)
    for row, (ids, logprobs) in zip(rows, best, strict=True):
        row["prob"] = None if row["logprob"] is None else math.exp(row["logprob"])
        row["best"] = [
            {"id": id, "text": piece_text(vocabulary.piece(id)), "logprob": logprob}
            for id, logprob in zip(ids, logprobs, strict=True)
            if id >= 0
        ]
    return rows


def timing_rows(timings: Iterable[Timing]) -> list[Record]:
    """One record a measured answer, the oldest first; pieces of context, of these read and reused, and seconds."""
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


def flat(row: Record) -> Record:
    """A row of :func:`heat_rows` for CSV: the list ``best`` as columns best1_text, best1_logprob, ..."""
    result: Record = dict.fromkeys(HEAT_COLUMNS)
    result |= row
    for n, best in enumerate(result.pop("best"), start=1):
        result[f"best{n}_text"], result[f"best{n}_logprob"] = best["text"], best["logprob"]
    return result


def _known(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]
