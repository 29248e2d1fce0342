"""What ``arplay export --chart comparison`` is of: models, or saved runs, on one text; or a text and its edit."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from arplay import comparisons
from arplay.commands import given, options
from arplay.core.aligned import shares
from arplay.core.edited import edited
from arplay.engine.parting import Parted
from arplay.export import scorefile
from arplay.export.charts import Shown
from arplay.export.comparing import Beside
from arplay.gui.peers import MOST
from arplay.models.base import Report
from arplay.models.documents import Source
from arplay.results import Score


def configure(parser: argparse.ArgumentParser) -> None:
    others = "comparison: with these models on the same text (M:bfloat16), or runs of it that were saved"
    parser.add_argument("--compare", nargs="+", metavar="M", help=others)
    apart = "comparison: KL, total variation and ranks token by token, from the model to the one of --compare"
    parser.add_argument("--divergence", action="store_true", help=apart)
    before = "comparison: with the text before an edit, under one model"
    parser.add_argument("--base", type=Path, metavar="FILE", help=before)


def check(args: argparse.Namespace, compares: bool) -> None:
    """``compares``: whether the chart is the comparison. Raises UsageError."""
    if not compares and (args.compare or args.divergence or args.base):
        raise options.UsageError("--compare, --divergence and --base are for --chart comparison")
    if compares and bool(args.compare) == bool(args.base):
        raise options.UsageError("--chart comparison takes --compare M, or --base FILE")
    if args.compare and len(args.compare) > MOST:
        raise options.UsageError(f"{MOST + 1} models are compared at most: --compare up to {MOST}")
    runs = [name for name in (args.file, *(args.compare or ())) if name is not None and scorefile.is_scores(name)]
    if args.divergence and (args.compare is None or len(args.compare) != 1 or runs):
        raise options.UsageError("--divergence is from the model to one --compare M; a saved run has no distributions")
    if args.base is not None and runs:
        raise options.UsageError("--base needs a model that scores both texts: give the text")


def compared(args: argparse.Namespace, progress: Report) -> Shown:
    """Raises Problem."""
    if args.file is not None and scorefile.is_scores(args.file):
        if args.model is not None:
            raise options.UsageError("a saved run goes without --model: it has its figures")
        (source, first), model = given.opened(args.file), None
    else:
        source = given.source(args, args.prompt, args.file, args.encoding)
        model = given.model(args, progress)
        first = model.score(source.document)
    document = source.document
    shown = Shown(first.loaded, document, len(document), source.name, ledger=first.ledger)
    if args.base is not None and model is not None:
        base = model.score(given.source(args, None, args.base, args.encoding).document)
        return replace(shown, found=edited(base.ledger, first.ledger))
    if args.divergence and model is not None:
        other = given.other(args, args.compare[0], progress)
        return replace(shown, found=comparisons.divergence(model, other, document))
    del model
    others = list(_others(args, source, progress))
    every = [first, *(score for _, score in others)]
    ledgers = tuple(score.ledger for score in every)
    parted = Parted(0, ledgers, tuple(first.beside(other) for other in every[1:]), shares(ledgers))
    called = first.loaded.info.name, *(name for name, _ in others)
    names = tuple(f"{name} {score.loaded.info.dtype}" for name, score in zip(called, every, strict=True))
    return replace(shown, found=Beside(parted, tuple(score.loaded for score in every), names, "ABCD"[: len(every)]))


def _others(args: argparse.Namespace, source: Source, progress: Report) -> Iterator[tuple[str, Score]]:
    """By what they are called, in the order of ``--compare``; no two models are in memory at once."""
    for name in args.compare:
        spec, score = given.typed(name)[0], given.scored(given.rival(args, name, progress), name, source)
        named = scorefile.is_scores(name) or Path(spec).is_absolute()
        yield Path(spec).name if named else spec, score
