"""What the causality lab measured, as a table: a record a pair of conditional and changed token, or a position."""

from __future__ import annotations

import numpy as np

from arplay.core.causality import LEAST_FELT, band, by_distance, felt_until
from arplay.core.distribution import Floats
from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.engine.causality import Changed
from arplay.engine.free_running import Freed
from arplay.engine.masks import Broke
from arplay.export.charts import Shown, Table
from arplay.export.provenance import Provenance
from arplay.export.tables import Record


def verdict(found: Changed) -> str:
    """Whether what was measured is what may be, in a sentence."""
    agreed, pairs = found.agreement, found.moved.size
    if not agreed.holds:
        i, j = agreed.beyond[0]
        return (
            f"NOT causal: {len(agreed.beyond):,} of {pairs:,} pairs moved that may not, such as "
            f"p(x{i + 1} | before) by a change of token {j + 1}"
        )
    if found.at_once:
        said = f"nothing moved that may not, of {pairs:,} pairs measured in one pass each"
    else:
        said = "each conditional was given the tokens before it alone, so no later one could reach it"
    if found.declared is None:
        return f"{said}; this model does not tell what it connects"
    silent = (
        f"; {agreed.silent:,} connected pairs did not move" if agreed.silent else ", and all that is connected moved"
    )
    missed = 0 if found.blind is None else int(found.blind.sum())
    return said + silent + (f"; blind spot: {missed:,} tokens before it, and none of them moved it" if missed else "")


def poisoned(found: Changed) -> str:
    """How long a wrong token is felt, in a sentence."""
    behind = found.rows > found.columns[0]
    if not behind.any():
        return "nothing stands behind that token: choose one further back"
    middle = band(np.stack([each.divergence[behind, 0] for each in found.draws])).middle
    until, count = felt_until(middle), len(found.draws)
    others = "another one" if count == 1 else f"{count:,} others"
    beyond = f"it is felt for {until:,} tokens (KL of {LEAST_FELT:g} nats or more)" if until else "it is hardly felt"
    end = ", to the last one here" if until == int(behind.sum()) else ""
    return (
        f"token {int(found.columns[0]) + 1:,} changed to {others}, in the median: {beyond}{end}; "
        f"KL {number(float(middle[0]), 3)} nats at the next token"
    )


def record(found: Changed) -> Record:
    """The measured triangle, the declared mask, and whether they agree, as JSON has it."""
    agreed = found.agreement
    return {
        "provenance": Provenance(found.info, found.first_token, "the tokens listed", seed=found.seed).as_dict(),
        "tokens": [{"index": i, "id": id, **found.tokens.record(id)} for i, id in enumerate(found.ids.tolist())],
        "read": found.read,
        "at_once": found.at_once,
        "wiring": found.wiring or None,
        "rows": found.rows.tolist(),
        "columns": found.columns.tolist(),
        "changed_to": found.others.tolist(),
        "total_variation": found.variation.tolist(),
        "kl_nats": found.divergence.tolist(),
        "moved": found.moved.tolist(),
        "declared": None if found.declared is None else found.declared.tolist(),
        "blind": None if found.blind is None else found.blind.tolist(),
        "causal": agreed.holds,
        "beyond": [list(pair) for pair in agreed.beyond],
        "silent": agreed.silent,
        "verdict": verdict(found),
    } | ({"draws": [_draw(each) for each in found.draws], "felt": poisoned(found)} if found.again else {})


def _draw(found: Changed) -> Record:
    """One of the tokens that a column was changed to."""
    changed = [None if value != value else value for value in found.felt[:, 0].tolist()]
    figures = {"kl_nats": found.divergence[:, 0].tolist(), "total_variation": found.variation[:, 0].tolist()}
    return {"changed_to": int(found.others[0]), "logprob_change": changed} | figures


COLUMNS = (
    "row",
    "column",
    "distance",
    "changed_to",
    "total_variation",
    "kl_nats",
    "logprob_change",
    "moved",
    "declared",
)


def rows(found: Changed) -> list[Record]:
    """A record a pair, of token indices from 0, and of each token that it was changed to."""
    return [record for draw in found.draws for record in _rows(draw)]


