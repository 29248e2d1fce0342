"""The set of texts: a window with a row a text, what each costs, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QMenu, QVBoxLayout, QWidget

from arplay.core.format import number, percent
from arplay.core.signs import safe
from arplay.engine.score_reports import ScoredText
from arplay.export import text_set
from arplay.export.parquet import to_parquet
from arplay.export.provenance import Provenance
from arplay.export.writers import to_csv, to_json
from arplay.gui import files
from arplay.gui.canvases.text import transfer
from arplay.gui.host import Host
from arplay.gui.playground.text_set import Row, TextSet
from arplay.gui.theme import SPACE, Theme
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.figure_row import Figure, FigureRow
from arplay.gui.widgets.heat.legend import ProgressLine
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import FREE, in_row
from arplay.gui.widgets.menu_button import give_menu
from arplay.gui.widgets.push_button import offer, push_button
from arplay.gui.widgets.row_table import ChoiceTable, Column, TableRows

ROW = 28
NAME, TOKENS, UNITS, NLL, PERPLEXITY, BITS, SCORED = range(7)
NO_TEXT, ALL_SCORED, NOT_YET = "No text yet", "All of them are scored", "No text is scored yet"
EMPTY = "Here several texts are scored one after the other, each with what it costs.\nAdd files, or drop them here."
KINDS = {
    ".csv": "CSV table", ".json": "JSON data", ".parquet": "Parquet table", ".html": "Report (HTML)",
    ".jsonl": "JSON lines, a text a line",
}  # fmt: skip


class SetTable(TableRows):
    rows: Sequence[Row]
    columns = (
        Column("text", "A file, or a record of one.", kind="words"),
        Column("tokens", "Tokens of the text.", 86),
        Column("bytes", "Bytes of its scored tokens.", 96, 460),
        Column("NLL, nats", "−Σ log p of its scored tokens.", 116, 560),
        Column("perplexity", "exp(NLL / scored tokens).", 104),
        Column(
            "bits per byte", "NLL / (n ln 2) over those bytes, which compares models with different tokens.", 110, 380
        ),
        Column("scored", "The part of its tokens that the model gave a probability.", 84, 660),
    )

    _set: tuple[Row, ...] = ()
    """In the order of the set."""
    _sorted = -1, Qt.SortOrder.AscendingOrder
    places: Sequence[int] = ()
    """Of each row its place in the set."""

    def show(self, rows: tuple[Row, ...]) -> None:
        before, self._set = self._set, rows
        if len(rows) != len(before):
            self.places = self._arranged()
            self.reset([rows[at] for at in self.places])
        elif rows is not before:
            self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt calls this where a heading is clicked; -1 is the order of the set."""
        self._sorted = column, order
        self._arrange()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, SCORED)

    def _arrange(self) -> None:
        """The texts that are selected stay so."""
        self.layoutAboutToBeChanged.emit()
        kept, before = self.persistentIndexList(), self.places
        self.places = self._arranged()
        self.rows = [self._set[at] for at in self.places]
        row_of = {at: row for row, at in enumerate(self.places)}
        self.changePersistentIndexList(
            kept, [self.index(row_of[before[index.row()]], index.column()) for index in kept]
        )
        self.layoutChanged.emit()

    def _arranged(self) -> Sequence[int]:
        """What is not known comes last, whichever way it is sorted."""
        (column, order), values = self._sorted, range(len(self._set))
        if column < 0:
            return values
        keys = [value(row, column) for row in self._set]
        known = [at for at in values if keys[at] is not None]
        known.sort(key=lambda at: keys[at], reverse=order == Qt.SortOrder.DescendingOrder)  # type: ignore[arg-type, return-value]
        return known + [at for at in values if keys[at] is None]

    def title(self, column: int) -> str:
        unit = next((row.ledger.unit for row in self.rows if row.ledger is not None), None)
        name = super().title(column)
        if unit is not None and column in (UNITS, BITS):
            name = unit.many if column == UNITS else unit.per
        return name + "\u2003" if column == self._sorted[0] else name  # Qt paints its arrow there, over the words

    def text(self, row: int, column: int) -> str:
        one: Row = self.rows[row]
        if column == NAME:
            return safe(one.item.name)
        if one.problem is not None:
            return "not read" if column == TOKENS else "—"
        return cell(one, column) if one.ledger is not None else ""

    def tip(self, row: int, column: int) -> str:
        one: Row = self.rows[row]
        if one.problem is not None or column == NAME:
            return f"{about(one)}\nA double-click, or Enter, opens it in the views."
        return self.columns[column].tip

    def ink(self, row: int, column: int) -> str:
        return "warning" if self.rows[row].problem is not None else "text"


