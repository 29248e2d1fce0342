"""The perplexity of a ledger in figures: what it is made of, and the same NLL over other things than tokens."""

from __future__ import annotations

from arplay.core.chain import Ledger
from arplay.core.conventions import per
from arplay.core.format import how_many, in_unit, number
from arplay.core.reading import FIRST_TOKEN
from arplay.gui.settings import Unit
from arplay.gui.widgets.figure_row import Figure
from arplay.gui.widgets.ledger.totals import note_figures


def figures(ledger: Ledger, unit: Unit) -> tuple[Figure, ...]:
    """Of the tokens scored so far."""
    totals, notes = ledger.totals, note_figures(ledger)
    if not totals.scored or totals.perplexity is None:
        return (*notes, Figure("—", "nothing is scored", "No token of this text has a probability yet."))
    nll, mean = totals.nll_nats, totals.nll_nats / totals.scored
    found = [
        Figure(number(totals.perplexity), "perplexity", "exp(NLL in nats / N): so many equal choices surprise alike."),
        Figure(f"{totals.scored:,} of {totals.tokens:,}", "N, tokens scored", "What the NLL is divided by."),
        Figure(f"{number(in_unit(nll, unit))} {unit}", "NLL", "−Σ log p of the tokens scored."),
        Figure(number(in_unit(mean, unit)), f"{unit} per token", "NLL / N. exp of it, in nats, is the perplexity."),
    ]
    if totals.bits_per_unit is not None:
        over = f"the {totals.units:,} {totals.unit.many} of the tokens scored"
        if totals.units < totals.units_total:
            over += f", of {totals.units_total:,} in all"
        found.append(Figure(number(totals.bits_per_unit), totals.unit.per, f"NLL in bits over {over}."))
    for name, count in totals.counts if ledger.complete else ():
        bits = per(nll, count).bits
        if count and bits is not None:
            one, all_of = name.removesuffix("s"), f"all {count:,} {name} of the text"
            found.append(Figure(number(bits), f"bits per {one}", f"NLL in bits over {all_of}."))
    return (*notes, *found)


def conventions_of(ledger: Ledger, unit: Unit) -> str:
    """By which conventions these figures are made."""
    windows, length = ledger.windows, ledger.before + ledger.expected
    many = windows.cost(length).windows
    if many > 1:
        how = f"{how_many(many, ledger.encoded.whole)} windows of {windows.window:,} tokens, stride {windows.stride:,}"
    else:
        how = f"one window ({length:,} of {windows.window:,} tokens)" if windows.window > length else "one window"
    base = "base e (nats)" if unit == "nats" else "base 2 (bits)"
    return f"first token {FIRST_TOKEN[ledger.first_token]}; {how}; logarithms to {base}"
