"""``arplay score``: what the model expected of every token of a text, or of several."""

from __future__ import annotations

import argparse
from itertools import chain
from pathlib import Path
from typing import get_args

from arplay import comparisons
from arplay.api import Model
from arplay.commands import candidates, colours, given, options, output, scored
from arplay.commands.console import ProgressLine, note
from arplay.commands.one_text import One
from arplay.core.edited import edited
from arplay.core.parts import check as check_parts
from arplay.core.sweeps import Axis
from arplay.export import report, scorefile
from arplay.export.tables import Record
from arplay.export.writers import write_pieces
from arplay.models.base import Report
from arplay.models.documents import Source
from arplay.results import Score

LONG = 20_000
"""Tokens to be read of which it is told beforehand."""


def configure(parser: argparse.ArgumentParser) -> None:
    what = "texts to score; - is standard input, and OUT.npz a run that was saved"
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help=what)
    parser.add_argument("--prompt", metavar="S", help="a text to score instead of files")
    options.add_model(parser)
    options.add_reading(parser)
    options.add_encoding(parser)
    parser.add_argument("--raw", action="store_true", help="score a page (.html) as it is, with its markup")
    field = "score the text in this field (a.b is b inside a) of each record of a .jsonl or .json file, as its own text"
    parser.add_argument("--field", metavar="NAME", help=field)
    listed = "write a table of the tokens as well: Parquet or JSON where the name ends so, else CSV"
    parser.add_argument("--table", "--csv", dest="table", type=Path, metavar="OUT", help=listed)
    page = "write an HTML page as well, which needs nothing else: figures, plots, the coloured text"
    parser.add_argument("--report", type=Path, metavar="OUT", help=page)
    parser.add_argument("--jsonl", type=Path, metavar="OUT", help="write a line of JSON a text as well")
    kept = "save the run: `arplay score OUT.npz` opens it again without the model"
    parser.add_argument("--save", type=Path, metavar="OUT.npz", help=kept)
    by = "word, line, sentence or paragraph (of a picture row): what each costs, in --table instead of the tokens"
    parser.add_argument("--by", metavar="PART", help=by)
    spaces = "with --by word: also log p of each word where the space before it counts for the word before"
    parser.add_argument("--correct-spaces", action="store_true", help=spaces)
    among = "what may follow the text, a line each, or a list in JSON: how probable each is, and which is the best"
    parser.add_argument("--candidates", type=Path, metavar="FILE", help=among)
    beside = (
        "the same text by another model (M:bfloat16) or a saved run, or several: bits per byte, and where they part"
    )
    parser.add_argument("--compare", nargs="+", metavar="M", help=beside)
    apart = "with --compare: KL, total variation and ranks a token, where the models have the same tokens"
    parser.add_argument("--divergence", action="store_true", help=apart)
    before = "the text before an edit: what the edit did to the tokens that stand in both"
    parser.add_argument("--base", type=Path, metavar="FILE", help=before)
    ways = "every way to cut a short text into tokens as well, and the sum of all: the probability of the text itself"
    parser.add_argument("--segmentations", action="store_true", help=ways)
    parser.add_argument("--conventions", action="store_true", help="perplexity by the usual conventions as well")
    colours.add(parser, "what the tokens of --report, and those on a terminal, are coloured by")
    against = "perplexity against stride or context as well: the text is scored at several of them"
    parser.add_argument("--curve", choices=get_args(Axis), help=against)
    output.add(parser, "a token or part, or a text a line of .jsonl", more=(".html", ".htm", scorefile.ENDING))


def run(args: argparse.Namespace) -> int:
    if (args.prompt is None) != bool(args.files):
        raise options.UsageError("give FILE, or --prompt S")
    if args.files.count(Path("-")) > 1:
        raise options.UsageError("standard input is read once: give - once")
    _by_ending(args)
    colours.check(args)
    if args.save and (len(args.files) > 1 or not scorefile.is_scores(args.save)):
        raise options.UsageError(f"--save writes one text to a file OUT{scorefile.ENDING}")
    if args.table and (args.compare or len(args.files) > 1):
        told = "--json and --jsonl have all of it, and `arplay export --chart comparison` writes that as a table"
        raise options.UsageError(f"--table is of one text by one model; {told}")
    if args.divergence and (not args.compare or any(map(scorefile.is_scores, args.compare))):
        raise options.UsageError("--divergence goes with --compare M: it is from one model to another, not to a run")
    if args.correct_spaces and args.by != "word":
        raise options.UsageError("--correct-spaces goes with --by word")
    if any(map(scorefile.is_scores, args.files)):
        return _told(args, _opened(args))
    if args.field is not None and (args.prompt is not None or args.raw):
        raise options.UsageError("--field is of the records of files")
    if args.prompt is not None:
        sources = [given.source(args, args.prompt, None, args.encoding)]
    else:
        sources = [one for path in args.files for one in given.sources(args, path)]
    if len(sources) > 1 and (args.save or args.table):
        raise options.UsageError("--save and --table are of one text; --json and --jsonl have all of them")
    if args.candidates is not None:
        if len(sources) > 1:
            raise options.UsageError("--candidates are compared behind one text")
        return candidates.run(args, sources[0])
    return _told(args, _scored(args, sources))


FILES = {
    ".csv": "table",
    ".parquet": "table",
    ".jsonl": "jsonl",
    ".html": "report",
    ".htm": "report",
    scorefile.ENDING: "save",
}
"""The option that writes a file of this ending."""


