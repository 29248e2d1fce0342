"""``arplay export``: a chart as a picture, or the data behind it, without a window."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from arplay.commands import options
from arplay.commands.console import note
from arplay.commands.options import UsageError
from arplay.commands.window import draw, options_of, why_not_imported
from arplay.commands.work import Work, read_source
from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.errors import Problem
from arplay.export import charts
from arplay.export.provenance import Provenance
from arplay.export.writers import write
from arplay.gui import platform_check
from arplay.models.documents import Source

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
        source = read_source(args, args.prompt, args.file, args.encoding)
        work = Work.load(args)
        if kind in DATA:
            write(args.out, _data(args, "csv" if kind == ".csv" else "json", work, source, decoding))
        else:
            _picture(args, work, source, decoding)
            return 0
    note(f"wrote {args.out}")
    return 0


def _data(args: argparse.Namespace, kind: charts.Kind, work: Work, source: Source, decoding: Pipeline) -> str:
    """The records behind a chart, with their provenance."""
    document = source.document
    if args.chart == "bars":
        answer, distribution = work.explore(document)
        decoded = decode(distribution, decoding)
        origin = Provenance(work.info, answer.first_piece, source.name, decoding)
        return charts.bars(
            kind, answer, decoded, work.vocabulary, source.document.before(source.document.end), args.top, origin
        )
    if args.chart == "cache":
        answer, timings = work.timings(source.document)
        return charts.timings(kind, timings, Provenance(work.info, answer.first_piece, source.name))
    ledger = work.score(source.document)
    origin = Provenance(work.info, ledger.first_piece, source.name)
    return charts.tokens(args.chart, kind, ledger, work.vocabulary, origin)


def _picture(args: argparse.Namespace, work: Work, source: Source, decoding: Pipeline) -> None:
    try:
        from arplay.gui import app, export_image, export_parts, overrides, theme
        from arplay.gui.panels import PANELS
    except ImportError as error:
        raise why_not_imported(error) from error

    bars = args.chart == "bars"
    view = _view(work, source, decoding if bars else Pipeline(), args)
    shown = view.answer or view.ledger
    assert shown is not None
    provenance = Provenance(work.info, shown.first_piece, source.name, decoding if bars else None)
    look = theme.DARK if args.theme == "dark" else theme.LIGHT
    theme.apply(app.application(), look)
    module = {"bars": "next_token", "cache": "kv_cache"}.get(args.chart, args.chart)
    with overrides.raised():
        panel = next(place for place in PANELS if place.module == module).make()
        panel.set_theme(look)
        panel.show_view(view)
    chart: export_image.Chart = panel
    if args.chart in LONG:
        long = cast(export_parts.Long, panel)
        first, stop = args.tokens or (1, long.count())
        if not first <= stop <= long.count():
            raise Problem(f"there are no tokens {first:,} to {stop:,}", f"the text has {long.count():,}")
        chart = long.sheet(first - 1, stop) or panel
    apart = args.pages and args.out.suffix.lower() != ".pdf"
    for done, count in export_image.steps(chart, args.out, provenance.caption(), args.scale, args.size, args.pages):
        if apart or done == count:
            note(f"wrote {export_image.numbered(args.out, done - 1, count if apart else 1)}")
    panel.deleteLater()


def _view(work: Work, source: Source, decoding: Pipeline, args: argparse.Namespace) -> View:
    """What the window would show of the text with the caret at its end."""
    from arplay.gui.contract import Settings, View

    document = source.document
    settings = Settings(decoding=decoding, bars=args.top, animate=False)
    view = View(settings, work.loaded, document, caret=len(document))
    if args.chart == "bars":
        answer, distribution = work.explore(source.document)
        return replace(view, answer=answer, decoded=decode(distribution, decoding))
    if args.chart == "cache":
        answer, timings = work.timings(source.document)
        return replace(view, answer=answer, timings=timings)
    return replace(view, ledger=work.score(source.document))


def _window(args: argparse.Namespace, decoding: Pipeline) -> None:
    if args.file is not None:
        read_source(args, None, args.file, args.encoding)  # what is wrong with it is told here, nobody can be asked
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
