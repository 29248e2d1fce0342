"""The charts there are: what each shows, the table behind it, and where both are from; no Qt.

A new chart is one function and one :class:`Chart`; the panel that draws it names it in its place of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from arplay.core.betting import Game
from arplay.core.chain import Ledger
from arplay.core.decoding.pipeline import Decoded, Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.position import Answer
from arplay.core.timings import Timings
from arplay.core.tree import Tree
from arplay.engine.candidates import Rated
from arplay.engine.causality import Changed
from arplay.engine.free_running import Freed
from arplay.engine.load import Loaded
from arplay.engine.mapping import Mapped
from arplay.engine.masks import Broke
from arplay.engine.rollouts import Rolled
from arplay.engine.search import Searched
from arplay.export import plots, tables
from arplay.export.parquet import to_parquet
from arplay.export.provenance import Provenance
from arplay.export.tables import Record
from arplay.export.writers import csv_pieces, json_pieces, to_json_line
from arplay.models.family import resolve

Kind = Literal["csv", "json", "jsonl", "parquet"]
NOT_YET = "wait for the first result"


@dataclass(frozen=True, slots=True)
class Table:
    """The data behind a chart: ``record`` for JSON; ``rows`` with ``columns`` and lines of ``comments`` for CSV and
    Parquet."""

    record: Record
    rows: Iterable[Record]
    columns: Sequence[str]
    comments: Sequence[str]
    also: Mapping[str, str] = field(default_factory=dict)
    """Files of other kinds."""

    def text(self, kind: str) -> str:
        """The whole file, "csv", "json", "jsonl" (a row a line) or one of ``also``."""
        return "".join(self.pieces(kind))

    def pieces(self, kind: str) -> Iterator[str]:
        """The same in pieces: where the rows are made a block at a time, they are never there at once."""
        if kind in self.also:
            return iter((self.also[kind],))
        if kind == "jsonl":
            return map(to_json_line, self.rows)
        return json_pieces(self.record) if kind == "json" else csv_pieces(self.rows, self.columns, self.comments)

    def content(self, kind: str) -> str | bytes:
        """The same, "parquet" too. Raises Problem where nothing is there that writes it."""
        if kind != "parquet":
            return self.text(kind)
        about = {name: value for name, value in self.record.items() if name in ("provenance", "totals")}
        return to_parquet(list(self.rows), self.columns, self.comments, about)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a chart is of, as far as it is known. ``bars``: how many of the most probable tokens the bars list.

    ``text`` says where the document is from; ``caret`` is in the document's own units.
    ``found``: what the question of its panel found out, where its figures are of that.
    """

    loaded: Loaded
    document: Document
    caret: int
    text: str
    answer: Answer | None = None
    decoded: Decoded | None = None
    ledger: Ledger | None = None
    timings: Timings = ()
    bars: int = 20
    decoding: Pipeline | None = None
    seed: int | None = None
    tree: Tree | None = None
    game: Game | None = None
    found: Any = None

    def origin(self) -> Provenance:
        """Where the figures are from. Raises Problem where there are none yet."""
        match self.found:
            case Rolled() | Searched() | Mapped() as tried:
                return Provenance(tried.info, tried.first_token, self.text, tried.pipeline)
            case Changed() as changed:
                return Provenance(changed.info, changed.first_token, self.text, None, changed.seed)
            case Freed() as freed:
                return Provenance(freed.info, freed.first_token, self.text, freed.pipeline, freed.seeds[0])
            case Rated() as rated:
                return Provenance(rated.info, rated.first_token, self.text)
            case Broke() as broke:
                return Provenance(broke.info, "model", broke.pair.data, None, broke.pair.seed)
        lead = self.game or (self.answer if self.ledger is None else self.ledger)  # one of no tokens is false
        if lead is None:
            raise Problem("there is nothing to export yet", NOT_YET)
        return Provenance(self.loaded.info, lead.first_token, self.text, self.decoding, self.seed)


@dataclass(frozen=True, slots=True)
class Chart:
    """One of them. ``name``: on the command line. ``of``: what it waits for, the answer at the caret or the scores.

    ``makes`` is the function that makes its table of a :class:`Shown`, as "module:function"; ``decodes``: its figures
    depend on the decoding; ``long``: a picture of it may be of some tokens only, or have pages; ``measures``: it
    needs what answers took.
    """

    name: str
    of: Literal["answer", "scores"]
    makes: str
    decodes: bool = False
    long: bool = False
    measures: bool = False
    also: tuple[tuple[str, str], ...] = ()
    """Other kinds of data that it is exported as: words and suffix."""
    branches: bool = False
    """It is of a session's history."""
    finds: bool = False
    """It is of what its panel found out by asking the worker, or which of several it shows: ``found``."""
    played: bool = False
    """It is of a game in the window, by the model that it was played with."""

    def table(self, shown: Shown) -> Table:
        """The data behind it. Raises Problem where there is none yet."""
        make: Callable[[Shown], Table] = resolve(self.makes)
        return make(shown)


