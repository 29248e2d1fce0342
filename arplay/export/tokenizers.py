"""One text under several tokenizers as records: how many tokens it has, and how much of it each holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.core.signs import safe
from arplay.engine.segmentations import Segmented
from arplay.engine.tokenizing import Tokenized
from arplay.export import segmentations
from arplay.export.charts import Shown, Table
from arplay.export.tables import Record

LISTED = 200_000
"""Tokens that are listed of each tokenizer."""


def columns(found: Tokenized) -> tuple[str, ...]:
    """Those of :func:`rows`."""
    unit = next((tokens.unit for _, tokens, _ in found.known), None)
    many = unit.many if unit is not None else "units"
    counts = ("vocabulary", "tokens", many, "characters", "words")
    per = ("tokens_per_word", f"{many}_per_token", "characters_per_token")
    return ("spec", "name", "kind", *counts, *per, "perplexity_of_same_nll", "problem")


def rows(found: Tokenized, nll: float | None = None) -> list[Record]:
    """A record a tokenizer. ``nll``: of the text by the model that is loaded, in nats, where it is known.

    ``perplexity_of_same_nll`` is exp(nll / tokens): what one and the same probability of the text would be called as
    perplexity, if it were counted in these tokens.
    """
    made, names = [], columns(found)
    for each in found.distinct:
        values: list[object] = [each.spec or None, each.name, each.kind or None, *[None] * (len(names) - 4), None]
        if each.tokens is not None and each.encoded is not None:
            n, units, counts = len(each.encoded), each.encoded.units, dict(each.encoded.counts)
            characters, words = counts.get("characters", 0), counts.get("words", 0)
            values[3:8] = [len(each.tokens), n, units, characters, words]
            values[8:12] = [
                n / words if words else None,
                units / n if n else None,
                characters / n if n else None,
                math.exp(nll / n) if nll is not None and n and nll / n < 700 else None,
            ]
        if each.problem is not None:
            values[-1] = "; ".join(each.problem)
        made.append(dict(zip(names, values, strict=True)))
    return made


def record(found: Tokenized, nll: float | None = None) -> Record:
    """The rows, each with its tokens: ids, and the unit where each ends."""
    made = rows(found, nll)
    for row, each in zip(made, found.distinct, strict=True):
        if each.encoded is not None and each.tokens is not None:
            ids = each.encoded.ids[:LISTED].tolist()
            row["ids"], row["ends"] = ids, (found.start + each.encoded.ends[:LISTED]).tolist()
            row["texts"] = [each.tokens.record(id)["text"] for id in ids]
    return {"start": found.start, "text": found.text.shown, "nll_nats": nll, "tokenizers": made}


def nll_of(ledger: Ledger | None, found: Tokenized) -> float | None:
    """-log p of the text in nats, where the ledger is of all of it; None where a token of it is not scored."""
    if ledger is None or not ledger.complete or not ledger.encoded.is_of(found.text) or not ledger.scored.all():
        return None
    return ledger.totals.nll_nats


def sentence(found: Tokenized, nll: float | None) -> str:
    """That perplexity depends on the tokens and bits per byte do not, with the figures of this text."""
    made = [row for row in rows(found, nll) if row["perplexity_of_same_nll"] is not None]
    units = next((encoded.units for _, _, encoded in found.known), 0)
    unit = next((tokens.unit for _, tokens, _ in found.known), None)
    if nll is None or not made or not units or unit is None:
        return "Perplexity is counted in tokens, so it is another number for each tokenizer; bits per byte are not."
    told = ", ".join(
        f"{number(row['perplexity_of_same_nll'], 1)} over {row['tokens']:,} ({row['name']})" for row in made
    )
    bits = number(nll / math.log(2) / units, 3)
    return f"one and the same NLL of {number(nll, 2)} nats is a perplexity of {told}: {unit.per} are {bits} for all"


def tokenizers(shown: Shown) -> Table:
    """Raises Problem where the text was not cut yet."""
    found: Tokenized | Segmented | None = shown.found
    if isinstance(found, Segmented):
        return segmentations.table(shown, found)
    if found is None:
        raise Problem("the text is not cut into tokens yet", "wait a moment, or press Cut")
    nll = nll_of(shown.ledger, found)
    origin = shown.origin()
    content = {"provenance": origin.as_dict()} | record(found, nll)
    return Table(content, rows(found, nll), columns(found), [*origin.lines(), sentence(found, nll)])


def lines(found: Tokenized, cut: bool = True) -> list[str]:
    """The same for a terminal; ``cut``: with the tokens themselves."""
    made: Sequence[Record] = rows(found)
    told = [f"{'vocabulary':>10}  {'tokens':>9}  {'per word':>8}  {'bytes each':>10}  tokenizer"]
    for row, each in zip(made, found.distinct, strict=True):
        if each.problem is not None:
            told.append(f"{'':>10}  {'—':>9}  {'—':>8}  {'—':>10}  {safe(each.name)}: {'; '.join(each.problem)}")
            continue
        figures = [number(row[name], 2) for name in columns(found)[8:10]]
        told.append(
            f"{row['vocabulary']:>10,}  {row['tokens']:>9,}  {figures[0]:>8}  {figures[1]:>10}  "
            f"{safe(each.name)} ({each.kind})"
        )
    for each, tokens, encoded in found.known if cut else ():
        shown = "|".join(tokens.label(id) for id in encoded.ids[:LISTED].tolist())
        told += ["", f"{safe(each.name)}:", safe(shown)]
    return told