def about(row: Row) -> str:
    """Where it is from and what reading it changed; or why it could not be read, and what to do."""
    path = row.item.path
    if row.problem is None:
        read_as = f"read as {row.item.encoding}" if row.item.encoding else ""
        where = str(path) if path is not None else f"{row.item.name}: {row.item.data[:200].decode('utf-8', 'replace')}"
        return "  ·  ".join(part for part in (where, read_as, row.changed) if part)
    cause, remedy = row.problem
    if row.in_other_encoding and path is not None:
        cause, remedy = cause.replace(str(path), path.name), "“Encoding…” reads it"
    return f"{cause}: {remedy}"


def value(row: Row, column: int) -> str | float | None:
    """What a column sorts a text by; None where that is not known."""
    if column == NAME:
        return row.item.name.casefold()
    if row.ledger is None:
        return None
    totals = row.ledger.totals
    if column == SCORED:
        return totals.scored / totals.tokens if totals.tokens else None
    figures = {TOKENS: totals.tokens, UNITS: totals.units, NLL: totals.nll_nats, PERPLEXITY: totals.perplexity}
    return figures.get(column, totals.bits_per_unit)


def cell(row: Row, column: int) -> str:
    """What a column says of a scored text."""
    figure = value(row, column)
    assert not isinstance(figure, str)
    if column in (TOKENS, UNITS):
        return f"{figure:,}"
    return percent(figure) if column == SCORED and figure is not None else number(figure)