def bars(shown: Shown) -> Table:
    """The next-token chart. Raises Problem where there is none."""
    answer, decoded = shown.answer, shown.decoded
    if answer is None or decoded is None:
        raise Problem("there is nothing to export yet", NOT_YET)
    if answer.distribution is None:
        raise Problem("there is no distribution here", "type something, or choose BOS or EOS")
    vocabulary, document = shown.loaded.vocabulary, shown.document
    before = document.before(document.at(shown.caret))
    record = tables.bars(answer, answer.distribution, decoded, vocabulary, before, shown.bars)
    rest, origin = record["rest"], shown.origin()
    return Table(
        {"provenance": origin.as_dict()} | record,
        record["top"],
        tables.bar_columns(vocabulary),
        [*origin.lines(), f"rest: {rest['count']} other tokens with {rest['prob']} together"],
    )


def timings(shown: Shown) -> Table:
    """What answers took with the cache and without it, a record an answer. Raises Problem where none was measured."""
    if not shown.timings or not shown.loaded.can.keeps:
        raise Problem("no answer was measured yet", "step, play or type with a model that keeps something")
    rows, origin = tables.timing_rows(shown.timings), shown.origin()
    record = {"provenance": origin.as_dict(), "timings": rows}
    return Table(record, rows, tables.TIMING_COLUMNS, origin.lines())


def heatmap(shown: Shown) -> Table:
    """A record a token with what was expected most, and the totals. Raises Problem where nothing is scored."""
    ledger = _scored(shown)
    vocabulary = shown.loaded.vocabulary
    columns, rows = tables.heat_columns(ledger, vocabulary), tables.heat_rows(ledger, vocabulary)
    return _tokens(shown, ledger, rows, columns, [tables.flat(row, columns) for row in rows])


def ledger(shown: Shown) -> Table:
    """A record a token with the running sum, and the totals. Raises Problem where nothing is scored."""
    scored = _scored(shown)
    rows = tables.ledger_rows(scored, shown.loaded.vocabulary)
    return _tokens(shown, scored, rows, tables.ledger_columns(scored, shown.loaded.vocabulary), rows)


def plot(shown: Shown) -> Table:
    """What a plot of the scored text shows. Raises Problem where there is nothing in it."""
    scored, chosen = _scored(shown), shown.found or plots.FIRST
    kind, origin = plots.BY_NAME[chosen.plot], shown.origin()
    record = plots.record(chosen, scored, shown.loaded.vocabulary)
    if not record["rows"]:
        raise Problem(f"there is nothing to export: {kind.lacks}", "choose another plot, text or model")
    comments = [*origin.lines(), f"plot: {kind.title}", f"unit: {record['unit']}", record["told"]]
    return Table({"provenance": origin.as_dict(), **record}, record["rows"], kind.columns, comments)


def _scored(shown: Shown) -> Ledger:
    if shown.ledger is None:
        raise Problem("the text is not scored yet", NOT_YET)
    return shown.ledger


def _tokens(shown: Shown, ledger: Ledger, rows: Sequence[Record], columns: Sequence[str], flat: Sequence[Any]) -> Table:
    sums, origin = tables.totals(ledger), shown.origin()
    record = {"provenance": origin.as_dict(), "tokens": rows, "totals": sums}
    return Table(record, cast(Sequence[Record], flat), columns, [*origin.lines(), *tables.comments(sums)])


BARS = Chart("bars", "answer", "arplay.export.charts:bars", decodes=True)
HEATMAP = Chart("heatmap", "scores", "arplay.export.charts:heatmap", long=True)
LEDGER = Chart("ledger", "scores", "arplay.export.charts:ledger", long=True)
PLOTS = Chart("plots", "scores", "arplay.export.charts:plot", finds=True)
CACHE = Chart("cache", "answer", "arplay.export.charts:timings", measures=True)
TREE = Chart(
    "tree",
    "answer",
    "arplay.export.trees:tree",
    also=(("JSON lines, a step a line", ".jsonl"), ("Graphviz graph", ".dot")),
    branches=True,
)
BETS = Chart("bets", "scores", "arplay.export.bets:bets", played=True)
ORDERS = Chart("orders", "scores", "arplay.export.orders:orders", finds=True)
COMPARISON = Chart("comparison", "scores", "arplay.export.comparing:compared", finds=True)
CAUSALITY = Chart("causality", "answer", "arplay.export.masks:measured", finds=True)
WORDS = Chart("words", "scores", "arplay.export.parts:words", long=True, finds=True)
PERPLEXITY = Chart("perplexity", "scores", "arplay.export.perplexity:perplexity", finds=True)
TOKENIZERS = Chart("tokenizers", "scores", "arplay.export.tokenizers:tokenizers", finds=True)
CANDIDATES = Chart("candidates", "answer", "arplay.export.candidates:candidates", finds=True)
TRIED = Chart(
    "continuations",
    "answer",
    "arplay.export.tried:tried",
    also=(("Texts alone", ".txt"), ("JSON lines, a continuation or a candidate a line", ".jsonl")),
    finds=True,
)
