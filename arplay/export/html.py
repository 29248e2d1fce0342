"""A scored document as HTML: its tokens on the heatmap's colours, as a notebook shows them.

Nothing of the document, the model or their names is markup: every text goes through :func:`arplay.core.signs.markup`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arplay.core import measures
from arplay.core.chain import Ledger
from arplay.core.format import nats_or_bits, percent
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import markup, safe
from arplay.export.colours import COOL_ON_BLACK, COOL_ON_WHITE, ON_BLACK, ON_WHITE, Rgb, is_dark_ink
from arplay.export.scales import UNSCORED, Scale

MOST = 2000
"""Tokens that are shown; of a longer document it is said how many are not."""

Place = tuple[int, int]
"""Row and column, from 0."""
WIDE = 900
"""Pixels that a row of squares takes at most, where there are not too many."""
_FRAME = "font-family:monospace;background:#ffffff;color:#1b1e25;padding:8px 12px;line-height:1.7"
_GRID = "display:inline-grid;gap:2px"
_TOKEN = "border-radius:2px;padding:1px"
_QUIET = "font-size:85%;color:#5a6270"
_UNSCORED = "background:repeating-linear-gradient(135deg,#ffffff 0 4px,#d9dce3 4px 6px);color:#1b1e25"


@dataclass(frozen=True, slots=True)
class Look:
    """How tokens have the colours of ``scale``: each by itself, as a notebook needs it, or ``classed``, by the style
    sheet of a page (:func:`classes`)."""

    scale: Scale
    classed: bool = False

    def named(self, name: str, style: str) -> str:
        return f'class="{name}"' if self.classed else f'style="{style}"'

    def token(self, shade: int, place: Place | None = None) -> str:
        """``place``: its row and column, where it has them."""
        known = shade != UNSCORED
        if self.classed:
            where = "" if place is None else f" r{place[0]} c{place[1]}"
            return f'class="{f"s{shade}" if known else "u"}{where}"'
        where = "" if place is None else f";grid-area:{place[0] + 1}/{place[1] + 1}"
        style = _style(self.scale.colours(ON_WHITE, COOL_ON_WHITE)[shade]) if known else _UNSCORED
        return f'style="{style}{where};{_TOKEN}"'


def classes(scale: Scale, rows: int = 0, columns: int = 0) -> str:
    """A style sheet for what is ``classed``, on light and on dark ground; with places for so many rows and columns."""
    light, dark = (
        "".join(f".s{shade}{{{_style(rgb)}}}" for shade, rgb in enumerate(scale.colours(*ramps)))
        for ramps in ((ON_WHITE, COOL_ON_WHITE), (ON_BLACK, COOL_ON_BLACK))
    )
    places = [f".r{row}{{grid-row:{row + 1}}}" for row in range(rows)]
    places += [f".c{column}{{grid-column:{column + 1}}}" for column in range(columns)]
    if columns:  # squares: what each is stands at the mouse
        side = min(max(WIDE // columns, 4), 40)
        places.append(f".grid span{{width:{side}px;height:{side}px;padding:0;font-size:0}}")
    return (
        f".frame{{{_FRAME}}}.frame span{{{_TOKEN}}}.grid{{{_GRID}}}.quiet{{{_QUIET}}}.u{{{_UNSCORED}}}{light}"
        f"{''.join(places)}\n@media (prefers-color-scheme:dark){{.frame{{background:{ON_BLACK[0]};color:#e6e8ee}}"
        f".quiet{{color:#aab2c0}}{dark}}}\n"
    )


def coloured(
    ledger: Ledger, tokens: TokenSet, head: Sequence[str], most: int = MOST, scale: Scale | None = None
) -> str:
    """One ``<div>``: the lines of ``head``, the legend, and a cell a token; pointing at it tells its figures.

    The colour of a token is that of its figure on ``scale`` (its surprisal -log p in nats), as in the window on a light
    ground. At most ``most`` tokens are shown.
    """
    look = Look(usual(scale))
    lines = [*(_quiet(markup(line), look) for line in head), legend(ledger, look)]
    lines.append(cells(ledger, tokens, look, 0, min(most, len(ledger))))
    if len(ledger) > most:
        lines.append(_quiet(f"… and {len(ledger) - most:,} more tokens, which are in every figure above", look))
    return framed("".join(lines), look)


def usual(scale: Scale | None) -> Scale:
    """That of surprisals, where no other one is chosen."""
    return Scale(measures.of("surprisal")) if scale is None else scale


def framed(inside: str, look: Look) -> str:
    return f"<div {look.named('frame', _FRAME)}>{inside}</div>"


def _quiet(inside: str, look: Look) -> str:
    return f"<div {look.named('quiet', _QUIET)}>{inside}</div>"


def legend(ledger: Ledger, look: Look) -> str:
    """What the colours mean."""
    marks = " ".join(_span(look.token(shade), f"{words:>2}") for words, shade in look.scale.marks(ledger))
    return _quiet(f"{markup(look.scale.said)}: {marks}", look)


def cells(ledger: Ledger, tokens: TokenSet, look: Look, first: int, stop: int) -> str:
    """Tokens [first, stop) on their colours."""
    shades, places = look.scale.shade(look.scale.measure.values(ledger, first, stop)), places_of(ledger, first, stop)
    found = zip(shades.tolist(), places or [None] * (stop - first), strict=True)
    made = [_cell(ledger, first + at, tokens, look, shade, place) for at, (shade, place) in enumerate(found)]
    return f"<div{' ' + look.named('grid', _GRID) if places else ''}>{''.join(made)}</div>"


def places_of(ledger: Ledger, first: int, stop: int) -> list[Place | None]:
    """Row and column of tokens [first, stop), of a document whose tokens have both; else nothing."""
    where = ledger.encoded.part(first, stop).record()
    if "row" not in where or "column" not in where:
        return []
    return list(zip(where["row"].tolist(), where["column"].tolist(), strict=True))


def _cell(ledger: Ledger, i: int, tokens: TokenSet, look: Look, shade: int, place: Place | None) -> str:
    said, figures = ledger.encoded.said(i, tokens), [f"token {i + 1:,}, id {int(ledger.ids[i])}"]
    if place is not None:
        figures, said = [said, *figures], tokens.label(int(ledger.ids[i]))
    if math.isnan(float(ledger.logprob[i])) or i >= ledger.done:
        figures.append("not scored")
    else:
        logprob, rank, entropy = float(ledger.logprob[i]), int(ledger.rank[i]), float(ledger.entropy[i])
        figures += [f"log p {nats_or_bits(logprob, 'nats', 4)}", f"p {percent(math.exp(logprob))}"]
        figures += [f"rank {rank:,}"] if rank else []
        if not math.isnan(entropy):
            figures.append(f"entropy {nats_or_bits(entropy, 'nats', 4)}")
            figures.append(f"−log p − entropy {nats_or_bits(-logprob - entropy, 'nats', 4)}")
        figures.append(f"context {int(ledger.context_of(np.array(i))):,}")
    figures.append(ledger.encoded.remark(i))
    title = html.escape(safe(" · ".join(filter(None, figures))))
    after = "" if place is not None else "<br>" if said.endswith("↵") else "<wbr>"
    return _span(look.token(shade, place), said, title) + after


def _span(look: str, said: str, title: str = "") -> str:
    told = f' title="{title}"' if title else ""
    return f"<span {look}{told}>{markup(said)}</span>"


def _style(ground: Rgb) -> str:
    return f"background:{_hex(ground)};color:{'#000000' if is_dark_ink(ground) else '#ffffff'}"


def _hex(rgb: Rgb) -> str:
    return "#" + bytes(rgb).hex()
