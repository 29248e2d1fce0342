"""The line under the ledger: the totals, the chain rule written out, and the second, independent count."""

from __future__ import annotations

import math

import numpy as np

from arplay.core.chain import Ledger
from arplay.core.format import in_unit, number, power, power_cell, significant
from arplay.engine.reconcile import Reconciled
from arplay.gui.settings import Unit
from arplay.gui.widgets.figure_row import Figure
from arplay.gui.widgets.ledger.table import product

WRITTEN_OUT = 8
"""The product is written out for texts of up to this many scored tokens."""


def figures(ledger: Ledger, unit: Unit) -> tuple[Figure, ...]:
    """Totals of the tokens scored so far."""
    totals, notes = ledger.totals, note_figures(ledger)
    if not totals.scored:
        return (
            *notes,
            Figure("—", "nothing is scored", "No token of this text has a probability yet."),
        )
    digits = 4 if totals.nll_nats < 10_000 else 1
    total = 0.0 - totals.nll_nats
    mean = in_unit(totals.nll_nats / totals.scored, unit)
    return (
        *notes,
        Figure(f"{number(in_unit(total, unit), digits)} {unit}", "Σ log p", "The logarithm of the text's probability."),
        Figure(
            power(total),
            "product of all p",
            f"The probability of the text: exp(Σ log p). As a float: {product(total, total)}.",
        ),
        Figure(
            f"{number(in_unit(totals.nll_nats, unit), digits)} {unit}", "NLL", "−Σ log p: what training makes small."
        ),
        Figure(f"{number(mean)} {unit}", "NLL per token", "Its exponential (of nats) is the perplexity."),
    )


def note_figures(ledger: Ledger) -> tuple[Figure, ...]:
    """What has to be known with the totals, before them; how a long text was read stands in a line of its own."""
    return tuple(Figure(note.figure, note.label, note.sentence) for note in ledger.notes if note.label)


def in_words(ledger: Ledger) -> str:
    """The product written out, and the notes that no figure tells."""
    return "  ".join(filter(None, (written_out(ledger), *(note.sentence for note in ledger.notes if not note.label))))


def written_out(ledger: Ledger) -> str:
    """The product both ways, for a short text; empty for a long one.

    For BAC of the table abc: 0.4 × 0.5 × 0.6 = 0.12 and exp(−2.1203) = 0.12: they agree.
    """
    if not 1 <= ledger.totals.scored <= WRITTEN_OUT:
        return ""
    logprobs = ledger.logprob[ledger.scored]
    probs = np.exp(logprobs)
    multiplied, total = math.prod(probs.tolist()), math.fsum(logprobs)
    summed = math.exp(total)
    agree = math.isclose(multiplied, summed, rel_tol=1e-9)
    verdict = "they agree" if agree else f"they differ by {power_cell(abs(multiplied - summed))}"
    factors = " × ".join(map(significant, probs))
    return f"{factors} = {significant(multiplied, 6)}  and  exp({number(total)}) = {significant(summed, 6)}:  {verdict}"


def reconciliation(ledger: Ledger, reconciled: Reconciled | None, unit: Unit) -> str:
    """What the uncached pass found."""
    if reconciled is None:
        return "not checked yet"
    difference = in_unit(abs(reconciled.nll_nats - ledger.totals.nll_nats), unit)
    found = f"uncached pass: {number(in_unit(reconciled.nll_nats, unit))} {unit}"
    if math.isnan(difference):  # both infinite: a token has probability 0
        return found
    return f"difference {power_cell(difference)}, {found}"  # the figure that matters must not be cut off
