"""``arplay``: the window; where no screen is, what it would show, in the terminal and as a picture."""

from __future__ import annotations

import argparse
import gc
import os
import re
import signal
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from arplay.commands import options
from arplay.core.errors import Problem
from arplay.core.importing import uncollected
from arplay.core.signs import safe
from arplay.gui import platform_check
from arplay.gui.options import WindowOptions
from arplay.textfile import check_prompt

if TYPE_CHECKING:
    from arplay.gui.view import View

PICTURE = "arplay-window.png"


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group()
    text.add_argument("text_file", nargs="?", type=Path, metavar="TEXT_FILE", help="a text to open (./next for `next`)")
    text.add_argument("--prompt", metavar="S", help="a text to begin with")
    options.add_model(parser)
    options.add_encoding(parser)
    options.add_special(parser)
    options.add_windows(parser)
    parser.add_argument("--theme", choices=("system", "light", "dark"))


def run(args: argparse.Namespace) -> int:
    if args.prompt is not None:
        check_prompt(args.prompt)
    if args.text_file is not None and not args.text_file.exists():
        raise Problem(f"there is no file {args.text_file}", "check the path; `arplay --help` lists the commands")
    if args.text_file is not None and args.model is not None and _is_scores(args.text_file):
        raise options.UsageError("a saved scoring run opens without a model; give the text to score it anew")
    wanted = options_of(args, args.text_file)
    platform = platform_check.platform()
    if platform is None:
        return _without_screen(args, wanted)
    platform_check.check(platform)
    status: int = imported().run(wanted)
    return status


def options_of(args: argparse.Namespace, text_file: Path | None) -> WindowOptions:
    """What the window is to open with."""
    return WindowOptions(
        text_file=text_file,
        model=args.model,
        prompt=args.prompt,
        device=args.device,
        dtype=args.dtype,
        theme=args.theme,
        encoding=args.encoding,
        reading=options.reading(args),
    )


def imported() -> ModuleType:
    """:mod:`arplay.gui.app`, with all that comes with it left out of later looks for garbage: it stays."""
    try:
        with uncollected():
            from arplay.gui import app
    except ImportError as error:
        raise why_not_imported(error) from error
    gc.freeze()
    return app


def why_not_imported(error: ImportError) -> Problem:
    """A library that the loader missed is named in the message of the import."""
    if library := re.match(r"(lib[\w.+-]+\.so[.\d]*)", str(error)):
        return platform_check.problem([library[1]])
    return Problem(f"the window cannot be imported ({error})", "install arplay again; `arplay doctor` tells more")


def _is_scores(path: Path) -> bool:
    from arplay.export.scorefile import is_scores  # `arplay --help` reads this file, and needs no numpy

    return is_scores(path)


def _without_screen(args: argparse.Namespace, wanted: WindowOptions) -> int:
    """The window's first view as text, and the whole window drawn without a screen."""
    from arplay.commands import given
    from arplay.commands.next import describe
    from arplay.results import Next

    print("No screen can be reached, so here is what the window would show.\n", flush=True)
    if args.text_file is not None and not _is_scores(args.text_file):
        # what is wrong with it is told here, nobody can be asked
        given.source(args, None, args.text_file, args.encoding)
    path = _place()
    view = draw(wanted, path)
    answer = view.answer
    if view.loaded is not None and answer is not None and answer.distribution is not None:
        after = Next(view.loaded, view.document.upto(view.caret), answer, view.settings.decoding)
        print(describe(after, view.settings.bars))
    print(safe(f"The window is drawn in {path}"))
    return 0


def draw(wanted: WindowOptions, path: Path) -> View:
    """The whole window as a PNG, drawn without a screen; what it shows."""
    platform_check.check("offscreen")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = imported()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Qt's loop would keep Python from seeing Ctrl-C
    view: View = app.picture(wanted, path)
    return view


def _place() -> Path:
    """The current folder, or a temporary one where that cannot be written."""
    here = Path.cwd()
    if os.access(here, os.W_OK):
        return here / PICTURE
    print(safe(f"arplay: {here} cannot be written"), file=sys.stderr)
    return Path(tempfile.mkdtemp(prefix="arplay-")) / PICTURE
