"""Options that several commands share, and what they mean. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from arplay.core.reading import Reading
from arplay.models import families

if TYPE_CHECKING:
    from arplay.core.decoding.pipeline import Pipeline

MAX_SEED = 2**64 - 1
MAX_PIPELINE_BYTES = 1024 * 1024


class UsageError(Exception):
    """The arguments do not go together: told with the usage, exit status 2."""


def said(args: argparse.Namespace, *names: str) -> str:
    """Which of these options were given, as they are written; "" for none.

    >>> said(argparse.Namespace(by="word", raw=False, base=None, curve="stride"), "by", "raw", "base", "curve")
    '--by, --curve'
    """
    given = (name for name in names if getattr(args, name) not in (None, False, "auto"))
    return ", ".join(f"--{name.replace('_', '-')}" for name in given)


def as_it_was_scored(args: argparse.Namespace, *more: str, beside: bool = False) -> None:
    """Raises UsageError where a saved run is asked what needs its model: how it is read, or ``more``.

    ``beside``: how texts are read is asked of a model that stands beside it.
    """
    reads = "device", "dtype", "first_token", "special", "window_lead", "context", "stride"
    if asked := said(args, "model", "encoding", *(() if beside else reads), *more):
        raise UsageError(f"{asked}: a saved run is as it was scored; give the text, and a model scores it")


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        metavar="M",
        help="name (see `arplay models`), org/name[@revision] of a hub, model folder, "
        f"{families.file_kinds()}, or a server's http://HOST:PORT/v1#name; default english",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps", "xpu"), default="auto")
    parser.add_argument("--dtype", choices=("auto", "float32", "bfloat16", "float16"), default="auto")


def add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--first-token",
        choices=("auto", "bos", "eos", "unscored"),
        default="auto",
        help="what stands before the text: auto is what the tokenizer itself adds",
    )
    former = parser.add_argument("--first-piece", dest="first_token", choices=("auto", "bos", "eos", "unscored"))
    former.default, former.help = argparse.SUPPRESS, argparse.SUPPRESS  # its name in scripts until 0.1
    add_windows(parser)
    add_special(parser)


def add_windows(parser: argparse.ArgumentParser) -> None:
    """How a text that is longer than the context is cut."""
    most = "read at most N tokens before each one (as many as the model can)"
    parser.add_argument("--context", type=count, metavar="N", help=most)
    further = "each window of a text that is longer moves on by N tokens (half a window)"
    parser.add_argument("--stride", type=count, metavar="N", help=further)
    parser.add_argument(
        "--window-lead",
        action="store_true",
        help="what stands before the text stands before every later window of a long text as well",
    )


def add_special(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--special", action="store_true", help="the name of a special token in the text is that token, not its letters"
    )


def add_encoding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--encoding", metavar="NAME", help="of the text file, if it is not UTF-8")


def add_decoding(parser: argparse.ArgumentParser) -> None:
    """``--pipeline``, and an option for every stage of the table."""
    from arplay.core.decoding.stage import Words
    from arplay.core.decoding.stages import STAGES

    group = parser.add_argument_group("decoding")
    group.add_argument(
        "--pipeline", metavar="STAGES", help="stages in their order, like top-k:50,temperature:0.8, or JSON, "
        "or the name of a .json file (stages, or a GenerationConfig); "
        "an option below puts its stage where it is there already, or in the order of this list"
    )  # fmt: skip
    for stage in STAGES.values():
        words = stage.does.replace("%", "%%").rstrip(".")
        if not stage.fields:
            group.add_argument(f"--{stage.name}", action="store_true", help=words)
            continue
        names, off = [field.name.upper() for field in stage.fields], stage.fields[0].neutral
        words += f"; {off:g} is off" if isinstance(off, int | float) else ""
        texts = [isinstance(field, Words) for field in stage.fields]
        kind = str if all(texts) else _number_or_text if any(texts) else _number
        if len(names) == 1:
            group.add_argument(f"--{stage.name}", type=kind, nargs=1, metavar=names[0], help=words)
        else:
            shown = (names[0], " ".join(names[1:]))
            group.add_argument(f"--{stage.name}", type=kind, nargs="+", metavar=shown, help=words)


def reading(args: argparse.Namespace) -> Reading:
    """How the options say that a document is read; what a command has no option for is the default. Raises Problem."""
    return Reading(**{each.name: getattr(args, each.name) for each in fields(Reading) if hasattr(args, each.name)})


def add_heal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--heal",
        action="store_true",
        help="where the text ends inside a token (in a space, say): take the last token back, and go on with those "
        "that begin with it",
    )


def tell_heal(args: argparse.Namespace, pipeline: Pipeline) -> None:
    """What was taken back, for what is written begins with it; where there was nothing to heal, that is told."""
    from arplay.commands.console import note
    from arplay.models import documents

    if not args.heal:
        return
    taken = [str(values[0]) for name, values in pipeline.stages if name == "begins"]
    if taken:
        note(f"healed: “{documents.document(taken[0], None).shown}” was taken back, and what is written begins with it")
    else:
        note("nothing to heal: no longer token begins with the last one")


def decoding(args: argparse.Namespace, base: Pipeline | None = None) -> Pipeline:
    """The stages given, on top of ``base``. Raises UsageError for a value out of range."""
    from arplay.core.decoding.pipeline import Pipeline
    from arplay.core.decoding.stages import STAGES
    from arplay.core.errors import Problem

    try:
        if args.pipeline is None:
            done = base or Pipeline()
        else:
            done = _from_file(Path(args.pipeline)) if args.pipeline.endswith(".json") else Pipeline(args.pipeline)
        for name in STAGES:
            given = getattr(args, name.replace("-", "_"))
            if given not in (None, False):
                done = done.put(name, *(given if isinstance(given, list) else ()))
        return done
    except Problem as problem:
        raise UsageError(str(problem)) from problem


def _from_file(path: Path) -> Pipeline:
    """Raises Problem."""
    from arplay.commands.console import note
    from arplay.core.decoding import generation_config, rows
    from arplay.core.errors import Problem
    from arplay.textfile import json_file

    said = json_file(path, MAX_PIPELINE_BYTES, "pipeline", "give a file of stages or a GenerationConfig")
    if isinstance(said, list):
        return rows.pipeline_of(rows.from_json(said))
    if not isinstance(said, dict):
        raise Problem(f"{path} is no pipeline", "give a file of stages or a GenerationConfig")
    found, notes = generation_config.from_config(said)
    for sentence in notes:
        note(f"{path}: {sentence}")
    return found


def _number_or_text(text: str) -> float | str:
    """An argparse type; the stage says whether it takes it."""
    try:
        return _number(text)
    except argparse.ArgumentTypeError:
        return text


def _number(text: str) -> float:
    """Whole where it is written so (an argparse type)."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    raise argparse.ArgumentTypeError(f"{text} is no number")


def count(text: str) -> int:
    """A whole number from 0 (an argparse type)."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no whole number") from None
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def seed(text: str) -> int:
    """0 to 2^64 - 1 (an argparse type)."""
    value = count(text)
    if value > MAX_SEED:
        raise argparse.ArgumentTypeError("a seed is at most 2^64 - 1")
    return value
