"""``arplay export``: a chart as a picture, or the data behind it, without a window."""

from __future__ import annotations

import argparse
import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from arplay.api import Complete
from arplay.commands import colours, compared, given, options, output
from arplay.commands.console import ProgressLine, note
from arplay.commands.options import UsageError
from arplay.commands.window import draw, options_of, why_not_imported
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.sweeps import Axis
from arplay.engine.candidates import Rated
from arplay.engine.causality import Changed
from arplay.engine.mapping import Mapped
from arplay.engine.rollouts import Rolled
from arplay.engine.runs import in_place_of_model
from arplay.engine.search import Searched
from arplay.engine.tokenizing import Tokenized
from arplay.export import plots, scorefile, sessionfile
from arplay.export.charts import (
    CANDIDATES,
    COMPARISON,
    HEATMAP,
    LEDGER,
    PERPLEXITY,
    PLOTS,
    TOKENIZERS,
    TRIED,
    WORDS,
    Chart,
    Shown,
)
from arplay.export.perplexity import Perplexities
from arplay.export.writers import write
from arplay.gui import panels, platform_check
from arplay.gui.panels.entry import PanelEntry
from arplay.labs import tokenizers
from arplay.models.catalogue import DEFAULT
from arplay.models.documents import Source
from arplay.schema import short
from arplay.textfile import read_texts

if TYPE_CHECKING:
    from arplay.api import Model
    from arplay.gui.export_image import Chart as Drawn
    from arplay.gui.view import View

PICTURES = (".png", ".svg", ".pdf")
DATA = (".csv", ".json", ".jsonl", ".parquet")
WINDOW = "window"
MOST_PIXELS = 16_000
OF_RUNS = (HEATMAP.name, WORDS.name, PLOTS.name, LEDGER.name, PERPLEXITY.name, COMPARISON.name)
"""What a saved scoring run can be shown as."""


def charts() -> dict[str, PanelEntry]:
    """The panels that have a chart of a text or a session, by its name."""
    charted = (entry for entry in panels.PANELS if entry.chart is not None and not entry.chart.played)
    return {entry.chart.name: entry for entry in charted if entry.chart is not None}


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the text, or RUN.npz; - is standard input")
    text.add_argument("--prompt", metavar="S", help="the text itself")
    parser.add_argument("--chart", required=True, choices=(*charts(), WINDOW))
    parser.add_argument(
        "--out", required=True, type=Path, metavar="X", help="X.png, .svg, .pdf, .csv, .json, .jsonl or .parquet"
    )
    options.add_model(parser)
    options.add_reading(parser)
    options.add_encoding(parser)
    parser.add_argument("--top", type=options.count, default=20, metavar="N", help="bars: the N most probable (20)")
    parser.add_argument("--scale", type=scale, default=2.0, help="PNG pixels for each logical pixel, 0.25 to 8 (2)")
    parser.add_argument("--theme", choices=("dark", "light"), default="light")
    parser.add_argument("--size", type=_size, metavar="WxH", help="of the picture, or of a page")
    of = ", ".join(_long())
    parser.add_argument("--tokens", type=_tokens, metavar="A-B", help=f"{of}: a picture of these tokens only (1-500)")
    several = f"{of}: a long PNG or SVG as several files, X-1.png and so on"
    parser.add_argument("--pages", action="store_true", help=several)
    tried = parser.add_mutually_exclusive_group()
    tried.add_argument("--rollouts", type=options.count, metavar="K", help="continuations: K samples in one batch (8)")
    tried.add_argument("--beams", type=options.count, metavar="B", help="continuations: a beam search of B beams")
    tried.add_argument("--map", action="store_true", help="continuations: the most probable ones as areas")
    parser.add_argument(
        "-n", type=options.count, metavar="N", help="continuations: of up to N tokens (32; 4 for --map)"
    )
    parser.add_argument("--seed", type=options.seed, metavar="S", help="continuations: that of the first rollout (0)")
    parser.add_argument(
        "--candidates", type=Path, metavar="FILE", help="candidates: what may follow, a line each, or a list in JSON"
    )
    parser.add_argument("--plot", choices=tuple(plots.BY_NAME), help=f"plots: which one ({plots.FIRST.plot})")
    mean = f"plots: a rolling mean of N tokens ({plots.FIRST.how.width})"
    parser.add_argument("--mean", type=_mean, metavar="N", help=mean)
    parser.add_argument("--bin", type=_bin, metavar="W", help=f"plots: bins of the histogram ({plots.FIRST.how.bin:g})")
    parser.add_argument("--unit", choices=get_args(plots.Unit), help="plots: of surprisal and entropy (nats)")
    parser.add_argument("--tokenizer", action="append", metavar="M", help="tokenizers: that of M as well (english)")
    compared.configure(parser)
    curve = "perplexity: against stride or context as well; may be given twice"
    parser.add_argument("--curve", choices=get_args(Axis), action="append", help=curve)
    colours.add(parser, "heatmap: what its tokens are coloured by")
    options.add_decoding(parser)


