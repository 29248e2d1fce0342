"""The ``arplay`` command: the window, and the same work without one.

Only the command that is asked for is imported, so that ``arplay --help`` costs nothing.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence

from arplay import __version__
from arplay.commands.options import UsageError
from arplay.core.errors import Problem

COMMANDS = {
    "next": "the distribution of the next token after a text",
    "sample": "continue a text, token by token",
    "score": "what the model expected of every token of a text",
    "export": "write a chart or its data to a file",
    "train": "train a model on text files, or as a recipe says",
    "models": "list the models, get one, tell about one, or remove one",
    "bench": "how fast a model is here, beside its library",
    "doctor": "versions, devices, Qt platform and what is missing",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give back its exit status: 0, 1 (a problem), 2 (wrong usage), 130 (Ctrl-C)."""
    given = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        status = _run(given)
        sys.stdout.flush()
        return status
    except Problem as problem:
        return _tell(str(problem))
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:  # argparse has told what is wrong
        return end.code if isinstance(end.code, int) else 0
    except MemoryError:
        return _tell("the memory of this computer is full; use a smaller model or a shorter text")
    except Exception as error:  # noqa: BLE001 - the last line of defence; a user is no debugger
        if sys.flags.dev_mode:
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}"
        return _tell(f"unforeseen error ({what}); please report it, with what `python -X dev -m arplay ...` prints")


def _run(argv: list[str]) -> int:
    name = argv[0] if argv and argv[0] in COMMANDS else "window"
    module = importlib.import_module(f"arplay.commands.{name}")
    if name == "window":
        parser = argparse.ArgumentParser(
            "arplay",
            description="See an autoregressive model think. Without a command, the window opens.",
            epilog="commands:\n" + "".join(f"  arplay {command:<8} {what}\n" for command, what in COMMANDS.items()),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parser.add_argument("--version", action="version", version=f"arplay {__version__}")
    else:
        argv = argv[1:]
        parser = argparse.ArgumentParser(f"arplay {name}", description=COMMANDS[name], allow_abbrev=False)
    module.configure(parser)
    args = parser.parse_args(argv)
    try:
        status: int = module.run(args)
    except UsageError as error:
        parser.error(str(error))
    return status


def _tell(message: str) -> int:
    print("arplay:", " ".join(message.splitlines()), file=sys.stderr)
    return 1


def _forget_stdout() -> None:
    """Nobody reads any more: what is still buffered must not raise again when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
