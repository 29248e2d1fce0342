"""A scored document as HTML: its tokens on the heatmap's colours, as a notebook shows them.

Nothing of the document, the model or their names is markup: every text goes through :func:`arplay.core.signs.markup`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np

from arplay.core import measures
from arplay.core.chain import Ledger
from arplay.core.format import nats_or_bits, percent
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import markup, safe
from arplay.export.colours import COOL_ON_WHITE, ON_WHITE, Rgb, is_dark_ink
from arplay.export.scales import UNSCORED, Scale

MOST = 2000
"""Tokens that are shown; of a longer document it is said how many are not."""

_FRAME = "font-family:monospace;background:#ffffff;color:#1b1e25;padding:8px 12px;line-height:1.7"
_GRID = "display:inline-grid;gap:2px"
_QUIET = "font-size:85%;color:#5a6270"
_UNSCORED = "background:repeating-linear-gradient(135deg,#ffffff 0 4px,#d9dce3 4px 6px);color:#1b1e25"


def coloured(
    ledger: Ledger, tokens: TokenSet, head: Sequence[str], most: int = MOST, scale: Scale | None = None
) -> str:
    """One ``<div>``: the lines of ``head``, the legend, and a cell a token; pointing at it tells its figures.

    The colour of a token is that of its figure on ``scale`` (its surprisal -log p in nats), as in the window on a light
    ground. At most ``most`` tokens are shown.
    """
    scale = Scale(measures.of("surprisal")) if scale is None else scale
    colours = scale.colours(ON_WHITE, COOL_ON_WHITE)
    part = ledger if len(ledger) <= most else ledger.part(0, most)
    places = _places(part)
    shades = scale.shade(scale.measure.values(part, 0, len(part))).tolist()
    grounds = [None if shade == UNSCORED else colours[shade] for shade in shades]
    found = zip(grounds, places or [""] * len(part), strict=True)
    cells = [_cell(part, i, tokens, ground, place) for i, (ground, place) in enumerate(found)]
    lines = [f'<div style="{_QUIET}">{markup(line)}</div>' for line in head]
    legend = " ".join(_span(_style(colours[shade]), f"{words:>2}") for words, shade in scale.marks(ledger))
    lines.append(f'<div style="{_QUIET}">{markup(scale.said)}: {legend}</div>')
    lines.append(f'<div style="{_GRID if places else ""}">{"".join(cells)}</div>')
    if len(ledger) > most:
        rest = f"… and {len(ledger) - most:,} more tokens, which are in every figure above"
        lines.append(f'<div style="{_QUIET}">{rest}</div>')
    return f'<div style="{_FRAME}">{"".join(lines)}</div>'


def _places(ledger: Ledger) -> list[str]:
    """Where each token stands, of a document whose tokens have a row and a column; else nothing."""
    where = ledger.encoded.record()
    cells = zip(where.get("row", ()), where.get("column", ()), strict=True)
    return [f";grid-area:{row + 1}/{column + 1}" for row, column in cells]


def _cell(ledger: Ledger, i: int, tokens: TokenSet, ground: Rgb | None, place: str) -> str:
    said, figures = ledger.encoded.said(i, tokens), [f"token {i + 1:,}, id {int(ledger.ids[i])}"]
    if place:
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
    after = "" if place else "<br>" if said.endswith("↵") else "<wbr>"
    return _span((_UNSCORED if ground is None else _style(ground)) + place, said, title) + after


def _span(style: str, said: str, title: str = "") -> str:
    told = f' title="{title}"' if title else ""
    return f'<span style="{style};border-radius:2px;padding:1px"{told}>{markup(said)}</span>'


def _style(ground: Rgb) -> str:
    return f"background:{_hex(ground)};color:{'#000000' if is_dark_ink(ground) else '#ffffff'}"


def _hex(rgb: Rgb) -> str:
    return "#" + bytes(rgb).hex()
