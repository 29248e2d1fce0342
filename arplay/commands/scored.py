"""A scored text, or several, in lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from arplay.commands import given
from arplay.core.format import nats_and_bits, number, percent_cell, power
from arplay.core.modalities.base import Unit
from arplay.core.reading import FIRST_TOKEN
from arplay.core.signs import safe
from arplay.export import tables, text_set
from arplay.results import Score


def head(score: Score, sums: tables.Record) -> list[str]:
    ledger, totals = score.ledger, score.ledger.totals
    counts = (*totals.counts, (totals.unit.many, totals.units_total))
    counted = ", ".join(f"{count:,} {name}" for name, count in counts)
    lines = [
        *given.title(score.loaded),
        f"{sums['tokens']:,} tokens, {sums['scored']:,} scored; {counted}; "
        f"first token: {FIRST_TOKEN[sums['first_token']]}",
    ]
    if sums["scored"]:
        lines += [
            f"NLL {nats_and_bits(sums['nll_nats'])}; product {power(-sums['nll_nats'])}",
            f"perplexity {number(sums['perplexity'])}"
            + ("" if totals.bits_per_unit is None else f"; {number(totals.bits_per_unit)} {totals.unit.per}"),
        ]
    lines += sums["notes"]
    if len(ledger) and ledger.context[-1] < ledger.context[0] + len(ledger) - 1:
        lines.append(f"longer than the context: windows of {sums['window']:,} tokens, stride {sums['stride']:,}")
    return lines


def tokens(score: Score, rows: list[tables.Record]) -> list[str]:
    ledger, vocabulary, unit = score.ledger, score.loaded.vocabulary, score.ledger.unit
    lines = ["", f"{'index':>7}  {'log p':>10}  {'p':>9}  {'rank':>7}  {'entropy':>8}  token"] if rows else []
    for row, bare in zip(rows, (ledger.starts == ledger.ends).tolist(), strict=True):
        text = vocabulary.label(row["id"]) + (f" (no {unit.many})" if bare else "")
        lines.append(f"{row['index']:>7}  {_figures(row)}  {text}")
    return lines


def parts(rows: list[tables.Record], unit: Unit) -> list[str]:
    corrects = bool(rows) and "corrected_logprob" in rows[0]
    more = f"{'corrected':>10}  " if corrects else ""
    lines = ["", f"{'index':>7}  {'tokens':>6}  {'log p':>10}  {more}{unit.per:>18}  {'entropy':>8}  part"]
    for row in rows:
        if corrects:
            more = f"{number(row['corrected_logprob']):>10}  "
        logprob, bits, entropy = (number(row[name]) for name in ("logprob", unit.key, "entropy"))
        text = safe(row["text"]) + (" (its last token goes on)" if row["crossing"] else "")
        lines.append(f"{row['index']:>7}  {row['tokens']:>6}  {logprob:>10}  {more}{bits:>18}  {entropy:>8}  {text}")
    return lines


def _figures(row: tables.Record) -> str:
    if row["logprob"] is None:
        return f"{'not scored':>10}  {'':>9}  {'':>7}  {'':>8}"
    rank = "—" if row["rank"] is None else f"{row['rank']:,}"
    p, entropy = percent_cell(math.exp(row["logprob"])), number(row["entropy"])
    return f"{number(row['logprob']):>10}  {p:>9}  {rank:>7}  {entropy:>8}"


def together(scores: Sequence[Score]) -> tables.Record:
    """:func:`arplay.export.text_set.together` of them."""
    return text_set.together([score.ledger.totals for score in scores])


def several(scored: Sequence[tuple[str, Score]]) -> list[str]:
    """A line a text, and one for all of them."""
    unit = scored[0][1].ledger.unit
    lines = [
        *given.title(scored[0][1].loaded),
        f"{'tokens':>9}  {'NLL nats':>14}  {'perplexity':>11}  {unit.per:>18}  text",
    ]
    rows = [(name, together([score])) for name, score in scored]
    rows.append((f"all {len(scored):,}", together([score for _, score in scored])))
    for name, row in rows:
        nll, perplexity, bits = (number(row[key]) for key in ("nll_nats", "perplexity", unit.key))
        lines.append(f"{row['tokens']:>9,}  {nll:>14}  {perplexity:>11}  {bits:>18}  {safe(name)}")
    notes = dict.fromkeys(sentence for _, score in scored for sentence in score.notes)
    return [*lines, *notes]
