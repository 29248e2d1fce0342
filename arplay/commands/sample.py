"""``arplay sample``: continue a text token by token, with a trace that can be replayed."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Any, get_args

from arplay.commands import given, options, output
from arplay.commands.console import ProgressLine, note
from arplay.commands.streams import speak
from arplay.continued import Beams, Rollouts
from arplay.core.beams import Stop
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.export import tables, tried
from arplay.export.charts import Table
from arplay.export.provenance import Provenance
from arplay.export.sessionfile import is_session
from arplay.export.writers import to_json_line
from arplay.models import catalogue, documents
from arplay.models.reader import Reader
from arplay.samples import AtLimit, Sample
from arplay.schema import Wrong, many, one_of, real, table, whole
from arplay.textfile import read_json

LENGTH = 50
PAGES = (".htm", ".html")
"""A text that is continued may be one."""
MAX_TRACE_BYTES = 64 * 1024 * 1024
BEAMS: dict[str, tuple[Callable[[str], float], str]] = {
    "length-penalty": (float, "a chain of n tokens scores log p / n^P: above 0 favours long ones (1)"),
    "beam-groups": (options.count, "that many equal groups of beams search one after the other (1)"),
    "diversity": (float, "nats that a token costs for each former group that took it at the same step (0)"),
}
"""Numbers of a beam search."""


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
    text = parser.add_mutually_exclusive_group()
    text.add_argument(
        "--prompt",
        metavar="S",
        help="the text to continue; what is written is exact in a pipe or file, and safe on a terminal",
    )
    text.add_argument("--file", type=Path, metavar="F", help="a file with that text (- is standard input)")
    options.add_encoding(parser)
    parser.add_argument(
        "-n",
        type=options.count,
        metavar="N",
        help=f"how many tokens at most ({LENGTH}; all of a picture, a second of sound)",
    )
    options.add_model(parser)
    options.add_reading(parser)
    chance = parser.add_mutually_exclusive_group()
    chance.add_argument("--seed", type=options.seed, metavar="S", help="the same seed gives the same tokens (0)")
    chance.add_argument(
        "--replay",
        type=Path,
        metavar="FILE.json",
        help="take u (and the decoding settings not given here) from what `sample --json` wrote; "
        "of a saved session, draw every token again and tell which come out otherwise",
    )
    parser.add_argument(
        "--stop", action="append", default=[], metavar="S", help="the text ends before S; may be given several times"
    )
    several = parser.add_argument_group("several continuations")
    several.add_argument(
        "--rollouts", type=options.count, metavar="K", help="K samples in one batch, with the seeds S, S + 1, ..."
    )
    several.add_argument(
        "--beams", type=options.count, metavar="B", help="beam search of B beams, after the stages below"
    )
    for name, (kind, what) in BEAMS.items():
        several.add_argument(f"--{name}", type=kind, metavar=name.rpartition("-")[2][0].upper(), help=what)
    several.add_argument(
        "--early-stopping", choices=get_args(Stop), help="when a search ends: soon (default), full (as soon as B "
        "chains are finished), or never (only when no other chain can become better)"
    )  # fmt: skip
    options.add_decoding(parser)
    options.add_heal(parser)
    parser.add_argument(
        "--at-limit",
        choices=("stop", "slide"),
        help="where the text no longer fits the context: stop (default), or slide on with its newest half",
    )
    output.add(parser, "a token, or one of several continuations", checks=False)


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
    if args.replay is not None and is_session(args.replay):
        return _replay_session(args)
    _check_together(args)
    tokens = documents.tokens_of(args.model or catalogue.DEFAULT)
    _check_out(args, documents.reader_of(tokens))
    if args.prompt is None and args.file is None and tokens is None:
        raise options.UsageError("one of the arguments --prompt --file is required")
    trace = Trace.read(args.replay) if args.replay else None
    decoding = options.decoding(args, trace.decoding if trace else None)
    length = args.n if args.n is not None else documents.reader_of(tokens).usual(tokens) or LENGTH
    seed = args.seed or 0
    if trace is not None:
        if args.n is not None and args.n > len(trace.us):
            note(f"the trace has only {len(trace.us):,} steps")
        length, seed = min(len(trace.us), length if args.n is not None else len(trace.us)), trace.seed
    source = given.source(args, args.prompt, args.file, args.encoding)
    document = source.document
    with ProgressLine() as progress:
        model = given.model(args, progress)
        if args.rollouts is not None:
            rolled = model.rollouts(
                document, args.rollouts, length, seed=seed, pipeline=decoding, heal=args.heal, stops=args.stop
            )
            decoding = rolled.pipeline
            several: Rollouts | Beams = rolled
            rows, told = tried.rollouts(rolled.found), _rollouts(rolled)
        elif args.beams is not None:
            chosen = (args.length_penalty, args.early_stopping, args.beam_groups, args.diversity)
            names = ("length_penalty", "stop", "groups", "diversity")
            rules = {name: value for name, value in zip(names, chosen, strict=True) if value is not None}
            kept = model.beams(document, args.beams, length, pipeline=decoding, heal=args.heal, **rules)
            decoding = kept.pipeline
            if kept.rules.most < length:
                note(f"searched {kept.rules.most:,} tokens: the context or the document ends there")
            several, rows, told = kept, tried.hypotheses(kept.found), _hypotheses(kept)
        else:
            at_limit: AtLimit = args.at_limit or (trace.at_limit if trace else "stop")
            us = trace.us if trace else None
            sample = model.stream(
                document,
                length,
                seed=seed,
                pipeline=decoding,
                at_limit=at_limit,
                us=us,
                heal=args.heal,
                stops=args.stop,
            )
            decoding = sample.pipeline
    options.tell_heal(args, decoding)
    if args.rollouts is None and args.beams is None:
        return _one(args, sample, source.name)
    if args.json or args.out is not None:
        flat = tried.flattened(rows)
        comments = Provenance(model.info, several.found.first_token, source.name, decoding).lines()
        lines = {"jsonl": "".join(map(to_json_line, rows))}
        table = Table(several.as_dict(), flat, list(flat[0]) if flat else [], comments, lines)
        output.deliver(args, lambda: told, several.as_dict, lambda: table)
    else:
        speak(told)
    return 0


def _check_together(args: argparse.Namespace) -> None:
    """Raises UsageError for options of which one would say nothing."""
    if "" in args.stop:
        raise options.UsageError("--stop needs a text before which what is written ends")
    if args.rollouts is not None and args.beams is not None:
        raise options.UsageError("--rollouts and --beams do not go together")
    kind = "--rollouts" if args.rollouts is not None else "--beams"
    if args.rollouts is not None or args.beams is not None:
        for name in ("replay", "at_limit") + (("seed", "stop") if args.beams is not None else ()):
            if getattr(args, name) not in (None, [], False):
                raise options.UsageError(f"--{name.replace('_', '-')} does not go with {kind}")
    for name in (*BEAMS, "early-stopping"):
        if args.beams is None and getattr(args, name.replace("-", "_")) is not None:
            raise options.UsageError(f"--{name} goes with --beams")


def _check_out(args: argparse.Namespace, reader: Reader) -> None:
    """Raises Problem for a name of a file that would hold something else than it says."""
    if args.out is None:
        return
    told = guess_type(args.out.name)[0] or args.out.suffix[1:]
    one = not args.json and args.rollouts is None and args.beams is None
    kind = args.out.suffix.lower()
    if output.is_no_text(args.out) and kind not in PAGES and not (one and kind in reader.writes):
        other = f"one sample into {' or '.join(f'*{suffix}' for suffix in reader.writes)}, or " if reader.writes else ""
        raise Problem(f"{args.out.name} would hold no {told}", f"write {other}text into *.txt or *.json")


def _rollouts(found: Rollouts) -> str:
    """For people: a head and the text of each."""
    return "".join(
        f"seed {each.seed}: {len(each.steps):,} tokens, log p {number(each.logprob)} nats"
        f"{f', perplexity {number(each.perplexity)}' if each.steps else ''}, ended: {each.stopped}\n{each.text}\n\n"
        for each in found
    )


def _hypotheses(found: Beams) -> str:
    return "".join(
        f"{rank}: {len(each.ids):,} tokens, log p {number(each.logprob)} nats, score {number(each.score)}\n"
        f"{each.text}\n\n"
        for rank, each in enumerate(found, 1)
    )


def _one(args: argparse.Namespace, sample: Sample, name: str) -> int:
    shown = not args.json and args.out is None
    for text in sample:
        if shown:
            speak(text)
    if shown:
        speak("\n")
    else:
        reader = documents.reader_of(sample.tokens)
        if args.out is not None and args.out.suffix.lower() in reader.writes and not args.json:
            reader.write(args.out, sample.text, sample.tokens)
        else:
            output.deliver(args, lambda: sample.text, sample.as_dict, lambda: _table(sample, name))
    if unused := sum(sample.tokens.is_unused(step.id) for step in sample.steps):
        note(f"{unused:,} of the sampled ids have no token: they write nothing")
    if sample.stopped == "context":
        note("stopped because the context is full (--at-limit slide goes on with the newest half)")
    elif sample.stopped == "matched":
        note("stopped: the constraint lets nothing follow")
    elif sample.untold:
        note(f"stopped: {sample.untold}")
    elif sample.start:
        note(f"the context slid: the last token was read from token {sample.start:,} on")
    return 0


def _table(sample: Sample, name: str) -> Table:
    """A row a step."""
    record, tokens = sample.as_dict(), sample.tokens
    comments = sample.origin(name).lines()
    return Table(record, record["steps"], tables.step_columns(tokens), comments)


def _replay_session(args: argparse.Namespace) -> int:
    """0 where every token is the recorded one, 1 otherwise."""
    with ProgressLine() as progress:
        replay = given.model(args, progress).replay(args.replay)
    columns = ("state", "recorded", "now")
    other = [dict(zip(columns, each, strict=True)) for each in replay.other]
    record = {"drawn": replay.drawn, "same": replay.same, "other": other}
    lines = [f"{replay.drawn - len(replay.other):,} of {replay.drawn:,} drawn tokens are the same\n"]
    lines += [f"state {state:,}: id {now:,}, recorded is {old:,}\n" for state, old, now in replay.other]
    output.deliver(
        args, lambda: "".join(lines), lambda: record, lambda: Table(record, other, columns, [lines[0].strip()])
    )
    return int(not replay.same)
