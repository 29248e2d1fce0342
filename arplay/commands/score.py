"""``arplay score``: what the model expected of every token of a text, or of several."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import get_args

from arplay import comparisons
from arplay.commands import candidates, colours, given, options, output, scored
from arplay.commands.console import ProgressLine, deliver, note
from arplay.core.aligned import Aligned
from arplay.core.edited import Edited, edited
from arplay.core.parts import Parts
from arplay.core.parts import check as check_parts
from arplay.core.signs import safe
from arplay.core.sweeps import Axis
from arplay.engine.conventions import Compared
from arplay.engine.curves import Swept
from arplay.engine.divergence import Diverged
from arplay.engine.segmentations import Segmented
from arplay.engine.word_edges import Edged
from arplay.export import (
    comparing,
    comparison,
    conventions,
    divergence,
    parts,
    perplexity,
    report,
    scorefile,
    segmentations,
    tables,
)  # fmt: skip
from arplay.export.charts import Table
from arplay.export.provenance import Provenance
from arplay.export.writers import json_pieces, write_pieces
from arplay.models.documents import Source
from arplay.results import Score, model_record

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


@dataclass(frozen=True)
class One:
    """All that was asked of one text."""

    name: str
    score: Score
    divided: Parts | None
    compared: Compared | None
    segmented: Segmented | None
    beside: list[tuple[Score, Aligned]]
    diverged: list[Diverged]
    """For each of ``beside`` how far it is, where that was asked."""
    edged: Edged | None
    edited: Edited | None = None
    swept: Swept | None = None

    @property
    def record(self) -> tables.Record:
        """What JSON tells of it."""
        return self.around | {"tokens": tables.Rows(self.score.ledger, self.score.loaded.vocabulary)}

    @property
    def pieces(self) -> Iterator[str]:
        """The same as a line, a piece at a time."""
        return report.line(self.name, self.around, self.score.ledger, self.score.loaded.vocabulary)

    @cached_property
    def around(self) -> tables.Record:
        """The same without its tokens."""
        found = self.score.around()
        if self.divided is not None:
            found["parts"] = parts.rows(self.divided, None if self.edged is None else self.edged.edges)
        if self.compared is not None:
            found["conventions"] = conventions.record(self.compared)
        if self.swept is not None:
            found["curve"] = perplexity.curve(self.swept, self.score.ledger.unit, self.score.ledger.totals.units)
        if self.segmented is not None:
            found["segmentations"] = segmentations.record(self.segmented)
        if self.beside:
            found["comparison"] = [comparison.record(pair, model_record(other.loaded)) for other, pair in self.beside]
        if self.edited is not None:
            found["edit"] = comparing.edit_record(self.edited)
        if self.diverged:
            found["divergence"] = [divergence.record(each, self.score.loaded.vocabulary) for each in self.diverged]
        return found

    @property
    def origin(self) -> Provenance:
        return Provenance(self.score.loaded.info, self.score.ledger.first_token, self.name)

    def lines(self, found: tables.Record, coloured: bool = False) -> list[str]:
        """The same for a terminal; ``coloured``: its tokens are shown in colours and stand in no table."""
        beside = self._beside(found)
        if not beside and not coloured:
            beside = scored.tokens(self.score, tables.tokens(self.score.ledger, self.score.loaded.vocabulary))
        return [*self._of_the_whole(found), *scored.head(self.score, found["totals"]), *beside]

    def briefly(self, found: tables.Record) -> list[str]:
        """What was asked of it besides its totals, under its name."""
        told = self.asked(found)
        return ["", f"{safe(self.name)}:", *told] if told else []

    def asked(self, found: tables.Record) -> list[str]:
        """The same without its name."""
        return [*self._of_the_whole(found), *self._beside(found)]

    def _of_the_whole(self, found: tables.Record) -> list[str]:
        told = [] if self.compared is None else [*conventions.lines(self.compared), ""]
        if self.swept is not None:
            told += [*perplexity.lines(self.swept, found["curve"], self.score.ledger.unit), ""]
        return told + ([] if self.segmented is None else [*segmentations.lines(self.segmented), ""])

    def _beside(self, found: tables.Record) -> list[str]:
        name, told = self.score.loaded.info.name, list[str]()
        for other, pair in self.beside:
            told += ["", *comparison.lines(pair, name, other.loaded.info.name)]
        if self.edited is not None:
            told += ["", *comparing.edit_lines(self.edited)]
        for each in self.diverged:
            told += ["", *divergence.lines(each, self.score.loaded.vocabulary)]
        return told + ([] if self.divided is None else scored.parts(found["parts"], self.score.ledger.unit))

    def table(self) -> Table:
        """A row a token, or a part."""
        found, ledger = self.record, self.score.ledger
        comments = [*self.origin.lines(), *tables.comments(found["totals"])]
        rows, columns = found["tokens"], tables.token_columns(ledger, self.score.loaded.vocabulary)
        if self.divided is not None:
            rows, columns = found["parts"], parts.columns(ledger, self.edged is not None)
        return Table({"provenance": self.origin.as_dict()} | found, rows, columns, comments)


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
                one.asked(one.around),
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
    if len(every) == 1:
        told = every[0].record if output.is_json(args) else every[0].lines(every[0].around, coloured)
    elif output.is_json(args):
        texts = [{"text": one.name, **one.record} for one in every]
        told = {"texts": texts, "totals": scored.together([one.score for one in every])}
    else:
        told = scored.several([(one.name, one.score) for one in every])
        told += (line for one in every for line in one.briefly(one.around))
    deliver(json_pieces(told) if output.is_json(args) else "\n".join(told) + "\n", args.out)
    if coloured:
        score = every[0].score
        colours.say(colours.lines(score.ledger, score.loaded.vocabulary, colours.scale_of(args)))
    return 0


def _opened(args: argparse.Namespace) -> list[One]:
    """Runs that were saved; a model is loaded only to stand beside them. Raises Problem."""
    if not all(map(scorefile.is_scores, args.files)):
        raise options.UsageError("saved runs go with saved runs only: score the other texts by themselves")
    more = "raw", "field", "conventions", "segmentations", "candidates", "divergence", "base", "correct_spaces", "curve"
    options.as_it_was_scored(args, *more, "save", beside=not all(map(scorefile.is_scores, args.compare or ())))
    runs = [given.opened(path) for path in args.files]
    found = [
        One(source.name, score, score.by(args.by) if args.by else None, None, None, [], [], None)
        for source, score in runs
    ]
    with ProgressLine() as progress:
        for name in args.compare or ():
            rival = given.rival(args, name, progress)
            for one, (source, score) in zip(found, runs, strict=True):
                its = given.scored(rival, name, source)
                one.beside.append((its, score.beside(its)))
            del rival
    return found


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
        scores = [model.score(source.document) for source in sources]
        edits: list[Edited | None] = [None for _ in sources]
        if args.base is not None:
            base = model.score(given.source(args, None, args.base, args.encoding).document)
            edits = [edited(base.ledger, score.ledger) for score in scores]
        compared = [model.conventions(source.document) if args.conventions else None for source in sources]
        segmented = [model.segmentations(source.document) if args.segmentations else None for source in sources]
        swept = [model.curve(source.document, args.curve) if args.curve else None for source in sources]
        edged = [model.word_edges(source.document) if args.correct_spaces else None for source in sources]
        first = model if args.divergence else None
        del model
        beside: list[list[tuple[Score, Aligned]]] = [[] for _ in sources]
        diverged: list[list[Diverged]] = [[] for _ in sources]
        for name in args.compare or ():
            rival = given.rival(args, name, progress)
            for source, score, found, far in zip(sources, scores, beside, diverged, strict=True):
                its = given.scored(rival, name, source)
                found.append((its, score.beside(its)))
                if first is not None and not isinstance(rival, Score):
                    far.append(comparisons.divergence(first, rival, source.document))
            del rival
    divided = [score.by(args.by) if args.by else None for score in scores]
    names = [source.name for source in sources]
    columns = names, scores, divided, compared, segmented, beside, diverged, edged, edits, swept
    return [One(*row) for row in zip(*columns, strict=True)]