def _by_ending(args: argparse.Namespace) -> None:
    """What --out names is written as its ending says, by the option for such files. Raises UsageError for an option
    with a file of another kind."""
    for name in dict.fromkeys(FILES.values()):
        path: Path | None = getattr(args, name)
        kind = "" if path is None else path.suffix.lower()
        lines = kind == ".jsonl" and path is args.table  # a row a line
        if path is not None and FILES.get(kind, name) != name and not lines:
            raise options.UsageError(f"--{name} does not write {path.name}: --{FILES[kind]} does")
    name = FILES.get(args.out.suffix.lower(), "") if args.out is not None else ""
    if args.candidates is not None and name:
        if name in ("report", "save"):
            raise options.UsageError(f"candidates are told as text, JSON or a table, not as {args.out.name}")
        name = ""
    args.only_files = bool(name)
    if name:
        if getattr(args, name) is not None:
            raise options.UsageError(f"--{name} and --out {args.out.name} are the same twice")
        setattr(args, name, args.out)
        args.out = None


def _told(args: argparse.Namespace, every: list[One]) -> int:
    """All that was asked for, to where it was asked for."""
    if args.table:
        output.write_table(args.table, every[0].table())
        note(f"wrote {args.table}")
    if args.jsonl:
        write_pieces(args.jsonl, chain.from_iterable(one.pieces for one in every))
        note(f"wrote {args.jsonl}")
    if args.save:
        every[0].score.save(args.save, every[0].name)
        note(f"wrote {args.save}")
    if args.report:
        pages = [
            report.Scoring(
                one.name,
                one.score.ledger,
                one.score.loaded.vocabulary,
                one.origin,
                one.around,
                colours.scale_of(args),
                one.asked(),
            )
            for one in every
        ]
        write_pieces(args.report, report.pieces(pages))
        note(f"wrote {args.report}")
    alone = len(every) == 1 and not (args.json or args.out or args.by or args.compare)
    coloured = bool(args.colour_by) and alone and colours.to_terminal()
    if args.colour_by and not (coloured or args.report):
        note("--colour-by colours a text on a terminal, and a --report: this is neither")
    if args.only_files:
        return 0
    output.deliver(args, lambda: _text(every, coloured), lambda: _record(every))
    if coloured:
        score = every[0].score
        colours.say(colours.lines(score.ledger, score.loaded.vocabulary, colours.scale_of(args)))
    return 0


def _text(every: list[One], coloured: bool) -> str:
    if len(every) == 1:
        told = every[0].lines(coloured)
    else:
        told = scored.several([(one.name, one.score) for one in every])
        told += (line for one in every for line in one.briefly())
    return "\n".join(told) + "\n"


def _record(every: list[One]) -> Record:
    if len(every) == 1:
        return every[0].record
    texts = [{"text": one.name, **one.record} for one in every]
    return {"texts": texts, "totals": scored.together([one.score for one in every])}


def _opened(args: argparse.Namespace) -> list[One]:
    """Runs that were saved; a model is loaded only to stand beside them. Raises Problem."""
    if not all(map(scorefile.is_scores, args.files)):
        raise options.UsageError("saved runs go with saved runs only: score the other texts by themselves")
    more = "raw", "field", "conventions", "segmentations", "candidates", "divergence", "base", "correct_spaces", "curve"
    options.as_it_was_scored(args, *more, "save", beside=not all(map(scorefile.is_scores, args.compare or ())))
    runs = [given.opened(path) for path in args.files]
    every = [One(source.name, score, score.by(args.by) if args.by else None) for source, score in runs]
    with ProgressLine() as progress:
        _compare(args, every, [source for source, _ in runs], progress)
    return every


def _scored(args: argparse.Namespace, sources: list[Source]) -> list[One]:
    """By the model, and then by those of ``--compare``: no two are in memory at once, but for ``--divergence``.

    Raises Problem.
    """
    with ProgressLine() as progress:
        model = given.model(args, progress)
        for source in sources:
            if args.by:  # before any of them is scored
                check_parts(model.encode(source.document), args.by)
        costs = [given.cost(model, source) for source in sources]
        windows, read = (sum(each) for each in zip(*costs, strict=True))
        if read >= LONG:
            note(f"{windows:,} windows, each a forward, and {read:,} tokens to read")
        base = None if args.base is None else model.score(given.source(args, None, args.base, args.encoding).document)
        every = [_asked(args, model, source, base) for source in sources]
        first = model if args.divergence else None
        del model
        _compare(args, every, sources, progress, first)
    return every


def _asked(args: argparse.Namespace, model: Model, source: Source, base: Score | None) -> One:
    """All that is asked of one text and its own model."""
    document = source.document
    one = One(source.name, score := model.score(document), score.by(args.by) if args.by else None)
    if base is not None:
        one.edited = edited(base.ledger, score.ledger)
    if args.conventions:
        one.compared = model.conventions(document)
    if args.segmentations:
        one.segmented = model.segmentations(document)
    if args.curve:
        one.swept = model.curve(document, args.curve)
    if args.correct_spaces:
        one.edged = model.word_edges(document)
    return one


def _compare(
    args: argparse.Namespace, every: list[One], sources: list[Source], progress: Report, first: Model | None = None
) -> None:
    """Put each of ``--compare`` beside each text; ``first``: the model from which divergence is told."""
    for name in args.compare or ():
        rival = given.rival(args, name, progress)
        for one, source in zip(every, sources, strict=True):
            its = given.scored(rival, name, source)
            one.beside.append((its, one.score.beside(its)))
            if first is not None and not isinstance(rival, Score):
                one.diverged.append(comparisons.divergence(first, rival, source.document))
        del rival
