"""A scoring run as one HTML file that needs nothing else: figures, plots, the coloured text, and where all is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.format import nats_and_bits, number, percent
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import markup
from arplay.export.html import coloured
from arplay.export.plot_svg import drawn
from arplay.export.plots import BY_NAME, How
from arplay.export.provenance import Provenance
from arplay.export.scales import Scale
from arplay.export.tables import Record
from arplay.export.writers import to_json

MOST = 20_000
"""Tokens whose colours a report shows; its figures are of all."""
LISTED = 12
"""Tokens in each list of the extremes."""

_STYLE = """
body{font-family:system-ui,sans-serif;color:#1b1e25;background:#fff;max-width:1000px;margin:24px auto;padding:0 16px}
h1{font-size:22px}h2{font-size:17px;margin-top:32px}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:3px 12px 3px 0;text-align:left;font-weight:normal;vertical-align:top}th{color:#5a6270}
td.n{text-align:right}figcaption{font-size:14px;color:#5a6270}
figure{display:inline-block;max-width:460px;margin:8px 16px 16px 0}
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
    scale: Scale | None = None
    """Of the text's colours; None: surprisal."""


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
    plots = "".join(plot.svg for plot in drawn(ledger))
    extremes = "".join(
        f"<h2>{title}</h2>{_listed(one, BY_NAME[name].of(ledger, How()).rows[:LISTED].tolist())}"
        for name, title in (("surprising", "The most surprising tokens"), ("confident", "The most confident tokens"))
    )
    return (
        f"<section><h2>{markup(one.name)}</h2>{_table(_figures(ledger))}{notes}"
        f"<h2>Plots</h2>{plots}{extremes}"
        f"<h2>The text</h2>{coloured(ledger, one.tokens, [], MOST, one.scale)}"
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
    lines = "".join(f"<tr><th>{markup(k)}</th><td>{markup(v)}</td></tr>" for k, v in rows)
    return f"<table><tbody>{lines}</tbody></table>"


def _listed(one: Scoring, indices: Sequence[int]) -> str:
    heads = "".join(
        f"<th>{name}</th>" for name in ("token", "surprisal", "rank", "behind", "which is", "it would have had")
    )
    rows = []
    for index in indices:
        best = one.ledger.best.at(index)
        rather = f"{one.tokens.label(best[0][0])} ({percent(float(np.exp(best[0][1])))})" if best else ""
        rank = int(one.ledger.rank[index])
        cells = (
            f"{index + 1:,}", f"{number(-float(one.ledger.logprob[index]) / LN2)} bits", f"{rank:,}" if rank else "—",
            one.ledger.encoded.tail(index, 30), one.ledger.encoded.said(index, one.tokens), rather,
        )  # fmt: skip
        rows.append("<tr>" + "".join(f"<td><code>{markup(cell)}</code></td>" for cell in cells) + "</tr>")
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
