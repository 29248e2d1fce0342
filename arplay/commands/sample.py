"""``arplay sample``: continue a text piece by piece, with a trace that can be replayed."""

from __future__ import annotations

import argparse
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arplay.commands import options
from arplay.commands.console import deliver, note
from arplay.commands.streams import speak
from arplay.commands.work import Work, read_source
from arplay.core.decoding.pipeline import Chain, Pipeline
from arplay.core.decoding.stage import Context
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.picking import uniform
from arplay.core.stepping import sampled
from arplay.engine.state import in_chunks, windows_of
from arplay.export.tables import Record
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
    at_limit: str

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
    document = read_source(args, args.prompt, None, None).document
    work = Work.load(args)
    at_limit = args.at_limit or (trace.at_limit if trace else "stop")
    sampling = Sampling(work, document, decoding, at_limit)
    replayed = trace.us if trace else None
    writer, shown, told = document.writer(work.vocabulary), not args.json and args.out is None, list[str]()
    steps: list[Record] = []
    for record in sampling.steps(length, seed, replayed):
        if record["id"] != work.loaded.eos:
            told.append(writer.write(record["id"]))
            if shown and told[-1]:
                speak(told[-1])
        steps.append(record)
    told.append(writer.end())
    if shown:
        speak(told[-1] + "\n")
    text = "".join(told)
    if args.json:
        result = {
            "model": work.model,
            "decoding": decoding.as_json,
            "seed": seed,
            "at_limit": at_limit,
            "prefix": {**document.before(document.end), "ids": sampling.prefix},
            "steps": steps,
            "text": text,
            "stopped": sampling.stopped,
        }
        deliver(to_json(result), args.out)
    elif args.out is not None:
        deliver(text, args.out)
    if unused := sum(work.vocabulary.is_unused(step["id"]) for step in steps):
        note(f"{unused:,} of the sampled ids have no token: they write nothing")
    if sampling.stopped == "context":
        note("stopped because the context is full (--at-limit slide goes on with the newest half)")
    elif sampling.start:
        note(f"the context slid: the last token was read from token {sampling.start:,} on")
    return 0


class Sampling:
    """A prefix that is continued. ``stopped`` says why the last run of :meth:`steps` ended; ``start``: the piece of
    the chain where the context of the last step began.
    """

    def __init__(self, work: Work, document: Document, decoding: Pipeline, at_limit: str = "stop") -> None:
        self._work, self._chain, self._slides = work, Chain(decoding), at_limit == "slide"
        answer, _ = work.explore(document)
        self.start = answer.position.start
        self._lead = answer.lead
        self.prefix = [*answer.lead, *answer.prefix.ids.tolist()]
        self._index = answer.prefix.index
        self.stopped = "length"

    def steps(self, length: int, seed: int, replayed: Sequence[float] | None) -> Iterator[Record]:
        """Up to ``length`` steps as ``sample --json`` lists them; u is pure in (seed, index) unless replayed.

        A chain longer than the context ends it, as in the window; or it slides on, and the model reads again what is
        then its context (:meth:`Windows.half`, as the window and the scores have it).
        """
        work, session = self._work, self._work.session()
        leading = len(self._lead) * work.reading.window_lead
        windows = windows_of(work.info.context, len(self.prefix) + length, leading)
        chain = list(self.prefix)
        self._chain.reset()
        for step in range(length):
            index = self._index + step
            if index == work.vocabulary.length:
                self.stopped = "complete"
                return
            start = windows.start(len(chain))
            if start and not self._slides:
                self.stopped = "context"
                return
            if start != self.start:
                session.rewind(0)
                context = windows.read(np.array(chain), start, len(chain))
                deque(in_chunks(session, session.read, context, work.state.pace), maxlen=0)
                self.start = start
            elif step:
                session.read(chain[-1:])
            distribution = Distribution.from_logits(session.logits())
            u = uniform(seed, index) if replayed is None else replayed[step]
            decoded = self._chain.apply(distribution, Context(np.array(chain, np.int64), u, work.vocabulary))
            made, _ = sampled(distribution, decoded, index, u, seed)
            chain.append(made.id)
            self._chain.accept(made.id)
            yield {
                "id": made.id,
                **work.vocabulary.record(made.id),
                "logprob": made.logprob,
                "prob": made.prob,
                "decoded_prob": made.decoded_prob,
                "rank": made.rank,
                "u": u,
                "context_start": start,
            }
            if made.id == work.loaded.eos:
                self.stopped = "eos"
                return
