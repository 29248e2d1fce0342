"""The ``arplay`` command: the window, and the same work without one.

Only the command that is asked for is imported, so that ``arplay --help`` costs little.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence

from arplay.commands import output, streams
from arplay.commands.options import UsageError
from arplay.commands.parser import Parser
from arplay.core.errors import Problem
from arplay.core.signs import safe
from arplay.version import __version__

COMMANDS = {
    "next": "the distribution of the next token after a text",
    "sample": "continue a text, token by token",
    "score": "what the model expected of every token of a text",
    "tokens": "the same text under several tokenizers, merges of a word, and a search of vocabularies",
    "causality": "change each token, and see which conditionals move",
    "orders": "the same probability in every order of a short text or small picture",
    "export": "write a chart or its data to a file",
    "serve": "answer completions requests of other programs, log-probs of the prompt included",
    "train": "train a model on text files, or as a recipe says",
    "models": "list the models, get one, tell about one, or remove one",
    "bench": "how fast a model is here, beside its library",
    "doctor": "versions, devices, Qt platform and what is missing",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give back its exit status: 0, 1 (a problem), 2 (wrong usage), 130 (Ctrl-C)."""
    with streams.shown():
        return _ended(list(sys.argv[1:] if argv is None else argv))


def _ended(argv: list[str]) -> int:
    try:
        status = _run(argv)
        sys.stdout.flush()
        return status
    except Problem as problem:
        return _failed(str(problem))
    except BrokenPipeError:
        streams.forget_stdout()
        return 0
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:  # argparse has told what is wrong
        return end.code if isinstance(end.code, int) else 0
    except MemoryError:
        return _failed("the memory of this computer is full; use a smaller model or a shorter text")
    except Exception as error:  # noqa: BLE001 - the last line of defence; a user is no debugger
        if sys.flags.dev_mode:
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}"
        return _failed(f"unforeseen error ({what}); please report it, with what `python -X dev -m arplay ...` prints")


def _run(argv: list[str]) -> int:
    name = argv[0] if argv and argv[0] in COMMANDS else "window"
    module = importlib.import_module(f"arplay.commands.{name}")
    if name == "window":
        parser = Parser(
            "arplay",
            description="See an autoregressive model think. Without a command, the window opens.",
            epilog="commands:\n" + "".join(f"  arplay {command:<9} {what}\n" for command, what in COMMANDS.items()),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parser.add_argument("--version", action="version", version=f"arplay {__version__}")
    else:
        argv = argv[1:]
        parser = Parser(f"arplay {name}", description=COMMANDS[name], allow_abbrev=False)
    module.configure(parser)
    args = parser.parse_args(argv)
    try:
        output.check(args)
        status: int = module.run(args)
    except UsageError as error:
        parser.error(str(error))
    return status


def _failed(message: str) -> int:
    print("arplay:", safe(" ".join(message.split("\n"))), file=sys.stderr)
    return 1