class SetWindow(QWidget):
    """What the set is told to do goes to the playground; texts are opened in the main window.

    ``added``: files that shall be in it.
    """

    added = Signal(list)

    def __init__(self, texts: TextSet, window: Host) -> None:
        super().__init__(window, Qt.WindowType.Window)
        self.setWindowTitle("Set of texts")
        self.setAcceptDrops(True)
        self.texts, self._window = texts, window
        self.remark = ""
        """What has to be known of how the set came to be."""
        self.head, self.figures, self.progress, self.about = Caption(), FigureRow(), ProgressLine(), Caption()
        self.table = SetTable(self)
        self.list = ChoiceTable("Texts of the set", ROW)
        self.list.message = EMPTY
        self.list.show_model(self.table)
        self.list.sort_by_headings()
        header = self.list.horizontalHeader()
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.list.setSortingEnabled(True)
        self.list.chosen.connect(self._open)
        self.list.doubleClicked.connect(self._open)
        self.files = push_button("Add files…", "Texts, pages, or files of records", self._ask_files)
        self.show_one = push_button("Open", "Show this text in heatmap, ledger and all other views", self._open_current)
        self.halt = push_button("Pause", "What is scored stays", self._halt)
        self.remove = push_button("Remove", "Take this text out of the set (Delete); the file stays", self._remove)
        for key in (QKeySequence.StandardKey.Cancel, QKeySequence.StandardKey.Close):
            QShortcut(key, self, self.close)
        QShortcut(QKeySequence.StandardKey.Delete, self.list, self._remove, context=Qt.ShortcutContext.WidgetShortcut)
        self.list.selectionModel().currentRowChanged.connect(self._show_current)
        self.empty = push_button("Clear", "Take all texts out of the set; the files stay", self._clear)
        self.export = push_button("Export", "The table, or a report of all texts")
        menu = QMenu(self.export)
        for ending, words in KINDS.items():
            menu.addAction(f"{words}…").setData(ending)
        menu.triggered.connect(lambda action: self._ask_export(action.data()))
        give_menu(self.export, menu)
        low = in_row(self.files, self.show_one, self.halt, FREE, self.remove, self.empty, self.export, spacing=SPACE[1])
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[2], SPACE[2], SPACE[2], SPACE[2])
        column.setSpacing(SPACE[1])
        for widget in (self.figures, self.head, self.progress):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        column.addWidget(self.about)
        column.addLayout(low)
        texts.changed.connect(self.show_set)
        window.playground.changed.connect(self._offer)
        self.resize(840, 520)
        self.set_theme(window.theme)
        self.show_set()

    def set_theme(self, theme: Theme) -> None:
        self.list.set_theme(theme)
        self.figures.theme = self.progress.theme = theme
        self.figures.update()

    # what is shown

    def show_set(self) -> None:
        texts = self.texts
        kept = self.list.currentIndex().row()
        self.table.show(texts.rows)
        self.list.fit()
        if texts.rows and not self.list.currentIndex().isValid():
            self.list.selectRow(min(max(0, kept), len(texts.rows) - 1))
        self.head.show_text(self._said())
        figures = self._together()
        self.figures.show_figures(figures)
        self.figures.setVisible(bool(figures))
        known = texts.progress.fraction if texts.progress is not None else None
        self.progress.show_share(known if texts.runs else None)
        self.halt.setText("Pause" if texts.runs else "Go on" if texts.done else "Score")
        self._show_current()
        self._offer()

    def _offer(self) -> None:
        """The buttons, where they can do something: what of the model that needs is told in the window's Views."""
        texts = self.texts
        none = "" if texts.rows else NO_TEXT
        lacks = "" if texts.lacks is None else f"{capital(texts.lacks[0])}: {texts.lacks[1]}"
        all_done = "" if texts.done < len(texts.rows) else ALL_SCORED
        offer(self.halt, "" if texts.runs else none or all_done or lacks)
        offer(self.empty, none)
        offer(self.export, none or ("" if texts.scored else NOT_YET))

    @property
    def current(self) -> Row | None:
        at = self.list.currentIndex().row()
        return self.table.rows[at] if 0 <= at < len(self.table.rows) else None

    def _show_current(self) -> None:
        row = self.current
        self.about.show_text("" if row is None else about(row))
        self.show_one.setText("Encoding…" if row is not None and row.in_other_encoding else "Open")
        for button in (self.show_one, self.remove):
            offer(button, "" if row is not None else NO_TEXT)

    def _said(self) -> str:
        texts = self.texts
        if not texts.rows:
            return self.remark or NO_TEXT
        by = f" by {texts.loaded.info.name}" if texts.loaded is not None else ""
        failed = sum(row.problem is not None for row in texts.rows)
        parts = [f"{len(texts.scored):,} of {len(texts.rows):,} texts scored{by}"]
        parts += [f"{failed:,} could not be read"] if failed else []
        parts += [] if texts.runs or texts.done == len(texts.rows) else ["paused"]
        parts += [self.remark] if self.remark else []
        return "  ·  ".join(parts)

    def _together(self) -> tuple[Figure, ...]:
        totals = [row.ledger.totals for row in self.texts.scored if row.ledger is not None]
        if not totals:
            return ()
        sums, unit = text_set.together(totals), totals[0].unit
        per_unit, perplexity = sums[unit.key], sums["perplexity"]
        return (
            Figure(f"{sums['tokens']:,}", "tokens", "Tokens of all texts that are scored."),
            Figure(f"{sums['scored']:,}", "scored", "Those that the model gave a probability."),
            Figure(
                f"{number(sums['nll_nats'], 4 if sums['nll_nats'] < 1000 else 1)} nats",
                "NLL",
                "The sum over all texts.",
            ),
            Figure(
                number(perplexity, 2),
                "perplexity",
                "exp(Σ NLL / Σ scored tokens): each token counts the same, so it is not the mean of the texts' own.",
            ),
            Figure(
                number(per_unit, 3),
                unit.per,
                f"Σ NLL / (n ln 2) over the n = {sums[unit.many]:,} {unit.many} of all scored tokens.",
            ),
        )

    # what the user does

    def open(self) -> None:
        self.show()
        self.raise_()
        self.activateWindow()

    def _halt(self) -> None:
        if self.texts.runs:
            self.texts.pause()
        else:
            self.texts.go_on()

    def _open_current(self) -> None:
        if self.list.currentIndex().isValid():
            self._open(self.list.currentIndex())

    def _open(self, index: QModelIndex) -> None:
        """The text in the views: a file as it would be opened by itself, or first in which encoding it is."""
        row = self.table.rows[index.row()]
        item = row.item
        if row.in_other_encoding and item.path is not None:
            others = sum(each.in_other_encoding for each in self.texts.rows) - 1
            guess = files.offer_encoding(item.path, self, others)
            if guess is not None:
                self.texts.read_as(guess)
        elif item.path is not None:
            self._window.open_file(item.path, item.encoding)
        else:
            self._window.playground.open_text(item.data, item.name)

    def _ask_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Add texts to the set")
        self.added.emit([Path(name) for name in names])

    def _clear(self) -> None:
        self.remark = ""
        self.texts.clear()

    def _remove(self) -> None:
        if self.current is not None:
            self.texts.remove(self.table.places[self.list.currentIndex().row()])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            transfer.take(event)

    def dropEvent(self, event: QDropEvent) -> None:
        urls = event.mimeData().urls()
        paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile() and Path(url.toLocalFile()).is_file()]
        if len(paths) < len(urls):  # a folder, say, or an address
            self.remark = f"{len(urls) - len(paths):,} of {len(urls):,} things that were dropped are no files: left out"
            self.show_set()
        self.added.emit(paths)
        transfer.take(event)

    # export

    def _ask_export(self, ending: str) -> None:
        proposed = str(Path(self._window.store.text("export_folder", "")) / f"texts{ending}")
        name, _ = QFileDialog.getSaveFileName(self, "Export the set", proposed, f"{KINDS[ending]} (*{ending})")
        if name:
            path = Path(name)
            self._window.store.set_text("export_folder", str(path.parent))
            self.write(path if path.suffix.lower() == ending else path.with_name(path.name + ending))

    def write(self, path: Path) -> None:
        """What is scored by now."""
        texts, loaded = self.texts, self.texts.loaded
        assert loaded is not None, "nothing is scored yet"
        scored = [(row.item.name, row.ledger) for row in texts.scored if row.ledger is not None]
        if path.suffix.lower() in (".html", ".jsonl"):
            found = tuple(ScoredText(name, loaded, ledger) for name, ledger in scored)
            self._window.playground.runs.write(found, path)
            return
        totals = [ledger.totals for _, ledger in scored]
        rows = text_set.rows([(name, ledger.totals) for name, ledger in scored])
        origin = Provenance(loaded.info, totals[0].first_token, f"{len(rows):,} texts")
        record: dict[str, Any] = {"provenance": origin.as_dict(), "texts": rows, "totals": text_set.together(totals)}
        if path.suffix.lower() == ".json":
            self._window.playground.runs.write_text(path, lambda: to_json(record))
            return
        all_rows = [*rows, {"text": f"all {len(rows):,}", **record["totals"]}]
        table = all_rows, text_set.columns(totals), origin.lines()
        if path.suffix.lower() == ".parquet":
            about = {name: record[name] for name in ("provenance", "totals")}
            self._window.playground.runs.write_text(path, lambda: to_parquet(*table, about))
        else:
            self._window.playground.runs.write_text(path, lambda: to_csv(*table))