def run(args: argparse.Namespace) -> int:
    output.check_places(args)
    kind, entry = args.out.suffix.lower(), charts().get(args.chart)
    known = (
        (".png",) if entry is None or entry.chart is None else PICTURES + DATA + tuple(dict(entry.chart.also).values())
    )
    if kind not in known:
        raise UsageError(f"--chart {args.chart} goes to {', '.join(known)}, not to {args.out.name}")
    if (args.tokens or args.pages) and not (args.chart in _long() and kind in PICTURES):
        raise UsageError(f"--tokens and --pages are for pictures of a {' or a '.join(_long())}")
    of_tried = any(getattr(args, name) not in (None, False) for name in ("rollouts", "beams", "map", "n", "seed"))
    if of_tried and args.chart != TRIED.name:
        raise UsageError("--rollouts, --beams, --map, -n and --seed are for --chart continuations")
    if (args.candidates is not None) != (args.chart == CANDIDATES.name):
        raise UsageError("--chart candidates and --candidates FILE go together")
    if args.chart != PLOTS.name and any((args.plot, args.mean, args.bin, args.unit)):
        raise UsageError("--plot, --mean, --bin and --unit are for --chart plots")
    if args.tokenizer and args.chart != TOKENIZERS.name:
        raise UsageError("--tokenizer is for --chart tokenizers")
    if args.curve and args.chart != PERPLEXITY.name:
        raise UsageError("--curve is for --chart perplexity")
    compared.check(args, args.chart == COMPARISON.name)
    colours.check(args)
    if args.colour_by and args.chart != "heatmap":
        raise UsageError("--colour-by is for --chart heatmap")
    decoding = options.decoding(args)
    if kind in PICTURES:
        _prepare_qt(args.scale if entry is None else 1.0)
    if entry is None or entry.chart is None:
        _window(args, decoding)
    else:
        session = None
        if entry.chart is COMPARISON:
            with ProgressLine() as progress:
                shown = compared.compared(args, progress)
        elif args.file is not None and scorefile.is_scores(args.file):
            shown = _saved(args, entry.chart)
        elif entry.chart.branches:
            if args.file is None or not sessionfile.is_session(args.file):
                raise UsageError(f"--chart {args.chart} is of a saved session: give FILE{sessionfile.ENDING}")
            session = sessionfile.read(args.file)
            shown = _ask(args, entry.chart, Source(args.file.name, session.tree.document), decoding)
        else:
            shown = _ask(args, entry.chart, given.source(args, args.prompt, args.file, args.encoding), decoding)
        if session is not None:
            shown = replace(shown, tree=session.tree)
            if session.revision not in (None, shown.loaded.info.revision):
                cause = f"{shown.text} was made with {short(session.model)} of revision {short(session.revision)}"
                raise Problem(cause, "give that --model: the figures are its")
        if kind in PICTURES:
            _picture(args, entry, shown)
            return 0
        write(args.out, entry.chart.table(shown).content(kind[1:]))
    note(f"wrote {args.out}")
    return 0


def _long() -> list[str]:
    """The charts of which a picture may be of some tokens only."""
    return [name for name, entry in charts().items() if entry.chart is not None and entry.chart.long]


