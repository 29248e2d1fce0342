"""Options that several commands share, and what they mean. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arplay.core.decoding import Decoding

MAX_SEED = 2**64 - 1


class UsageError(Exception):
    """The arguments do not go together: told with the usage, exit status 2."""


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        metavar="M",
        help="name (see `arplay models`), org/name[@revision] of a hub, model folder, .gguf file or table.json; "
        "default english",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps", "xpu"), default="auto")
    parser.add_argument("--dtype", choices=("auto", "float32", "bfloat16", "float16"), default="auto")


def add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--first-piece",
        choices=("auto", "bos", "eos", "unscored"),
        default="auto",
        help="what stands before the text: auto is what the tokenizer itself adds",
    )
    add_window_lead(parser)
    add_special(parser)


def add_window_lead(parser: argparse.ArgumentParser) -> None:
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
    group = parser.add_argument_group("decoding")
    group.add_argument("--temperature", type=float, metavar="T", help="0 is greedy, 1 the model's own (default)")
    group.add_argument("--top-k", type=int, metavar="K", help="keep the K most probable tokens; 0 is off (default)")
    group.add_argument("--top-p", type=float, metavar="P", help="keep the smallest set that reaches P; 1 is off")
    group.add_argument("--min-p", type=float, metavar="M", help="keep tokens of at least M times the best; 0 is off")


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="strict JSON instead of text")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result to FILE instead of the terminal")


def decoding(args: argparse.Namespace, base: Decoding | None = None) -> Decoding:
    """The decoding settings given, on top of ``base``. Raises UsageError for a value out of range."""
    from dataclasses import replace

    from arplay.core.decoding import Decoding
    from arplay.core.errors import Problem

    fields = ("temperature", "top_k", "top_p", "min_p")
    given = {field: value for field in fields if (value := getattr(args, field)) is not None}
    if getattr(args, "greedy", False):
        given["mode"] = "greedy"
    try:
        return replace(base or Decoding(), **given)
    except Problem as problem:
        raise UsageError(str(problem)) from problem


def count(text: str) -> int:
    """A whole number from 0 (an argparse type)."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def seed(text: str) -> int:
    """0 to 2^64 - 1 (an argparse type)."""
    value = count(text)
    if value > MAX_SEED:
        raise argparse.ArgumentTypeError("a seed is at most 2^64 - 1")
    return value
