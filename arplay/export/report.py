"""A scoring run as one HTML file that needs nothing else: figures, plots, the coloured text, and where all is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arplay.core import profiles
from arplay.core.chain import Ledger
from arplay.core.format import nats_and_bits, number, percent
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import markup
from arplay.export.html import coloured
from arplay.export.provenance import Provenance
from arplay.export.svg import Plot
from arplay.export.tables import Record
from arplay.export.writers import to_json

MOST = 20_000
"""Tokens whose colours a report shows; its figures are of all."""
POINTS = 400
"""Of a curve along the text."""
LISTED = 12

_STYLE = """
body{font-family:system-ui,sans-serif;color:#1b1e25;background:#fff;max-width:1000px;margin:24px auto;padding:0 16px}
h1{font-size:22px}h2{font-size:17px;margin-top:32px}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:3px 12px 3px 0;text-align:left;font-weight:normal;vertical-align:top}th{color:#5a6270}
td.n{text-align:right}figure{display:inline-block;margin:8px 16px 8px 0}figcaption{font-size:14px;color:#5a6270}
.note{color:#7c2d05}code{font-family:monospace;white-space:pre-wrap}
"""


@dataclass(frozen=True, eq=False, slots=True)
class Scoring:
    """One document of the report: ``record`` is what ``score --json`` tells of it."""

    name: str
    ledger: Ledger
    tokens: TokenSet
    origin: Provenance
    record: Record


def page(scorings: Sequence[Scoring]) -> str:
    """The whole file. Nothing of the documents is markup; the figures stand in it as JSON, too (``#scores``)."""
    title = "arplay: " + (scorings[0].name if len(scorings) == 1 else f"{len(scorings):,} texts")
    data = to_json([{"text": each.name, **each.record} for each in scorings]).replace("<", "\\u003c")
    body = "".join(_section(each) for each in scorings)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{markup(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{markup(title)}</h1>\n{body}\n"
        f'<script type="application/json" id="scores">{data}</script>\n</body>\n</html>\n'
    )


def _section(one: Scoring) -> str:
    ledger = one.ledger
    notes = "".join(f'<p class="note">{markup(sentence)}</p>' for sentence in one.record["totals"]["notes"])
    plots = "".join(plot.svg for plot in _plots(ledger))
    return (
        f"<section><h2>{markup(one.name)}</h2>{_table(_figures(ledger))}{notes}"
        f"<h2>Surprisal, ranks, calibration</h2>{plots}"
        f"<h2>The most surprising tokens</h2>{_listed(one, profiles.extremes(ledger, LISTED)[0].tolist())}"
        f"<h2>The text</h2>{coloured(ledger, one.tokens, [], MOST)}"
        f"<h2>Where this is from</h2><p>{'<br>'.join(markup(line) for line in one.origin.lines())}</p></section>"
    )


def _figures(ledger: Ledger) -> list[tuple[str, str]]:
    totals = ledger.totals
    counts = [(name, f"{count:,}") for name, count in (*totals.counts, (totals.unit.many, totals.units_total))]
    found = [("tokens", f"{totals.tokens:,}"), ("scored", f"{totals.scored:,}"), *counts]
    found.append(("NLL", nats_and_bits(totals.nll_nats)))
    if totals.perplexity is not None:
        found.append(("perplexity", number(totals.perplexity)))
    if totals.bits_per_unit is not None:
        found.append((totals.unit.per, number(totals.bits_per_unit)))
    return [*found, ("context", f"windows of {totals.window:,} tokens, stride {totals.stride:,}")]


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><th>{markup(k)}</th><td>{markup(v)}</td></tr>" for k, v in rows) + "</table>"


def _listed(one: Scoring, indices: Sequence[int]) -> str:
    heads = "".join(
        f"<th>{name}</th>" for name in ("token", "surprisal", "rank", "behind", "which is", "it would have had")
    )
    rows, values = [], profiles.surprisal(one.ledger)
    for index in indices:
        best = one.ledger.best.at(index)
        rather = f"{one.tokens.label(best[0][0])} ({percent(float(np.exp(best[0][1])))})" if best else ""
        rank = int(one.ledger.rank[index])
        cells = (
            f"{index + 1:,}", f"{number(float(values[index]))} bits", f"{rank:,}" if rank else "—",
            one.ledger.encoded.tail(index, 30), one.ledger.encoded.said(index, one.tokens), rather,
        )  # fmt: skip
        rows.append("<tr>" + "".join(f"<td><code>{markup(cell)}</code></td>" for cell in cells) + "</tr>")
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"


def _plots(ledger: Ledger) -> list[Plot]:
    values = profiles.surprisal(ledger)
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    return [_along(values, known), _histogram(values, known), _ranks(ledger), _calibration(ledger), _contexts(ledger)]


def _along(values: profiles.Floats, known: profiles.Floats) -> Plot:
    width = max(1, len(values) // 50)
    smooth = profiles.rolling_mean(np.where(np.isfinite(values), values, np.nan), width)
    smooth[: min(width, len(values) // 2)] = np.nan  # the mean of fewer
    top = float(np.nanmax(smooth)) * 1.05
    plot = Plot(
        f"Surprisal along the text, mean of the last {width:,} tokens", (0, len(values)), (0, top), "token", "bits"
    )
    at = np.unique(np.linspace(0, len(values) - 1, POINTS).astype(np.int64))
    plot.line(at.tolist(), smooth[at].tolist())
    mean = float(known.mean())
    plot.line([0, len(values)], [mean, mean], "#5a6270", 1)
    plot.label(len(values), f"{len(values):,}")
    return plot


def _histogram(values: profiles.Floats, known: profiles.Floats) -> Plot:
    found = profiles.histogram(values, 1.0)
    plot = Plot("Surprisal of a token", (0, float(found.edges[-1])), (0, float(found.counts.max())), "bits", "tokens")
    for low, high, count in zip(found.edges[:-1], found.edges[1:], found.counts.tolist(), strict=True):
        plot.bar(float(low), float(high), count, f"{low:g} to {high:g} bits: {count:,} tokens")
    for tick in range(0, int(found.edges[-1]) + 1, max(1, int(found.edges[-1]) // 8)):
        plot.label(tick, str(tick))
    return plot


def _ranks(ledger: Ledger) -> Plot:
    found = profiles.rank_histogram(ledger)
    bins = len(found.counts)
    plot = Plot("Rank of the token that came", (0, bins), (0, float(found.counts.max()) or 1), "rank", "tokens")
    for at, count in enumerate(found.counts.tolist()):
        low, high = int(found.edges[at]), int(found.edges[at + 1]) - 1
        words = f"{low:,}" if low >= high else f"{low:,} to {high:,}"
        plot.bar(at, at + 1, count, f"rank {words}: {count:,} tokens")
        if bins < 10 or at % 2 == 0:
            plot.label(at + 0.5, f"{low:,}")
    return plot


def _calibration(ledger: Ledger) -> Plot:
    found = profiles.calibration(ledger)
    error = "" if found.error is None else f"; expected calibration error {percent(found.error)}"
    plot = Plot(f"Calibration of the five best{error}", (0, 1), (0, 1), "p that the model gave", "share that came")
    plot.line([0, 1], [0, 1], "#5a6270", 1)
    rows = (each.tolist() for each in (found.claimed, found.came, found.low, found.high, found.counts))
    for claimed, came, low, high, count in zip(*rows, strict=True):
        tip = f"given {percent(claimed)}, came {percent(came)} ({percent(low)} to {percent(high)}), {count:,} times"
        plot.dot(claimed, came, low, high, tip)
    for tick in (0, 0.5, 1):
        plot.label(tick, f"{tick:g}")
    return plot


def _contexts(ledger: Ledger) -> Plot:
    first, mean, counts = (each.tolist() for each in profiles.by_context(ledger))
    finite = [value for value in mean if np.isfinite(value)]
    plot = Plot("Surprisal by context", (0, len(first)), (0, max(finite, default=1.0)), "tokens before", "bits")
    for at, (low, value, count) in enumerate(zip(first, mean, counts, strict=True)):
        plot.bar(at, at + 1, min(value, plot.y[1]), f"from {low:,} tokens on: {number(value)} bits, {count:,} tokens")
        plot.label(at + 0.5, f"{low:,}")
    return plot
