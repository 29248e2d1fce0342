"""What *Break the mask* came to: a table of both networks in words, and the points of both curves for files."""

from __future__ import annotations

import textwrap

from arplay.core.format import number
from arplay.core.masks import NAMES, Pair, why
from arplay.core.modalities.base import Document, TokenSet
from arplay.engine.causality import Changed
from arplay.engine.masks import Broke
from arplay.export import causality
from arplay.export.charts import Shown, Table
from arplay.export.tables import Record
from arplay.version import __version__

FIGURES = (
    ("in_place", "bits a token, all tokens in place", "the held-out loss, as training has it"),
    ("step_by_step", "bits a token, step by step", "of the same chains, while nothing later is there, as in sampling"),
    ("endings", "sum over all endings", "its last two factors, over all values of two tokens: 1 for a probability"),
    ("apart", "samples off the data", "total variation of how often each token is drawn and stands in the data"),
)
"""Name, words, and what it is."""
COLUMNS = ("network", "step", "training", "held_out")


def cells(pair: Pair) -> list[tuple[str, str, str, str]]:
    """Words, the causal figure, that of the one that sees ahead, and what it is; none until both are trained."""
    if pair.figures is None:
        return []
    causal, sees = ({name: number(getattr(each, name), 3) for name, _, _ in FIGURES} for each in pair.figures)
    return [(words, causal[name], sees[name], what) for name, words, what in FIGURES]


def measured(shown: Shown) -> Table:
    """What the causality lab found last, of whichever kind. Raises Problem where nothing was measured yet."""
    return table(shown.found) if isinstance(shown.found, Broke) else causality.causality(shown)


def table(found: Broke) -> Table:
    """A record a point of a curve, and for JSON all there is."""
    rows: list[Record] = [
        {"network": name, "step": point.step, "training": point.training, "held_out": point.held_out}
        for name, curve in zip(NAMES, found.pair.curves, strict=True)
        for point in curve
    ]
    return Table(found.pair.record() | {"arplay": __version__}, rows, COLUMNS, about(found.pair))


def about(pair: Pair) -> list[str]:
    """How the figures were made, and what they say."""
    each = " and ".join(f"{count:,}" for count in sorted(set(pair.parameters)))
    lines = [
        f"arplay {__version__}",
        f"two networks ({pair.kind}) of {each} parameters, {pair.steps:,} steps, seed {pair.seed}",
        f"data: {pair.data}",
        f"the other one: {pair.broken}",
        "losses are means in bits a token",
    ]
    return [*lines, why(pair)] if pair.figures is not None else lines


def moved(triangle: Changed) -> str:
    """What was measured of one of them, in a sentence."""
    agreed = triangle.agreement
    said = f"of {agreed.measured:,} pairs of a conditional and a changed token"
    if agreed.holds:
        return f"no conditional moved by its own token or a later one, {said}"
    return f"{len(agreed.beyond):,} conditionals moved by their own token or a later one, {said}"


def _shown(document: Document, tokens: TokenSet) -> str:
    """A wave as bars, anything else as it is shown in a terminal."""
    if not tokens.ordered or tokens.length is not None:
        return document.shown
    ids = document.encoded(tokens).ids
    return "".join("▁▂▃▄▅▆▇█"[id * 8 // len(tokens)] for id in ids.tolist())


def lines(found: Broke) -> list[str]:
    """All of it for a terminal."""
    pair = found.pair
    first, *after = about(pair)[1:-1]
    head = ["", f"{'':>32}  {NAMES[0]:>10}  {NAMES[1]:>10}"]
    told = [f"{words:>32}  {causal:>10}  {sees:>10}  {what}" for words, causal, sees, what in cells(pair)]
    curves = [f"{'after steps':>32}  {NAMES[0]:>10}  {NAMES[1]:>10}  held-out loss, bits a token"]
    for points in list(zip(*pair.curves, strict=True))[:: max(1, len(pair.curves[0]) // 6)]:
        losses = "  ".join(f"{number(point.held_out, 3):>10}" for point in points)
        curves.append(f"{points[0].step:>32,}  {losses}")
    drawn = []
    for name, documents in zip(NAMES, found.samples, strict=True):
        drawn += ["", f"drawn by the network that is {name}:" if name == NAMES[0] else f"drawn by the one that {name}:"]
        drawn += [_shown(document, found.tokens) for document in documents[:3]]
    triangles = []
    for name, triangle in zip(NAMES, found.triangles, strict=True):
        triangles += ["", f"{name}: {moved(triangle)}", *causality.picture(triangle)]
    return [first, *after, *head, *told, "", *curves, *drawn, *triangles, "", *textwrap.wrap(why(pair), 110)]
