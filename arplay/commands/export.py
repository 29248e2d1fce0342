"""``arplay export``: a chart as a picture, or the data behind it, without a window."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from arplay.commands import given, options
from arplay.commands.console import ProgressLine, note
from arplay.commands.options import UsageError
from arplay.commands.window import draw, options_of, why_not_imported
from arplay.core.chain import Ledger
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.timings import Timings
from arplay.engine.messages import Loaded
from arplay.export import charts
from arplay.export.provenance import Provenance
from arplay.export.writers import write
from arplay.gui import platform_check
from arplay.results import Next

if TYPE_CHECKING:
    from arplay.gui.contract import View

PICTURES = (".png", ".svg", ".pdf")
DATA = (".csv", ".json")
FORMATS = {
    "bars": PICTURES + DATA,
    "heatmap": PICTURES + DATA,
    "ledger": PICTURES + DATA,
    "cache": PICTURES + DATA,
    "window": (".png",),
}
LONG = ("heatmap", "ledger")
MOST_PIXELS = 16_000


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the text; - is standard input")
    text.add_argument("--prompt", metavar="S", help="the text itself")
    parser.add_argument("--chart", required=True, choices=tuple(FORMATS))
    parser.add_argument("--out", required=True, type=Path, metavar="X", help="X.png, .svg, .pdf, .csv or .json")
    options.add_model(parser)
    options.add_reading(parser)
    options.add_encoding(parser)
    parser.add_argument("--top", type=options.count, default=20, metavar="N", help="bars: the N most probable (20)")
    parser.add_argument("--scale", type=scale, default=2.0, help="PNG pixels for each logical pixel, 0.25 to 8 (2)")
    parser.add_argument("--theme", choices=("dark", "light"), default="light")
    parser.add_argument("--size", type=_size, metavar="WxH", help="of the picture, or of a page")
    parser.add_argument(
        "--tokens", type=_tokens, metavar="A-B", help="heatmap, ledger: a picture of these tokens only (1-500)"
    )
    parser.add_argument(
        "--pages", action="store_true", help="heatmap, ledger: a long PNG or SVG as several files, X-1.png and so on"
    )
    options.add_decoding(parser)


def run(args: argparse.Namespace) -> int:
    kind = args.out.suffix.lower()
    if kind not in FORMATS[args.chart]:
        raise UsageError(f"--chart {args.chart} goes to {', '.join(FORMATS[args.chart])}, not to {args.out.name}")
    if (args.tokens or args.pages) and not (args.chart in LONG and kind in PICTURES):
        raise UsageError(f"--tokens and --pages are for pictures of a {' or a '.join(LONG)}")
    decoding = options.decoding(args)
    if kind in PICTURES:
        _prepare_qt(args.scale if args.chart == "window" else 1.0)
    if args.chart == "window":
        _window(args, decoding)
    else:
        source = given.source(args, args.prompt, args.file, args.encoding)
        found = _ask(args, source.document, decoding)
        origin = Provenance(
            found.loaded.info, found.first_piece, source.name, decoding if args.chart == "bars" else None
        )
        if kind in PICTURES:
            _picture(args, found, source.document, origin)
            return 0
        write(args.out, _data(args.chart, "csv" if kind == ".csv" else "json", found, args.top, origin))
    note(f"wrote {args.out}")
    return 0


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """What a chart shows of a document: a ledger, or what comes after it."""

    loaded: Loaded
    ledger: Ledger | None = None
    after: Next | None = None
    timings: Timings = ()

    @property
    def first_piece(self) -> str:
        shown = self.ledger if self.after is None else self.after.answer
        assert shown is not None
        return shown.first_piece


def _ask(args: argparse.Namespace, document: Document, decoding: Pipeline) -> Found:
    with ProgressLine() as progress:
        model = given.model(args, progress)
        if args.chart in LONG:
            return Found(model.loaded, model.score(document).ledger)
        timings = model.timings(document) if args.chart == "cache" else ()
        after = model.next(document, decoding)
    for sentence in after.notes:
        note(sentence)
    return Found(model.loaded, after=after, timings=timings)


def _data(chart: str, kind: charts.Kind, found: Found, top: int, origin: Provenance) -> str:
    """The records behind a chart, with their provenance."""
    tokens, after = found.loaded.vocabulary, found.after
    if found.ledger is not None:
        return charts.tokens("heatmap" if chart == "heatmap" else "ledger", kind, found.ledger, tokens, origin)
    assert after is not None
    if chart == "cache":
        return charts.timings(kind, found.timings, origin)
    before = after.document.before(after.document.end)
    return charts.bars(kind, after.answer, after.decoded, tokens, before, top, origin)


def _picture(args: argparse.Namespace, found: Found, document: Document, origin: Provenance) -> None:
    try:
        from arplay.gui import app, export_image, export_parts, overrides, theme
        from arplay.gui.panels import PANELS
    except ImportError as error:
        raise why_not_imported(error) from error

    look = theme.DARK if args.theme == "dark" else theme.LIGHT
    theme.apply(app.application(), look)
    module = {"bars": "next_token", "cache": "kv_cache"}.get(args.chart, args.chart)
    with overrides.raised():
        panel = next(place for place in PANELS if place.module == module).make()
        panel.set_theme(look)
        panel.show_view(_view(found, document, args.top))
    chart: export_image.Chart = panel
    if args.chart in LONG:
        long = cast(export_parts.Long, panel)
        first, stop = args.tokens or (1, long.count())
        if not first <= stop <= long.count():
            raise Problem(f"there are no tokens {first:,} to {stop:,}", f"the text has {long.count():,}")
        chart = long.sheet(first - 1, stop) or panel
    apart = args.pages and args.out.suffix.lower() != ".pdf"
    for done, count in export_image.steps(chart, args.out, origin.caption(), args.scale, args.size, args.pages):
        if apart or done == count:
            note(f"wrote {export_image.numbered(args.out, done - 1, count if apart else 1)}")
    panel.deleteLater()


def _view(found: Found, document: Document, top: int) -> View:
    """What the window would show of the document with the caret at its end."""
    from arplay.gui.contract import Settings, View

    view = View(Settings(bars=top, animate=False), found.loaded, document, len(document), ledger=found.ledger)
    if found.after is None:
        return view
    settings = replace(view.settings, decoding=found.after.pipeline)
    after = found.after
    return replace(view, settings=settings, answer=after.answer, decoded=after.decoded, timings=found.timings)


def _window(args: argparse.Namespace, decoding: Pipeline) -> None:
    if args.file is not None:
        given.source(args, None, args.file, args.encoding)  # what is wrong with it is told here, nobody can be asked
    wanted = options_of(args, args.file)
    wanted = replace(wanted, size=args.size, first_piece=args.first_piece, bars=args.top, decoding=decoding)
    draw(wanted, args.out)


def _prepare_qt(scale: float) -> None:
    """Qt without a screen; the pixel ratio of a window is fixed by the environment before Qt starts."""
    platform_check.check("offscreen")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if scale != 1.0:
        os.environ["QT_SCALE_FACTOR"] = str(scale)


def scale(text: str) -> float:
    value = float(text)
    if not 0.25 <= value <= 8:
        raise argparse.ArgumentTypeError("a scale is from 0.25 to 8")
    return value


def _tokens(text: str) -> tuple[int, int]:
    """The first and last token, counted from 1 as everywhere on the screen."""
    first, _, last = text.replace("–", "-").partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not FROM-TO, like 1-500") from None


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not WIDTHxHEIGHT") from None
    if not (100 <= width <= MOST_PIXELS and 100 <= height <= MOST_PIXELS):
        raise argparse.ArgumentTypeError(f"each side is from 100 to {MOST_PIXELS} pixels")
    return width, height
