"""What a text is coloured by on the command line: the options, and its tokens in colours for a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from arplay.commands.options import UsageError
from arplay.commands.streams import Shown
from arplay.core import measures
from arplay.core.chain import Ledger
from arplay.core.measures import BOUNDS, bounds_of
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import safe
from arplay.export.colours import COOL_ON_WHITE, ON_WHITE, Rgb, is_dark_ink
from arplay.export.scales import UNSCORED, Scale

PLAIN = "\x1b[0m"


def add(parser: argparse.ArgumentParser, what: str) -> None:
    named = f"{what}: {', '.join(measures.NAMES)} (surprisal)"
    parser.add_argument("--colour-by", choices=measures.NAMES, metavar="M", help=named)
    bounds = f"the highest ranks of the buckets of --colour-by rank ({','.join(map(str, BOUNDS))})"
    parser.add_argument("--ranks", type=_bounds, metavar="A,B,C", help=bounds)


def scale_of(args: argparse.Namespace) -> Scale:
    return Scale(measures.of(args.colour_by or "surprisal"), args.ranks or BOUNDS)


def check(args: argparse.Namespace) -> None:
    """Raises UsageError where buckets are given that nothing shows."""
    if args.ranks and args.colour_by != "rank":
        raise UsageError("--ranks goes with --colour-by rank")


def _bounds(text: str) -> tuple[int, ...]:
    """Three rising ranks from 1 on."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != len(BOUNDS) or bounds_of(found) != found:
        raise argparse.ArgumentTypeError(f"{text} is not three ranks that rise, like {','.join(map(str, BOUNDS))}")
    return found


def to_terminal() -> bool:
    """Whether colours can be written to standard output; NO_COLOR (no-color.org) forbids it."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(coloured: Sequence[str]) -> None:
    """Lines of :func:`lines` on standard output, with their colours."""
    stream = sys.stdout
    write = stream.exactly if isinstance(stream, Shown) else stream.write
    write("\n".join(("", *coloured, "")))
    stream.flush()


def lines(ledger: Ledger, tokens: TokenSet, scale: Scale) -> list[str]:
    """The legend, and the text with every token on its colour, as a terminal of 24-bit colours shows it.

    Nothing of the text goes to the terminal but printable letters: what steers it is told as a sign.
    """
    colours = scale.colours(ON_WHITE, COOL_ON_WHITE)
    marks = "  ".join(_on(colours[shade], f" {words} ") for words, shade in scale.marks(ledger))
    shades, places = scale.shade(scale.measure.values(ledger, 0, len(ledger))), ledger.encoded.record().get("row")
    rows = [] if places is None else places.tolist()
    text = []
    for index, shade in enumerate(shades.tolist()):
        said = safe(ledger.encoded.said(index, tokens) if not rows else tokens.label(int(ledger.ids[index])))
        cell = said if shade == UNSCORED else _on(colours[shade], said)
        ends = said.endswith("↵") if not rows else index + 1 < len(rows) and rows[index + 1] != rows[index]
        text.append(cell + "\n" * ends)
    return [f"{scale.said}:  {marks}", *"".join(text).split("\n")]


def _on(ground: Rgb, words: str) -> str:
    ink = (0, 0, 0) if is_dark_ink(ground) else (255, 255, 255)
    return f"\x1b[48;2;{';'.join(map(str, ground))};38;2;{';'.join(map(str, ink))}m{words}{PLAIN}"
