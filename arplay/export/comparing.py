"""The chart of models side by side: totals, and every span of the document with what each paid for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from arplay.core.aligned import Share
from arplay.core.edited import Edited
from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.core.matching import TwoAtOnce
from arplay.core.signs import safe
from arplay.engine.divergence import Diverged
from arplay.engine.load import Loaded
from arplay.engine.parting import Parted
from arplay.export import comparison, divergence, provenance
from arplay.export.charts import NOT_YET, Shown, Table
from arplay.export.tables import Record


@dataclass(frozen=True, eq=False, slots=True)
class Beside:
    """``models`` and ``names``: of each of the ledgers that were put side by side, with number type or quantisation.
    ``letters``: by which they are called."""

    parted: Parted
    models: tuple[Loaded, ...]
    names: tuple[str, ...]
    letters: str

    @property
    def titles(self) -> tuple[str, ...]:
        """Letters and names."""
        return tuple(f"{letter}  {name}" for letter, name in zip(self.letters, self.names, strict=True))


@dataclass(frozen=True, eq=False, slots=True)
class Here:
    """Two distributions at one place, with the model and the name of either; ``letter`` is that of the second."""

    found: TwoAtOnce
    models: tuple[Loaded, Loaded]
    names: tuple[str, str]
    letter: str


def compared(shown: Shown) -> Table:
    """The table of the page in sight. Raises Problem where none is compared.

    Totals of each model over what all score and a record a span and model; or both distributions at one place; or how
    far they are apart at every token.
    """
    found = shown.found
    if isinstance(found, Here):
        return _here(found, shown)
    if isinstance(found, Diverged):
        return _diverged(found, shown)
    if isinstance(found, Edited):
        return _edited(found, shown)
    if not isinstance(found, Beside):
        raise Problem("no other model has scored this text", f"add a model in Comparison and {NOT_YET}")
    parted, origin = found.parted, shown.origin()
    first = parted.ledgers[0]
    columns = ("model", *comparison.columns(parted.pairs[0]))
    rows: list[Record] = [
        {"model": name} | row
        for name, pair in zip(found.names[1:], parted.pairs, strict=True)
        for row in comparison.rows(pair)
    ]
    models = [
        provenance.model(model.info)
        | {
            "nll_nats": share.nats,
            first.unit.key: share.bits_per_unit,
            "perplexity": share.perplexity,
            "tokens": share.tokens,
            f"{first.unit.many}_compared": share.units,
        }
        for model, share in zip(found.models, parted.shares, strict=True)
    ]
    record = {"provenance": origin.as_dict(), "models": models, "spans": rows}
    says = verdict(found.names, parted.shares, first.unit.per)
    return Table(record, rows, columns, [*origin.lines(), says])


def _here(found: Here, shown: Shown) -> Table:
    both, origin = found.found, shown.origin()
    columns = ("token", "id", "other_id", "prob", "other_prob")
    rows: list[Record] = []
    for row in both.rows:
        side = 0 if row.ids[0] is not None else 1
        id = row.ids[side]
        assert id is not None
        values = (found.models[side].vocabulary.label(id), *row.ids, *row.p)
        rows.append(dict(zip(columns, values, strict=True)))
    record = {
        "provenance": origin.as_dict(),
        "models": [provenance.model(model.info) for model in found.models],
        "kl_nats": both.kl,
        "total_variation": both.tv,
        "rest": both.rest,
        "on_shared_tokens": both.shared,
        "tokens": rows,
    }
    return Table(record, rows, columns, [*origin.lines(), f"other model: {found.names[1]}"])


def _diverged(found: Diverged, shown: Shown) -> Table:
    tokens, origin = shown.loaded.vocabulary, shown.origin()
    record = {"provenance": origin.as_dict(), **divergence.record(found, tokens)}
    other = f"other model: {found.other.name} {found.other.dtype}; {divergence.summary(found)}"
    return Table(record, record["tokens"], divergence.COLUMNS, [*origin.lines(), other])


def _edited(found: Edited, shown: Shown) -> Table:
    origin, columns = shown.origin(), comparison.columns(found)
    record = {"provenance": origin.as_dict(), **edit_record(found)}
    says = edit_summary(found)
    return Table(record, record["spans"], columns, [*origin.lines(), "base text against the text now", says])


def edit_record(found: Edited) -> Record:
    """Totals over what stands in both texts, what was replaced, and every span; "other" is the text now."""
    (away, paid), (come, pays) = found.replaced
    return {
        "tokens_in_both": found.tokens,
        "nll_nats": found.totals[0],
        "other_nll_nats": found.totals[1],
        "replaced": {"tokens": away, "nll_nats": paid, "other_tokens": come, "other_nll_nats": pays},
        "spans": comparison.rows(found),
    }


def edit_summary(found: Edited) -> str:
    """What an edit did, in words."""
    before, after = found.totals
    (away, paid), (come, pays) = found.replaced
    change = after - before  # NaN where both are infinite
    told = f"{found.tokens:,} tokens stand in both and cost {number(abs(change), 3)} nats "
    told += "more" if change > 0 else "less"
    if not change or math.isnan(change):
        told = f"{found.tokens:,} tokens stand in both and cost {number(before, 3)} nats as before"
    if away or come:
        tokens = f"{away:,} token{'s' * (away != 1)} for {number(paid, 2)} nats"
        told += f"; {tokens} were replaced by {come:,} for {number(pays, 2)}"
    return told


def edit_lines(found: Edited) -> list[str]:
    """The same for a terminal, with the tokens whose surprisal changed most."""
    told = [edit_summary(found), "", f"{'change':>10}  {'before':>10}  {'now':>10}  token"]
    for row in comparison.rows(found, found.most(10).tolist()):
        values = (number(row[key], 4) for key in ("difference_nats", "nll_nats", "other_nll_nats"))
        change, before, now = values
        told.append(f"{change:>10}  {before:>10}  {now:>10}  {safe(row['text'])}")
    return told


def verdict(names: Sequence[str], shares: Sequence[Share], per: str) -> str:
    """Which model expects the document best, and whether perplexity would have said otherwise.

    >>> same = Share(10.0, 4, 8), Share(12.0, 8, 8)
    >>> verdict(("A", "B"), same, "bits per byte")[:78]
    'A needs the fewest bits per byte: 1.8034. Perplexity would mislead here: B has'
    """
    known = [each for each in zip(names, shares, strict=True) if each[1].bits_per_unit is not None]
    if not known:
        return "No span is scored by all of them."
    best, share = min(known, key=lambda each: each[1].nats)
    assert share.bits_per_unit is not None
    if len({number(each.bits_per_unit) for _, each in known}) == 1 < len(known):
        return f"All need the same: {number(share.bits_per_unit)} {per}."
    said = f"{best} needs the fewest {per}: {number(share.bits_per_unit)}."
    other, lower = min(known, key=lambda each: each[1].perplexity or 0.0)
    if len({each.tokens for _, each in known}) == 1:
        return f"{said} All have as many tokens, so their perplexities tell the same."
    if other == best:
        return f"{said} Their tokens differ, so perplexities do not compare."
    assert share.perplexity is not None and lower.perplexity is not None
    return (
        f"{said} Perplexity would mislead here: {other} has the lower one ({number(lower.perplexity, 2)} against "
        f"{number(share.perplexity, 2)}), because it pays for {lower.tokens:,} tokens and not {share.tokens:,}."
    )
