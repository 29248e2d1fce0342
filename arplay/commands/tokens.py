"""``arplay tokens``: one text under the tokenizers of several models, of which no weights are loaded."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from arplay.commands import given, options, output
from arplay.commands.options import UsageError
from arplay.core.errors import Problem
from arplay.core.format import number
from arplay.core.merges import Made
from arplay.core.modalities.base import TokenSet
from arplay.core.signs import safe
from arplay.export import tokenizers as tables
from arplay.export.charts import Table
from arplay.export.tables import Record
from arplay.labs import merges, tokenizers
from arplay.models import catalogue
from arplay.version import __version__

MOST = 50
"""Tokens that a search lists."""


def configure(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group()
    text.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the text; - is standard input")
    text.add_argument("--prompt", metavar="S", help="the text itself")
    names = "names, folders or GGUF files, several in a row; default english"
    parser.add_argument("--model", nargs="+", metavar="M", default=[catalogue.DEFAULT], help=names)
    parser.add_argument("--merges", metavar="WORD", help="how the tokens of a word are made, merge by merge")
    parser.add_argument("--search", metavar="S", help="tokens of each vocabulary that write S, best matches first")
    options.add_encoding(parser)
    options.add_special(parser)
    output.add(parser, "a tokenizer")


def run(args: argparse.Namespace) -> int:
    """Raises Problem."""
    if args.file is None and args.prompt is None and args.merges is None and args.search is None:
        raise UsageError("give FILE, --prompt, --merges or --search")
    models, record, lines = args.model, dict[str, Any](), list[str]()
    if output.is_table(args) and (args.merges or args.search or (args.file is None and args.prompt is None)):
        raise UsageError("a table is of a text; --merges and --search are told in text and in JSON")
    if args.file is not None or args.prompt is not None:
        args.model = models[0]
        source = given.source(args, args.prompt, args.file, args.encoding)
        found = tokenizers(source.document, models, special=args.special)
        record |= tables.record(found)
        lines += tables.lines(found)
        table = Table(record, tables.rows(found), tables.columns(found), [f"arplay {__version__}", source.name])
    if args.merges is not None:
        record["merges"] = []
        for model in models:
            told, said = _merged(args.merges, model, alone=len(models) == 1)
            record["merges"].append({"spec": model} | told)
            lines += ["", f"“{safe(args.merges)}” by {safe(model)}:", *said]
    if args.search is not None:
        record["search"] = []
        for model in models:
            name, coder = catalogue.coder(model)
            rows = _search(coder.vocabulary, args.search)
            record["search"].append({"spec": model, "name": name, "tokens": rows})
            lines += ["", f"“{safe(args.search)}” in {safe(name)}, of {len(coder.vocabulary):,} tokens:"]
            lines += [f"{row['id']:>9,}  {safe(coder.vocabulary.label(row['id']))}" for row in rows] or ["     none"]
    output.deliver(
        args,
        lambda: "\n".join(lines).lstrip("\n") + "\n",
        lambda: record,
        lambda: table,
    )
    return 0


def _merged(word: str, model: str, alone: bool) -> tuple[Record, list[str]]:
    """How one tokenizer makes its tokens; what is wrong with it, where it is not the only one. Raises Problem."""
    try:
        made = merges(word, model)
    except Problem as problem:
        if alone:
            raise
        return {"problem": str(problem)}, [safe(str(problem))]
    return _made(made), [f"{made.kind}, each merge with its rank:" if made.words else made.kind, *_steps(made)]


def _search(tokens: TokenSet, text: str) -> list[Record]:
    return [{"id": id, **tokens.record(id), "special": tokens.is_special(id)} for id in tokens.find(text, MOST)]


def _made(made: Made) -> Record:
    """Symbols and tokens as they are shown; ``rank`` 1 is the merge that was learnt first."""
    words = [
        {
            "text": word.text,
            "symbols": list(word.symbols),
            "merges": [{"rank": step.rank, "symbols": list(step.symbols)} for step in word.merges],
            "ids": list(word.ids),
            "tokens": list(word.tokens),
            "scores": list(word.scores),
            "note": word.note,
        }
        for word in made.words
    ]
    return {"kind": made.kind, "words": words}


def _steps(made: Made) -> list[str]:
    told = []
    for word in made.words:
        if word.symbols:
            told.append(f"{'begins':>9}  {safe(' '.join(word.symbols))}")
        told += [f"{step.rank:>9,}  {safe(' '.join(step.symbols))}" for step in word.merges]
        ids = " ".join(f"{id}" for id in word.ids)
        scores = f"; scores {' '.join(number(score, 2) for score in word.scores)}" if word.scores else ""
        note = f"; {word.note}" if word.note else ""
        told.append(f"{'tokens':>9}  {safe('|'.join(word.tokens))}  (ids {ids}{scores}{note})")
    return told