def _saved(args: argparse.Namespace, chart: Chart) -> Shown:
    """What a chart of scores is of a run that was saved: no model is loaded."""
    if chart.name not in OF_RUNS:
        raise UsageError(f"{args.file.name} has the scores of a text: --chart {', '.join(OF_RUNS)}")
    options.as_it_was_scored(args, "curve")
    if chart is PERPLEXITY:
        note("a saved run has no model that other conventions could be asked of: these are its own figures")
    run = scorefile.read(args.file)
    found = _plot(args) if chart is PLOTS else None
    document = run.document
    return Shown(in_place_of_model(0, run), document, len(document), run.name, ledger=run.ledger, found=found)


def _ask(args: argparse.Namespace, chart: Chart, source: Source, decoding: Pipeline) -> Shown:
    """What the chart is of."""
    document = source.document
    with ProgressLine() as progress:
        model = given.model(args, progress)
        shown = Shown(model.loaded, document, len(document), source.name, bars=args.top)
        if chart.of == "scores":
            score = model.score(document)
            found: object = _plot(args) if chart is PLOTS else None
            if chart is PERPLEXITY:
                curves = tuple(model.curve(document, axis) for axis in dict.fromkeys(args.curve or ()))
                found = Perplexities(model.conventions(document), curves)
            if chart is TOKENIZERS:
                found = tokenizers(document, [args.model or DEFAULT, *(args.tokenizer or [DEFAULT])])
            return replace(shown, loaded=score.loaded, ledger=score.ledger, found=found)
        if chart.finds:
            return replace(shown, found=_found(args, model, document, decoding, chart), loaded=model.loaded)
        timings = model.timings(document) if chart.measures else ()
        try:
            after = model.next(document, decoding)
        except Complete as problem:
            scored = (name for name, entry in charts().items() if entry.chart and entry.chart.of == "scores")
            remedy = f"leave some of it open, or choose --chart {' or '.join(scored)}"
            raise Problem(f"{source.name} is complete: no token comes next", remedy) from problem
    for sentence in after.notes:
        note(sentence)
    shown = replace(shown, loaded=after.loaded, answer=after.answer, decoded=after.decoded, timings=timings)
    return replace(shown, decoding=decoding) if chart.decodes else shown


def _found(args: argparse.Namespace, model: Model, document: Document, decoding: Pipeline, chart: Chart) -> object:
    """What its panel would have asked for."""
    if chart is CANDIDATES:
        return model.candidates(document, read_texts(args.candidates, args.encoding))
    return _tried(args, model, document, decoding) if chart is TRIED else model.change(document)


def _plot(args: argparse.Namespace) -> plots.Chosen:
    first = plots.FIRST
    how = plots.How(args.unit or first.how.unit, args.mean or first.how.width, args.bin or first.how.bin)
    return plots.Chosen(args.plot or first.plot, how)


def _tried(
    args: argparse.Namespace, model: Model, document: Document, decoding: Pipeline
) -> Rolled | Searched | Mapped:
    """What there is to see in Continuations."""
    if args.map:
        return model.map(document, args.n or 4, pipeline=decoding)
    if args.beams is not None:
        return model.beams(document, args.beams, args.n or 32, pipeline=decoding).found
    return model.rollouts(document, args.rollouts or 8, args.n or 32, seed=args.seed or 0, pipeline=decoding).found


