"""One text by all the usual conventions, as JSON and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator

from arplay.core.conventions import per
from arplay.core.format import number
from arplay.core.modalities.base import Unit
from arplay.engine.conventions import Compared, Figures
from arplay.export.tables import Record


def record(compared: Compared) -> Record:
    """Each convention by its name; what one of them does not have is null."""
    return {each.name: of(each, compared.unit) for each in compared.figures}


def of(each: Figures, unit: Unit) -> Record:
    """One convention."""
    found = each.found
    known = found is not None and each.whole
    return {
        "nll_nats": None if found is None else found.nll,
        "counted": None if found is None else found.counted,
        "mean_nll_nats": None if found is None else found.mean,
        "perplexity": None if found is None else found.perplexity,
        **{key: value if known else None for key, value in per_unit(each, unit)},
        "first_token": each.first_token or None,
        "context": each.context,
        "stride": each.stride,
        "windows": each.windows,
        "read": each.read,
        "why_not": each.why or None,
    }


def per_unit(each: Figures, unit: Unit) -> Iterator[tuple[str, float | None]]:
    """Perplexity and bits of a byte, a character, a word (or a pixel, a sample) of the whole text, by their names."""
    nll = each.found.nll if each.found is not None and each.found.counted else None
    for one, many in ((unit.one, each.units), *((name.removesuffix("s"), n) for name, n in each.counts)):
        spent = None if nll is None else per(nll, many)
        yield f"{one}_perplexity", spent and spent.perplexity
        yield unit.key if one == unit.one else f"bits_per_{one}", spent and spent.bits


def lines(compared: Compared) -> list[str]:
    """The same for a terminal: a line a convention."""
    unit = compared.unit
    found = [f"{'perplexity':>12}  {'counted':>8}  {'windows':>8}  {unit.per:>18}  convention"]
    for each in compared.figures:
        bits = dict(per_unit(each, unit))[unit.key] if each.whole else None
        if each.found is None:
            found.append(f"{'—':>12}  {'':>8}  {'':>8}  {'':>18}  {each.title}: {each.why}")
            continue
        figures = f"{number(each.found.perplexity):>12}  {each.found.counted:>8,}  {each.windows:>8,}"
        found.append(f"{figures}  {number(bits):>18}  {each.title}")
    return found
