"""What the arguments of a command name: a document, and the model that is asked about it."""

from __future__ import annotations

import argparse
from pathlib import Path

from arplay import api
from arplay.commands import options
from arplay.commands.console import note
from arplay.core.errors import Problem
from arplay.core.signs import safe
from arplay.core.windows import Cost, windows_of
from arplay.engine.load import Loaded
from arplay.export import scorefile
from arplay.export.provenance import summary
from arplay.models import catalogue, devices, documents
from arplay.models.base import Report, lead
from arplay.models.documents import Source
from arplay.results import Score


def source(args: argparse.Namespace, prompt: str | None, file: Path | None, encoding: str | None) -> Source:
    """The document that a command is given for the model that the options name. Raises Problem."""
    raw = getattr(args, "raw", False)
    found = documents.read(args.model or catalogue.DEFAULT, prompt, file, encoding, raw)
    if found.remark:
        note(
            f"{found.remark} (--raw keeps it)"
            if hasattr(args, "raw") and found.remark.endswith("are text")
            else found.remark
        )
    return found


def sources(args: argparse.Namespace, file: Path) -> list[Source]:
    """One of a file, or one a record where the options name a field. Raises Problem."""
    if args.field is None:
        return [source(args, None, file, args.encoding)]
    found = documents.of_records(args.model or catalogue.DEFAULT, file, args.field, args.encoding)
    for each in found:
        if each.remark:
            note(each.remark)
    return found


def model(args: argparse.Namespace, progress: Report) -> api.Model:
    """The model that the options name. Raises Problem."""
    asked, reading = args.model or catalogue.DEFAULT, options.reading(args)
    return api.load(asked, device=args.device, dtype=args.dtype, progress=progress, reading=reading)


def other(args: argparse.Namespace, name: str, progress: Report) -> api.Model:
    """A model beside it, read as the options say. Raises Problem."""
    spec, dtype = typed(name)
    return model(argparse.Namespace(**{**vars(args), "model": spec, "dtype": dtype or args.dtype}), progress)


def opened(path: Path) -> tuple[Source, Score]:
    """The text of a run that was saved, and its scores. Raises Problem."""
    score, name = Score.opened(path)
    return Source(name, score.document), score


def rival(args: argparse.Namespace, name: str, progress: Report) -> api.Model | Score:
    """What ``--compare`` names: a run that was saved, or a model. Raises Problem."""
    return Score.opened(name)[0] if scorefile.is_scores(name) else other(args, name, progress)


def scored(rival: api.Model | Score, name: str, source: Source) -> Score:
    """What it says of a text. Raises Problem where that is of another text, or none that it can read."""
    if not isinstance(rival, Score):
        try:
            return rival.score(source.document)
        except Problem as problem:
            raise Problem(f"{name}: {problem.cause}", problem.remedy) from problem
    alike = isinstance(source.document, type(rival.document))
    if not (alike and rival.ledger.encoded.is_of(source.document)):
        cause = f"{name} is a run of another text than {source.name}"
        raise Problem(cause, "compare what has scored the same text, or name a model, which scores this one")
    return rival


def typed(name: str) -> tuple[str, str]:
    """A model of ``--compare``, and the number type behind it.

    >>> typed("english:bfloat16"), typed("http://localhost:8000/v1#m")
    (('english', 'bfloat16'), ('http://localhost:8000/v1#m', ''))
    """
    spec, _, dtype = name.rpartition(":")
    return (spec, dtype) if spec and dtype in devices.BYTES else (name, "")


def title(loaded: Loaded) -> list[str]:
    """The model in a line for terminals, and another where its tokenizer changes text."""
    return [summary(loaded.info), *([safe(loaded.lossy)] if loaded.lossy else [])]


def cost(model: api.Model, source: Source) -> Cost:
    """What it takes to score it, as the model's reading has it. Raises Problem for what cannot be read."""
    before, _ = lead(model.backend.alphabet, model.backend.can.starts_empty, model.reading.first_token)
    length = len(before) + len(model.encode(source.document))
    return windows_of(model.info.context, length, model.reading, len(before)).cost(length)
