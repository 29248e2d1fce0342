"""How numbers are written for people: one form each, and one form in one column of figures.

Nothing but the standard library: a child process that has no more reads it, too.
"""

from __future__ import annotations

import math

LN2 = math.log(2.0)
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def how_many(n: int, is_known: bool = True) -> str:
    """How many; of an estimate two digits are told.

    >>> how_many(1_570_942), how_many(1_570_942, is_known=False), how_many(12, is_known=False)
    ('1,570,942', 'about 1,600,000', 'about 12')
    """
    return f"{n:,}" if is_known else f"about {round(n, 2 - len(str(n))):,}"


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


def part_percent(part: float, digits: int = 0) -> str:
    """How much of something is done or meant, where no probability is told; it may be below 0.

    >>> part_percent(0.414), part_percent(-0.0125, 1)
    ('41%', '−1.2%')
    """
    return f"{part:.{digits}%}".replace("-", "−")


def tick_percent(p: float) -> str:
    """A probability at a line of a scale, whose numbers are round ones.

    >>> tick_percent(0.025), tick_percent(1.0)
    ('2.5%', '100%')
    """
    return f"{100 * p:.6g}%"


def probability(logprob: float) -> str:
    """exp(logprob) in a column: four decimals; a small one is told as such, and its tooltip has it all.

    >>> probability(math.log(0.12)), probability(-12.0), probability(-math.inf), probability(math.nan)
    ('0.1200', '<0.0001', '0', '—')
    """
    if math.isnan(logprob):
        return "—"
    p = math.exp(logprob)
    return f"{p:.4f}" if p >= 0.0001 else "<0.0001" if p else "0"


def power_cell(value: float | None, digits: int = 2) -> str:
    """A number as a power of ten: a probability beside a logarithmic axis, a difference of rounding.

    >>> power_cell(0.41273), power_cell(7e-7), power_cell(1.0), power_cell(0.0), power_cell(math.inf)
    ('4.1·10⁻¹', '7.0·10⁻⁷', '1.0·10⁰', '0', '∞')
    """
    if value is None:
        return "—"
    if math.isnan(value):
        return "NaN"
    if value == 0 or math.isinf(value):
        return "∞" if value else "0"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa}·{_ten(int(exponent))}"


def significant(value: float, digits: int = 4) -> str:
    """A number in so many digits, as a power of ten where it would begin with many zeros.

    >>> significant(0.12), significant(0.00003125, 2), significant(math.inf)
    ('0.12', '3.1·10⁻⁵', '∞')
    """
    text = f"{value:.{digits}g}"
    return power_cell(value, digits) if "e" in text or math.isinf(value) else text.replace("-", "−")


def power_of_ten(logprob: float) -> tuple[float, int]:
    """exp(logprob) as (mantissa in [1, 10), exponent), for products that no float can hold.

    >>> power_of_ten(math.log(0.12))[1]
    -1
    """
    if logprob == -math.inf:
        return 0.0, 0
    tens = logprob / math.log(10.0)
    exponent = math.floor(tens)
    mantissa = 10.0 ** (tens - exponent)
    return (1.0, exponent + 1) if round(mantissa, 9) >= 10.0 else (mantissa, exponent)


def power(logprob: float) -> str:
    """exp(logprob) as a power of ten, however small.

    >>> power(math.log(0.12)), power(-2000.0), power(-math.inf)
    ('1.200·10⁻¹', '2.577·10⁻⁸⁶⁹', '0')
    """
    mantissa, exponent = power_of_ten(logprob)
    if mantissa == 0.0:
        return "0"
    if round(mantissa, 3) >= 10.0:
        mantissa, exponent = 1.0, exponent + 1
    return f"{mantissa:.3f}·{_ten(exponent)}"


def tick_power(exponent: int) -> str:
    """10^exponent at a line of a logarithmic scale.

    >>> tick_power(0), tick_power(-2), tick_power(-7)
    ('1', '0.01', '10⁻⁷')
    """
    return f"{10.0**exponent:g}" if -2 <= exponent <= 0 else _ten(exponent)


def number(value: float | None, digits: int = 4) -> str:
    """A decimal with a real minus sign and thousands; — for what is not known: None, or NaN.

    >>> number(-2.12026), number(math.inf), number(None)
    ('−2.1203', '∞', '—')
    """
    if value is None or math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def in_unit(nats: float, unit: str) -> float:
    """A log-prob, surprisal or entropy in ``unit``, which is "nats" or "bits"."""
    return nats / LN2 if unit == "bits" else nats


def nats_or_bits(nats: float, unit: str, digits: int = 3) -> str:
    """A log-prob, surprisal or entropy in the unit that the user chose.

    >>> nats_or_bits(2.12026, "nats"), nats_or_bits(2.12026, "bits")
    ('2.120 nats', '3.059 bits')
    """
    return f"{number(in_unit(nats, unit), digits)} {unit}"


def nats_and_bits(nats: float) -> str:
    """A log-prob, surprisal or entropy in both units.

    >>> nats_and_bits(-2.12026), nats_and_bits(-math.inf)
    ('−2.1203 nats = −3.0589 bits', '−∞')
    """
    both = f"{nats_or_bits(nats, 'nats', 4)} = {nats_or_bits(nats, 'bits', 4)}"
    return number(nats) if math.isinf(nats) else both


def size(count: float) -> str:
    """Bytes in decimal units, three digits.

    >>> size(538_000_000), size(5_012_345), size(812)
    ('538 MB', '5.01 MB', '812 bytes')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{_three(count / unit)} {name}"
    return f"{count:.0f} bytes"


def short(count: float, least: float = 10_000) -> str:
    """A count of tokens or parameters in three digits; all of them below ``least``.

    >>> short(39), short(1_500), short(25_000), short(134_515_008), short(1_300_000_000)
    ('39', '1,500', '25 k', '135 M', '1.3 B')
    """
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= max(unit, least):
            return f"{count / unit:,.3g} {name}"
    return f"{count:,.0f}"


def duration(seconds: float) -> str:
    """A time that was measured, in three digits at most; from a minute on as :func:`rough`.

    >>> duration(0.00742), duration(0.085), duration(1.2), duration(190)
    ('7.4 ms', '85 ms', '1.20 s', '3 min 10 s')
    """
    if not math.isfinite(seconds):
        return "—"
    ms = 1000 * seconds
    if ms < 999.5:
        return f"{ms:.1f} ms" if ms < 9.95 else f"{ms:.0f} ms"
    return f"{_three(seconds)} s" if seconds < 59.5 else rough(seconds)


def rough(seconds: float) -> str:
    """A time that is estimated, or counted in whole seconds.

    >>> rough(8.2), rough(190), rough(7300), rough(7199)
    ('8 s', '3 min 10 s', '2 h 2 min', '2 h 0 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def transfer(done: int | None, total: int | None, per_second: float | None, seconds_left: float | None) -> list[str]:
    """What has come of a download, how fast, and how long it still takes, as far as each is known.

    >>> transfer(12_300_000, 93_000_000, 4_100_000.0, 20.0), transfer(5_000, None, None, None)
    (['12.3 MB of 93.0 MB', '4.10 MB/s', '20 s left'], ['5.00 kB'])
    """
    said = [] if done is None else [f"{size(done)} of {size(total)}" if total else size(done)]
    said += [f"{size(per_second)}/s"] if per_second else []
    return said + ([f"{rough(seconds_left)} left"] if seconds_left is not None else [])


def _three(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def _ten(exponent: int) -> str:
    return "10" + str(exponent).translate(_SUPERSCRIPT)