def _picture(args: argparse.Namespace, entry: PanelEntry, shown: Shown) -> None:
    try:
        from arplay.gui import app, export_image, export_parts, overrides, theme
        from arplay.gui.widgets.comparison.sheet import sheet_of
    except ImportError as error:
        raise why_not_imported(error) from error

    look = theme.DARK if args.theme == "dark" else theme.LIGHT
    theme.apply(app.application(), look)
    if entry.chart is COMPARISON:
        _steps(args, sheet_of(shown.found, "nats", look), shown)
        return
    with contextlib.ExitStack() as after:
        with overrides.raised():
            panel = entry.make()
            after.callback(panel.deleteLater)
            panel.set_theme(look)
            panel.show_view(_view(shown, args))
        if panel.chart_size() is None and entry.chart is not None:
            entry.chart.table(shown)  # says why there is none
        chart: export_image.Chart = panel
        if entry.chart is not None and entry.chart.long:
            long = cast(export_parts.Long, panel)
            if not long.count():
                raise Problem("an empty text has no tokens to draw", "give one with something in it")
            first, stop = args.tokens or (1, long.count())
            if not first <= stop <= long.count():
                raise Problem(f"there are no tokens {first:,} to {stop:,}", f"the text has {long.count():,}")
            chart = long.sheet(first - 1, stop) or panel
        _steps(args, chart, shown)


def _steps(args: argparse.Namespace, chart: Drawn, shown: Shown) -> None:
    """Write the picture, or its pages."""
    from arplay.gui import export_image

    apart, origin = args.pages and args.out.suffix.lower() != ".pdf", shown.origin().caption()
    for done, count in export_image.steps(chart, args.out, origin, args.scale, args.size, args.pages):
        if apart or done == count:
            note(f"wrote {export_image.numbered(args.out, done - 1, count if apart else 1)}")


def _view(shown: Shown, args: argparse.Namespace) -> View:
    """What the window would show of the document with the caret at its end."""
    from arplay.gui.intents import Ask, ByContext, ByStride, CompareCandidates, CompareConventions, TokenizeText
    from arplay.gui.settings import Settings
    from arplay.gui.view import Asked, View

    settings = Settings(bars=shown.bars, animate=False, decoding=shown.decoding or Pipeline())
    settings = replace(settings, colour_by=args.colour_by or "surprisal", rank_bounds=colours.scale_of(args).bounds)
    asked: dict[type[Ask], Asked] = {}
    match shown.found:
        case Rated() as rated:
            settings = replace(settings, candidates=rated.texts, reading=rated.reading)
            asked = {CompareCandidates: Asked(rated)}
        case Tokenized(found=found):
            settings = replace(settings, tokenizers=tuple(each.spec for each in found[1:]))
            asked = {TokenizeText: Asked(shown.found)}
        case Perplexities(compared=found, curves=curves):
            kinds: dict[str, type[Ask]] = {"stride": ByStride, "context": ByContext}
            asked = {CompareConventions: Asked(found)} | {kinds[each.axis]: Asked(each) for each in curves}
        case plots.Chosen(plot=plot, how=how):
            settings = replace(settings, plot=plot, unit=how.unit, plot_mean=how.width, plot_bin=how.bin)
    return View(
        settings,
        shown.loaded,
        shown.document,
        shown.caret,
        answer=shown.answer,
        decoded=shown.decoded,
        ledger=shown.ledger,
        timings=shown.timings,
        rolled=shown.found if isinstance(shown.found, Rolled) else None,
        searched=shown.found if isinstance(shown.found, Searched) else None,
        mapped=shown.found if isinstance(shown.found, Mapped) else None,
        measured={"triangle": shown.found} if isinstance(shown.found, Changed) else {},
        asked=asked,
        tree=shown.tree,
        node=shown.tree.node if shown.tree is not None else None,
    )


def _window(args: argparse.Namespace, decoding: Pipeline) -> None:
    if args.file is not None:
        given.source(args, None, args.file, args.encoding)  # what is wrong with it is told here, nobody can be asked
    wanted = options_of(args, args.file)
    wanted = replace(wanted, size=args.size, bars=args.top, decoding=decoding)
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


def _mean(text: str) -> int:
    value = int(text)
    if not plots.MEANS[0] <= value <= plots.MEANS[1]:
        raise argparse.ArgumentTypeError(f"a rolling mean is of {plots.MEANS[0]} to {plots.MEANS[1]:,} tokens")
    return value


def _bin(text: str) -> float:
    value = float(text)
    if not plots.BINS[0] <= value <= plots.BINS[1]:
        raise argparse.ArgumentTypeError(f"a bin is from {plots.BINS[0]:g} to {plots.BINS[1]:g}")
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
