"""``arplay train``: a model of one's own text, or one that a recipe describes."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from arplay.commands import options
from arplay.commands.options import UsageError
from arplay.commands.streams import change_line, forget_stdout
from arplay.core.format import rough
from arplay.core.signs import safe
from arplay.models import families
from arplay.training.order import RunRequest, option
from arplay.training.run_folder import RunFolder
from arplay.training.sizes import count_of, shape_of

if TYPE_CHECKING:
    from arplay.training.run_folder import Report

LINE_SECONDS = 10.0
"""Between two lines of progress where no terminal is, which would show one line that changes."""

MOST = 10**15
MOST_THREADS = 1024
STOPPED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    known = families.trainings()
    usual = families.trained(None)
    labels = ", ".join(f"{key}: {training.label}" for key, training in known.items() if training != usual)
    contexts = ", ".join(f"{key} {training.context}" for key, training in known.items() if training.context)
    orders = ", ".join(f"{key} {training.order}" for key, training in known.items() if training.order)
    parser.add_argument(
        "texts",
        type=Path,
        nargs="*",
        metavar="TEXT",
        help="text files, folders of pictures or of WAV files, or one RECIPE.toml",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the model to make")
    parser.add_argument("--family", choices=list(known), help=f"default {usual.key}; {labels}")
    parser.add_argument(
        "--params", type=_number, metavar="N", help="about so many parameters (default 6M, pixelcnn 100k, wavenet 160k)"
    )
    parser.add_argument("--context", type=_number, metavar="N", help=f"tokens that it reads at once ({contexts})")
    tokens = parser.add_mutually_exclusive_group()
    tokens.add_argument(
        "--vocab",
        dest="vocabulary",
        type=_number,
        metavar="N",
        help="tokens in the vocabulary (default 4096 or fewer), levels of pictures (8)",
    )
    tokens.add_argument("--tokenizer", type=Path, metavar="DIR", help="take that of a model that arplay trained")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--tokens", type=_number, metavar="N", help="train on so many tokens")
    length.add_argument("--minutes", type=_minutes, metavar="M", help="train for about so long (default 10)")
    parser.add_argument("--order", type=_number, metavar="N", help=f"n of n-grams ({orders})")
    stacks = "of a PixelCNN: 2, or the plain single one, which has a blind spot (2)"
    parser.add_argument("--stacks", type=int, choices=(1, 2), help=stacks)
    parser.add_argument("--seed", type=options.seed, metavar="S", help="of weights and order of texts (default 1)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps", "xpu"))
    parser.add_argument("--threads", type=_number, metavar="N", help="for the arithmetic (default: all cores)")
    parser.add_argument("--resume", action="store_true", help="continue a run that was stopped; DIR says all else")


def run(args: argparse.Namespace) -> int:
    order = _order(args)
    if not order.resume:
        order.check(RunFolder(order.out.absolute()))  # before the seconds that torch takes to import
    from arplay.training.make import make

    training = order.training if not order.resume else RunFolder(order.out.absolute()).plan().training
    lines = _Lines(training.unit)
    out = shlex.quote(str(args.out))
    try:
        done = make(order, lines.say, lines.report)
    finally:
        lines.end()
    if done:
        prompt = ' --prompt "..."' if training.unit == "byte" else ""
        lines.say(f"done; try: arplay sample --model {out}{prompt}")
        return 0
    resumable = RunFolder(order.out.absolute()).resumable()
    lines.say(f"stopped; continue with: arplay train --out {out} --resume" if resumable else "stopped")
    return STOPPED


def _order(args: argparse.Namespace) -> RunRequest:
    """Raises UsageError where options do not go together."""
    recipes = [text for text in args.texts if text.suffix == ".toml"]
    if not args.texts and not args.resume:
        raise UsageError("name a text file or a recipe")
    if recipes and len(args.texts) > 1:
        raise UsageError("a recipe stands alone")
    given = [name for name in ("params", "context", "vocabulary", "tokenizer", "stacks") if getattr(args, name)]
    if recipes and not args.resume and given:
        raise UsageError(f"the recipe says {option(given[0])}")
    if args.threads is not None and args.threads > MOST_THREADS:
        raise UsageError(f"--threads is 1 to {MOST_THREADS:,}")
    training = families.trained(args.family)
    if training.counted and (args.params or args.context or args.tokens or args.minutes):
        raise UsageError(f"{training.kind} has no --params, --context, --tokens or --minutes")
    if args.order is not None and not training.order:
        having = " or ".join(key for key, other in families.trainings().items() if other.order)
        raise UsageError(f"--order is for --family {having}")
    if args.stacks and (training.counted or "stacks" not in shape_of(training.key).numbers):
        raise UsageError("--stacks is for --family pixelcnn")
    said = {field.name: getattr(args, field.name) for field in fields(RunRequest)}
    return RunRequest(**said | {"texts": tuple(args.texts)})


class _Lines:
    """Standard output: what is done, a line each; on a terminal a last line that changes, else one now and then.

    A reader that went away (``| head``) does not end the training.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._changes = sys.stdout.isatty()
        self._shown = False
        self._last = 0.0

    def say(self, what: str) -> None:
        if self._shown:
            self._change("")
        self._write(f"{safe(what)}\n")
        self._shown = False

    def end(self) -> None:
        """Leave the line that changes, so that what comes next begins a line."""
        if self._shown:
            self._write("\n")
            self._shown = False

    def report(self, report: Report) -> None:
        """Progress; a report with a held-out figure stays on a terminal."""
        now, last = time.monotonic(), report.step == report.steps
        line = _line(report, self._unit)
        if not self._changes:
            if now - self._last >= LINE_SECONDS or last:
                self.say(line)
                self._last = now
        elif report.held_out is not None:
            self.say(line)
        else:
            width = shutil.get_terminal_size().columns - 1
            self._change(line[:width])
            self._shown = True

    def _change(self, text: str) -> None:
        with _patient():
            change_line(sys.stdout, text)

    def _write(self, text: str) -> None:
        with _patient():
            sys.stdout.write(text)
            sys.stdout.flush()


@contextlib.contextmanager
def _patient() -> Iterator[None]:
    """Go on where nobody reads any more."""
    try:
        yield
    except BrokenPipeError:
        forget_stdout()


def _line(report: Report, unit: str) -> str:
    parts = [f"step {report.step:,}/{report.steps:,}", f"{report.tokens_per_second:,.0f} tokens/s"]
    if report.step < report.steps:
        parts.append(f"{rough(report.seconds_left)} left")
    parts.append(f"training {report.bits_per_byte:.3f} bits/{unit}")
    if report.held_out_bits_per_byte is not None:
        parts.append(f"held-out {report.held_out_bits_per_byte:.3f}")
    return "  ".join(parts)


def _number(text: str) -> int:
    """A whole number above 0, as 6M or 4096 (an argparse type)."""
    try:
        value = count_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not 1 <= value <= MOST:
        raise argparse.ArgumentTypeError(f"{text} is {'less than 1' if value < 1 else 'too large'}")
    return value


def _minutes(text: str) -> float:
    """A number above 0, a year at most (an argparse type)."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no number of minutes") from error
    if not 0 < value <= 365 * 24 * 60:
        raise argparse.ArgumentTypeError(f"{text} is no length of time")
    return value
