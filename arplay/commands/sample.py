"""``arplay sample``: continue a text token by token, with a trace that can be replayed."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arplay.commands import given, options
from arplay.commands.console import ProgressLine, deliver, note
from arplay.commands.streams import speak
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.engine.sampling import AtLimit
from arplay.export.writers import to_json
from arplay.schema import Wrong, many, one_of, real, table, whole
from arplay.textfile import read_json

LENGTH = 50
MAX_TRACE_BYTES = 64 * 1024 * 1024


def _pipeline(value: Any, place: str) -> Pipeline:
    try:
        return Pipeline(value)
    except Problem as problem:
        raise Wrong(f"{place}: {problem.cause}", problem.remedy) from problem


TRACE = table(
    {
        "decoding": _pipeline,
        "seed": whole(0, options.MAX_SEED),
        "at_limit": one_of("stop", "slide"),
        "steps": many(table({"u": real(0, math.nextafter(1, 0))}, more=True), most=1 << 22),
    },
    {"at_limit": "stop"},
    more=True,
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prompt",
        required=True,
        metavar="S",
        help="the text to continue; what is written is exact in a pipe or file, and safe on a terminal",
    )
    parser.add_argument("-n", type=options.count, metavar="N", help=f"how many tokens at most ({LENGTH})")
    options.add_model(parser)
    options.add_reading(parser)
    chance = parser.add_mutually_exclusive_group()
    chance.add_argument("--seed", type=options.seed, metavar="S", help="the same seed gives the same tokens (0)")
    chance.add_argument(
        "--replay",
        type=Path,
        metavar="TRACE.json",
        help="take u (and the decoding settings not given here) from what `sample --json` wrote",
    )
    options.add_decoding(parser)
    parser.add_argument(
        "--at-limit",
        choices=("stop", "slide"),
        help="where the text no longer fits the context: stop (default), or slide on with its newest half",
    )
    options.add_output(parser)


@dataclass(frozen=True, slots=True)
class Trace:
    """What a replay needs of a recorded sample."""

    decoding: Pipeline
    seed: int
    us: tuple[float, ...]
    at_limit: AtLimit

    @classmethod
    def read(cls, path: Path) -> Trace:
        """Raises Problem for a file that is too large or no trace."""
        try:
            said = TRACE(read_json(path, MAX_TRACE_BYTES), "")
            us = tuple(step["u"] for step in said["steps"])
            return cls(said["decoding"], said["seed"], us, said["at_limit"])
        except OSError as error:
            raise Problem(f"{path} cannot be read ({error.strerror})", "check the path and its rights") from error
        except (ValueError, Problem) as error:
            raise Problem(f"{path} is no trace ({error})", "give a file that `arplay sample --json` wrote") from error


def run(args: argparse.Namespace) -> int:
    trace = Trace.read(args.replay) if args.replay else None
    decoding = options.decoding(args, trace.decoding if trace else None)
    length, seed = (LENGTH if args.n is None else args.n), args.seed or 0
    if trace is not None:
        if args.n is not None and args.n > len(trace.us):
            note(f"the trace has only {len(trace.us):,} steps")
        length, seed = min(len(trace.us), length if args.n is not None else len(trace.us)), trace.seed
    document = given.source(args, args.prompt, None, None).document
    at_limit: AtLimit = args.at_limit or (trace.at_limit if trace else "stop")
    us = trace.us if trace else None
    with ProgressLine() as progress:
        model = given.model(args, progress)
        sample = model.stream(document, length, seed=seed, pipeline=decoding, at_limit=at_limit, us=us)
    shown = not args.json and args.out is None
    for text in sample:
        if shown:
            speak(text)
    if shown:
        speak("\n")
    else:
        deliver(to_json(sample.as_dict()) if args.json else sample.text, args.out)
    if unused := sum(model.vocabulary.is_unused(step.id) for step in sample.steps):
        note(f"{unused:,} of the sampled ids have no token: they write nothing")
    if sample.stopped == "context":
        note("stopped because the context is full (--at-limit slide goes on with the newest half)")
    elif sample.untold:
        note(f"stopped: {sample.untold}")
    elif sample.start:
        note(f"the context slid: the last token was read from token {sample.start:,} on")
    return 0
