"""How probabilities are written: one percent everywhere, and one format in one column of figures."""

from __future__ import annotations

import math

SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def percent(p: float | None) -> str:
    """A probability by itself: never rounded up to certainty or down to nothing.

    >>> percent(0.41273), percent(0.9999999), percent(0.0000312), percent(3.1e-9), percent(0.0), percent(None)
    ('41.27%', '>99.99%', '0.0031%', '3.1·10⁻⁷%', '0%', '—')
    """
    if p is None or math.isnan(p) or p == 0 or p >= 0.0001:
        return percent_cell(p)
    return f"{p:.4%}" if p >= 0.000001 else f"{power_cell(100 * p)}%"


def percent_cell(p: float | None) -> str:
    """A probability in a column of them: two decimals, so that the decimal points stand below each other.

    >>> percent_cell(0.41273), percent_cell(0.9999999), percent_cell(7e-7), percent_cell(0.0), percent_cell(math.nan)
    ('41.27%', '>99.99%', '<0.01%', '0%', 'NaN')
    """
    if p is None:
        return "—"
    if math.isnan(p):
        return "NaN"
    if p == 0:
        return "0%"
    if 0.99995 <= p < 1 - 1e-12:
        return ">99.99%"
    return f"{p:.2%}" if p >= 0.0001 else "<0.01%"


def power_cell(p: float | None) -> str:
    """A probability in a column beside a logarithmic axis: all of them as powers of ten.

    >>> power_cell(0.41273), power_cell(7e-7), power_cell(1.0), power_cell(0.0)
    ('4.1·10⁻¹', '7.0·10⁻⁷', '1.0·10⁰', '0')
    """
    if p is None:
        return "—"
    if math.isnan(p):
        return "NaN"
    if p == 0:
        return "0"
    mantissa, _, exponent = f"{p:.1e}".partition("e")
    return f"{mantissa}·10{str(int(exponent)).translate(SUPERSCRIPT)}"
