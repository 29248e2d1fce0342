"""``arplay``: the window; where no screen is, what it would show, in the terminal and as a picture."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from arplay.commands import options
from arplay.core.errors import Problem
from arplay.gui import platform_check
from arplay.gui.options import WindowOptions, opening_text
from arplay.textfile import check_prompt

PICTURE = "arplay-window.png"


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group()
    text.add_argument("text_file", nargs="?", type=Path, metavar="TEXT_FILE", help="a text to open (./next for `next`)")
    text.add_argument("--prompt", metavar="S", help="a text to begin with")
    options.add_model(parser)
    options.add_encoding(parser)
    parser.add_argument("--theme", choices=("system", "light", "dark"))


def run(args: argparse.Namespace) -> int:
    if args.prompt is not None:
        check_prompt(args.prompt)
    if args.text_file is not None and not args.text_file.exists():
        raise Problem(f"there is no file {args.text_file}", "check the path; `arplay --help` lists the commands")
    wanted = WindowOptions(
        text_file=args.text_file,
        model=args.model,
        prompt=args.prompt,
        device=args.device,
        dtype=args.dtype,
        theme=args.theme,
        encoding=args.encoding,
    )
    platform = platform_check.platform()
    if platform is None:
        return _without_screen(args, wanted)
    platform_check.check(platform)
    try:
        from arplay.gui import app
    except ImportError as error:
        raise why_not_imported(error) from error
    return app.run(wanted)


def why_not_imported(error: ImportError) -> Problem:
    """A library that the loader missed is named in the message of the import."""
    if library := re.match(r"(lib[\w.+-]+\.so[.\d]*)", str(error)):
        return platform_check.problem([library[1]])
    return Problem(f"the window cannot be imported ({error})", "install arplay again; `arplay doctor` tells more")


def _without_screen(args: argparse.Namespace, wanted: WindowOptions) -> int:
    """The window's first view as text, then the whole window drawn without a screen."""
    from arplay.commands.next import describe
    from arplay.commands.work import Work, read_source
    from arplay.core.decoding import Decoding, decode
    from arplay.export import tables

    print("No screen can be reached, so the window is shown here and as a picture.\n", flush=True)
    work = Work.load(args)
    if args.text_file is None and args.prompt is None:
        data = opening_text(work.info.name)
    else:
        data = read_source(args.prompt, args.text_file, args.encoding).data
    answer, distribution = work.explore(data)
    decoded = decode(distribution.logprobs, Decoding())
    record = tables.bars(answer, distribution, decoded, work.vocabulary, data, top=20)
    print(describe(work, data, answer, distribution, decoded, record), flush=True)

    path = draw(wanted, _place())
    print(f"The window is drawn in {path}")
    return 0


def draw(wanted: WindowOptions, path: Path) -> Path:
    """The whole window as a PNG, drawn without a screen."""
    platform_check.check("offscreen")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        from arplay.gui import app
    except ImportError as error:
        raise why_not_imported(error) from error
    app.picture(wanted, path)
    return path


def _place() -> Path:
    """The current folder, or a temporary one where that cannot be written."""
    here = Path.cwd()
    if os.access(here, os.W_OK):
        return here / PICTURE
    print(f"arplay: {here} cannot be written", file=sys.stderr)
    return Path(tempfile.mkdtemp(prefix="arplay-")) / PICTURE
