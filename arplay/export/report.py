"""A scoring run as one HTML file that needs nothing else: figures, plots, the coloured text, and where all is from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from arplay.core.aligned import farthest
from arplay.core.chain import Ledger
from arplay.core.distribution import LN2
from arplay.core.format import nats_and_bits, number, percent
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import markup
from arplay.export import tables, text_set
from arplay.export.html import Look, cells, classes, framed, legend, places_of, usual
from arplay.export.plot_svg import drawn
from arplay.export.plots import BY_NAME, How
from arplay.export.provenance import Provenance
from arplay.export.scales import Scale
from arplay.export.tables import Record
from arplay.export.writers import json_line

MOST, MOST_TOGETHER, LEAST = 20_000, 60_000, 400
"""Tokens of a text that are shown one by one, of all texts together, and of each in any case; figures are of all."""
CHUNK = 5_000
"""Tokens of a part that can be folded."""
PASSAGES, BEFORE, AFTER = 100, 24, 12
"""Of the tokens beyond those: around so many most surprising ones so many before and from each on are shown."""
SECTIONS = 100
"""Texts that have a section of their own."""
LINES = 1_000
"""Of what else was asked of a text."""
LISTED = 12
"""Tokens in each list of the extremes."""

_STYLE = """
:root{color-scheme:light dark}
body{font-family:system-ui,sans-serif;color:#1b1e25;background:#fff;max-width:1000px;margin:24px auto;padding:0 16px}
h1{font-size:22px}h2{font-size:17px;margin-top:32px}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:3px 12px 3px 0;text-align:left;font-weight:normal;vertical-align:top}th{color:#5a6270}
td.n{text-align:right}figcaption{font-size:14px;color:#5a6270}
figure{display:inline-block;max-width:460px;margin:8px 16px 16px 0}
.note{color:#7c2d05}details{margin:4px 0}summary{cursor:pointer;color:#5a6270}
code{font-family:monospace;white-space:pre-wrap}pre{overflow-x:auto;font-size:13px}
@media (prefers-color-scheme:dark){body{color:#e6e8ee;background:#14161b}th,figcaption,summary{color:#aab2c0}
.note{color:#e0974a}svg [fill="#1b1e25"]{fill:#e6e8ee}svg [fill="#5a6270"]{fill:#aab2c0}
svg [stroke="#5a6270"]{stroke:#aab2c0}}
"""


@dataclass(frozen=True, eq=False, slots=True)
class Scoring:
    """One document of the report: ``record`` is what ``score --json`` tells of it, without its tokens."""

    name: str
    ledger: Ledger
    tokens: TokenSet
    origin: Provenance
    record: Record
    scale: Scale | None = None
    """Of the text's colours; None: surprisal."""
    asked: Sequence[str] = ()
    """What else was asked of it (conventions, words, other models), in lines with columns."""


def pieces(scorings: Sequence[Scoring]) -> Iterator[str]:
    """The whole file, a piece at a time. Nothing of the documents is markup; what it shows stands in it as JSON, too
    (``#scores``)."""
    title = "arplay: " + (scorings[0].name if len(scorings) == 1 else f"{len(scorings):,} texts")
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{markup(title)}</title>\n<style>{_STYLE}{_colours(scorings)}</style>\n</head>\n<body>\n<h1>{markup(title)}</h1>\n"
    )
    if len(scorings) > 1:
        yield _overview(scorings)
    shown, most = scorings[:SECTIONS], _most(scorings)
    told = [_told(each.ledger, most) for each in shown]
    for one, spans in zip(shown, told, strict=True):
        yield from _section(one, spans)
    yield '\n<script type="application/json" id="scores">['
    for at, one in enumerate(scorings):
        yield "," * (at > 0)
        record = line(one.name, one.record, one.ledger, one.tokens, told[at] if at < len(told) else [])
        yield from (piece.replace("<", "\\u003c") for piece in record)
    yield "]</script>\n</body>\n</html>\n"


def _colours(scorings: Sequence[Scoring]) -> str:
    """The style sheet of the tokens, which all have the scale of the first text; of pictures with their places."""
    rows = columns = 0
    for one in scorings[:SECTIONS]:
        if places_of(one.ledger, 0, min(1, len(one.ledger))):
            places = [place for place in places_of(one.ledger, 0, len(one.ledger)) if place is not None]
            rows, columns = max(rows, 1 + max(places)[0]), max(columns, 1 + max(column for _, column in places))
    return classes(usual(scorings[0].scale if scorings else None), rows, columns)


def expected(scorings: Sequence[Scoring]) -> float:
    """About how many pieces that is."""
    tokens = sum(min(len(each.ledger), _most(scorings)) for each in scorings[:SECTIONS])
    return 8 * len(scorings) + tokens / CHUNK + tokens / tables.BLOCK


def line(
    name: str, around: Record, ledger: Ledger, tokens: TokenSet, spans: Sequence[tuple[int, int]] | None = None
) -> Iterator[str]:
    """The text ``name`` as a line of JSON, in pieces: ``around`` is its record, whose ``tokens`` are put in here. Of
    some tokens only where ``spans`` are given; it then says how many."""
    record = {"text": name, **around}
    if spans is not None and (count := _count(spans)) < len(ledger):
        record["tokens_told"] = count
    return json_line(record, "tokens", tables.token_blocks(ledger, tokens, spans))


def _most(scorings: Sequence[Scoring]) -> int:
    """Of how many tokens of each text the page tells one by one."""
    return max(LEAST, min(MOST, MOST_TOGETHER // max(1, min(len(scorings), SECTIONS))))


def _count(spans: Sequence[tuple[int, int]]) -> int:
    return sum(stop - first for first, stop in spans)


def _told(ledger: Ledger, most: int) -> list[tuple[int, int]]:
    """The tokens [first, stop) that are shown: all, or the first ones and what stands around the most surprising."""
    n = len(ledger)
    if n <= most:
        return [(0, n)] if n else []
    head = most * 3 // 4
    places = min(PASSAGES, max(1, (most - head) // (BEFORE + AFTER)))
    surprising = np.nan_to_num(-ledger.logprob[head:], nan=-np.inf)
    found = [(0, head)]
    for index in sorted((head + farthest(surprising, places)).tolist()):
        first, stop = max(index - BEFORE, found[-1][1]), min(index + AFTER, n)
        if first == found[-1][1] and len(found) > 1:
            found[-1] = found[-1][0], max(stop, first)
        elif first < stop:
            found.append((first, stop))
    return found


def _overview(scorings: Sequence[Scoring]) -> str:
    """A row a text, and one for all of them."""
    unit = scorings[0].ledger.unit
    together = text_set.together([each.ledger.totals for each in scorings])
    rows = [(each.name, text_set.together([each.ledger.totals])) for each in scorings]
    heads = "".join(f"<th>{head}</th>" for head in ("text", "tokens", "NLL, nats", "perplexity", unit.per))
    lines = "".join(
        f"<tr><td>{markup(name)}</td>"
        + "".join(
            f'<td class="n">{"—" if value is None else f"{value:,}" if isinstance(value, int) else number(value)}</td>'
            for value in (row[key] for key in ("tokens", "nll_nats", "perplexity", unit.key))
        )
        + "</tr>"
        for name, row in (*rows, (f"all {len(scorings):,}", together))
    )
    left = len(scorings) - SECTIONS
    note = f"The first {SECTIONS:,} texts are shown below, {left:,} stand in this table only." if left > 0 else ""
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
        + f'<p class="note">{note}</p>' * bool(note)
    )


def _section(one: Scoring, spans: Sequence[tuple[int, int]]) -> Iterator[str]:
    ledger = one.ledger
    notes = "".join(f'<p class="note">{markup(sentence)}</p>' for sentence in one.record["totals"]["notes"])
    yield f"<section><h2>{markup(one.name)}</h2>{_table(_figures(ledger))}{notes}{_asked(one)}<h2>Plots</h2>"
    for plot in drawn(ledger):
        yield plot.svg
    for name, title in (("surprising", "The most surprising tokens"), ("confident", "The most confident tokens")):
        yield f"<h2>{title}</h2>{_listed(one, BY_NAME[name].of(ledger, How()).rows[:LISTED].tolist())}"
    yield "<h2>The text</h2>"
    yield from _text(one, spans)
    yield f"<h2>Where this is from</h2><p>{'<br>'.join(markup(said) for said in one.origin.lines())}</p></section>"


def _asked(one: Scoring) -> str:
    left = len(one.asked) - LINES
    more = [f"… and {left:,} more lines, which JSON has (arplay score --json)"] if left > 0 else []
    said = "\n".join(markup(line) for line in [*one.asked[:LINES], *more])
    return f"<h2>What else was asked</h2><pre>{said}</pre>" if said else ""


def _text(one: Scoring, spans: Sequence[tuple[int, int]]) -> Iterator[str]:
    """The tokens on their colours; of a long text in parts that can be folded."""
    ledger, look, n = one.ledger, Look(usual(one.scale), classed=True), len(one.ledger)
    if _count(spans) < n:
        said = (
            f"Of {n:,} tokens the first {spans[0][1]:,} are shown, and {_count(spans[1:]):,} around the most "
            "surprising of the others. Figures, plots and lists above are of all of them, and JSON lines (arplay score "
            "--jsonl) have every token."
        )
        yield f'<p class="note">{said}</p>'
    if n <= CHUNK:
        yield framed(legend(ledger, look) + cells(ledger, one.tokens, look, 0, n), look)
        return
    yield framed(legend(ledger, look), look)
    for first, last in spans:
        for start in range(first, last, CHUNK):
            stop = min(start + CHUNK, last)
            is_open = "" if start and first == 0 else " open"
            summary = f"<summary>tokens {start + 1:,} to {stop:,}</summary>"
            yield f"<details{is_open}>{summary}{framed(cells(ledger, one.tokens, look, start, stop), look)}</details>\n"


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