def _rows(found: Changed) -> list[Record]:
    each = []
    for r, i in enumerate(found.rows.tolist()):
        for c, j in enumerate(found.columns.tolist()):
            felt = float(found.felt[r, c])
            figures = (found.variation[r, c].item(), found.divergence[r, c].item(), None if felt != felt else felt)
            moved = bool(found.moved[r, c])
            declared = None if found.declared is None else bool(found.declared[r, c])
            each.append(dict(zip(COLUMNS, (i, j, i - j, int(found.others[c]), *figures, moved, declared), strict=True)))
    return each


def _mean(values: Floats) -> float:
    """Of those that are known; NaN without one."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def told(found: Freed) -> str:
    """What rollouts are like beside the real tokens, in a sentence."""
    figures = []
    for name, free, real in (
        ("NLL", found.free.nll, found.forced.nll),
        ("entropy", found.free.entropy, found.forced.entropy),
    ):
        beside = f", of the real tokens {number(_mean(real), 2)}" if not np.isnan(_mean(real)) else ""
        figures.append(f"{name} of rollouts {number(_mean(free), 2)}{beside} nats a token")
    return f"{len(found.seeds):,} rollouts: {'; '.join(figures)}"


FIGURES = ("nll", "entropy", "repetition", "distance")


def _free_rows(found: Freed) -> list[Record]:
    """A record a position of a chain: of each rollout, and of the real tokens, whose ``seed`` is empty."""
    each = []
    for curves, names in ((found.forced, (None,)), (found.free, found.seeds)):
        arrays = [getattr(curves, figure) for figure in FIGURES]
        for chain, seed in enumerate(names):
            for at in range(arrays[0].shape[1]):
                values = [float(array[chain, at]) for array in arrays]
                if values[0] == values[0]:
                    figures = dict(zip(FIGURES, (None if v != v else v for v in values), strict=True))
                    each.append({"seed": seed, "index": found.start + at, **figures})
    return each


def causality(shown: Shown) -> Table:
    """Raises Problem where nothing was measured yet."""
    found = shown.found
    if found is None:
        raise Problem("nothing was measured yet", "press Measure in “Causality”")
    assert not isinstance(found, Broke), "that is of export/masks.py"
    origin = shown.origin()
    if isinstance(found, Freed):
        listed = _free_rows(found)
        content = {
            "provenance": origin.as_dict(),
            "start": found.start,
            "seeds": list(found.seeds),
            "positions": listed,
        }
        return Table(content, listed, ("seed", "index", *FIGURES), [*origin.lines(), told(found)])
    return Table(
        record(found) | {"provenance": origin.as_dict()},
        rows(found),
        COLUMNS,
        [*origin.lines(), f"architecture: {found.wiring or 'not told'}", verdict(found)],
    )


def picture(found: Changed) -> list[str]:
    """The triangle for a terminal: a line a conditional, a sign a changed token, the darker the further it moved."""
    shades = " ·░▒▓█"
    lines = []
    for r, i in enumerate(found.rows.tolist()):
        signs = []
        for c, j in enumerate(found.columns.tolist()):
            value, moved = float(found.variation[r, c]), bool(found.moved[r, c])
            strength = 0 if not moved else sum(value >= bound for bound in (1e-4, 1e-3, 1e-2, 1e-1)) + 1
            signs.append("!" if moved and j >= i else "\\" if i == j else shades[strength])
        lines.append(f"{i + 1:>6}  {''.join(signs)}  {found.tokens.label(int(found.ids[i]))}")
    return lines


def decay(found: Changed) -> list[str]:
    """Mean change by distance, in lines of a table."""
    distance, mean, _, high = by_distance(found.rows.tolist(), found.columns.tolist(), found.variation)
    head = f"{'i - j':>6}  {'mean':>10}  {'greatest':>10}"
    each = zip(distance.tolist(), mean.tolist(), high.tolist(), strict=True)
    return [head, *(f"{d:>6}  {number(m):>10}  {number(h):>10}" for d, m, h in each)]
