"""What of a long chart is exported, asked before any file is named; and writing it, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, cast

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QMessageBox,
    QProgressDialog,
    QRadioButton,
    QSpinBox,
    QWidget,
)

from arplay.core.errors import Problem
from arplay.gui import export_image
from arplay.gui.export_image import PAGE, SCALE, Chart
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.layouts import FREE, in_column, in_row
from arplay.gui.widgets.sheet import Sheet

Span = tuple[int, int]
_TYPING_MS = 150


class Long(Chart, Protocol):
    """A view whose chart may be too long for one picture: it has ``count`` rows or tokens, called ``what``."""

    what: str

    def count(self) -> int: ...

    def in_sight(self) -> Span | None: ...

    def sheet(self, first: int = 0, stop: int | None = None) -> Sheet | None: ...


def needs_pages(chart: Chart, suffix: str, origin: Sequence[str]) -> bool:
    """Whether all of it is more than one picture can hold (a PDF of a sheet always has pages)."""
    if suffix == ".pdf" or not hasattr(chart, "paint_page"):
        return False
    return max(export_image.pixels(chart, origin, SCALE if suffix == ".png" else 1.0)) > export_image.TALLEST


def size_words(chart: Chart, suffix: str, origin: Sequence[str]) -> str:
    """How many files or pages it makes, and how large they are."""
    if suffix == ".pdf":
        pages = export_image.page_count(chart, origin)
        return "one page of A4" if pages == 1 else f"{pages:,} pages of A4"
    scale = SCALE if suffix == ".png" else 1.0
    if needs_pages(chart, suffix, origin):
        wide, tall = (round(side * scale) for side in PAGE)
        return f"{export_image.page_count(chart, origin):,} files, each a picture of {wide:,} × {tall:,} pixels"
    wide, tall = export_image.pixels(chart, origin, scale)
    return f"one picture of {wide:,} × {tall:,} pixels"


def ask_part(
    view: Chart,
    suffix: str,
    origin: Sequence[str],
    selection: Span | None,
    parent: QWidget,
    then: Callable[[Chart], None],
) -> None:
    """Ask what of ``view`` to export if it is longer than a picture can be; ``then`` gets that part, or all of it."""
    whole = cast(Long, view).sheet() if hasattr(view, "sheet") else None
    if whole is None or not needs_pages(whole, ".png" if suffix == ".pdf" else suffix, origin):
        then(whole or view)
        return
    dialog = PartDialog(cast(Long, view), whole, suffix, origin, selection, parent)
    dialog.accepted.connect(lambda: then(dialog.part()))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


class PartDialog(QDialog):
    """All of it, what is in sight, the selection, or from A to B; each with what it makes."""

    def __init__(
        self, view: Long, whole: Sheet, suffix: str, origin: Sequence[str], selection: Span | None, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Export “{view.title}”")
        self._view, self._suffix, self._origin = view, suffix, origin
        self._count, what = view.count(), view.what
        sight = view.in_sight()
        self.spans: dict[QRadioButton, Span] = {}
        self._sheets: dict[Span, Sheet] = {(0, self._count): whole}
        grid = QGridLayout()
        grid.setVerticalSpacing(SPACE[2])
        grid.setHorizontalSpacing(SPACE[3])
        self.whole = self._choice(grid, f"&All {self._count:,} {what}", (0, self._count))
        if sight is not None and sight != (0, self._count):
            self._choice(grid, f"What is in &sight: {what} {sight[0] + 1:,} to {sight[1]:,}", sight)
        if selection is not None:
            name = f"The s&election in the editor: {what} {selection[0] + 1:,} to {selection[1]:,}"
            self._choice(grid, name, selection)
        start = selection or sight or (0, self._count)
        self.range = QRadioButton(f"&From {what.rstrip('s')}")
        self.first, self.last = self._box(f"First of the {what}", start[0] + 1), self._box("Last of them", start[1])
        self.told = Label()
        line = in_row(self.range, self.first, Label("to"), self.last, FREE, spacing=SPACE[1])
        grid.addLayout(line, grid.rowCount(), 0)
        grid.addWidget(self.told, grid.rowCount() - 1, 1)
        self.told.setProperty("role", "caption")
        head = Label("This is longer than one picture can be. What shall be exported?")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = buttons.addButton("&Choose a file…", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        in_column(head, grid, buttons, on=self, margins=(SPACE[4], SPACE[4], SPACE[4], SPACE[3]), spacing=SPACE[3])
        self.go.setDefault(True)  # it is the dialog's by now
        self._typed = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typed.timeout.connect(self._tell_range)
        for box in (self.first, self.last):
            box.valueChanged.connect(self._on_range)
        self.whole.setChecked(True)
        self._tell_range()

    def part(self) -> Sheet:
        """What was chosen."""
        return self._sheet(next((span for button, span in self.spans.items() if button.isChecked()), self._span()))

    def _choice(self, grid: QGridLayout, words: str, span: Span) -> QRadioButton:
        button, row = QRadioButton(words), grid.rowCount()
        size = Label(size_words(self._sheet(span), self._suffix, self._origin), role="caption")
        button.setAccessibleDescription(size.text())
        grid.addWidget(button, row, 0)
        grid.addWidget(size, row, 1)
        self.spans[button] = span
        return button

    def _box(self, name: str, value: int) -> QSpinBox:
        box = QSpinBox()
        box.setRange(1, self._count)
        box.setGroupSeparatorShown(True)
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.setValue(value)
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        return box

    def _span(self) -> Span:
        a, b = sorted((self.first.value(), self.last.value()))
        return a - 1, b

    def _sheet(self, span: Span) -> Sheet:
        if span not in self._sheets:
            made = self._view.sheet(*span)
            assert made is not None
            self._sheets[span] = made
        return self._sheets[span]

    def _on_range(self) -> None:
        self.range.setChecked(True)
        self._typed.start()

    def _tell_range(self) -> None:
        self.told.setText(size_words(self._sheet(self._span()), self._suffix, self._origin))
        self.range.setAccessibleDescription(self.told.text())


def write(
    chart: Chart,
    path: Path,
    origin: Sequence[str],
    parent: QWidget,
    then: Callable[[str], None],
    failed: Callable[[Problem], None],
) -> None:
    """Write ``chart``, in pages where it needs them. ``then`` gets what was written, in words."""
    pages = needs_pages(chart, path.suffix.lower(), origin)
    if not pages:
        _Writing(chart, path, origin, False, parent, then, failed)
        return
    count = export_image.page_count(chart, origin)
    there = sum(export_image.numbered(path, page, count).exists() for page in range(count))
    if not there:
        _Writing(chart, path, origin, True, parent, then, failed)
        return
    there_are = f"{there:,} of the {count:,} files exist already."
    box = QMessageBox(QMessageBox.Icon.Question, "Export", there_are, parent=parent)
    box.setInformativeText("Replace them?")
    replace = box.addButton("&Replace", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.finished.connect(
        lambda: box.clickedButton() is replace and _Writing(chart, path, origin, True, parent, then, failed)
    )
    box.finished.connect(box.deleteLater)
    box.open()


class _Writing(QProgressDialog):
    """Pages are written between events, so that the window stays alive; seen if it takes a while."""

    def __init__(
        self,
        chart: Chart,
        path: Path,
        origin: Sequence[str],
        pages: bool,
        parent: QWidget,
        then: Callable[[str], None],
        failed: Callable[[Problem], None],
    ) -> None:
        super().__init__(f"Writing {path.name}…", "Cancel", 0, 0, parent)
        self.setWindowTitle("Export")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumDuration(400)
        self._path, self._then, self._failed = path, then, failed
        self._steps = export_image.steps(chart, path, origin, pages=pages)
        self._next()

    def _next(self) -> None:
        if self.wasCanceled():
            self._steps.close()
            self._end()
            return
        try:
            done, count = next(self._steps)
        except Problem as problem:
            self._end()
            self._failed(problem)
            return
        if done < count:
            self.setMaximum(count)
            self.setValue(done)
            QTimer.singleShot(0, self, self._next)
            return
        for _ in self._steps:  # it checks and names the file
            pass
        self._end()
        many = count > 1 and self._path.suffix.lower() != ".pdf"
        first = export_image.numbered(self._path, 0, count).name
        self._then(f"Exported {count:,} pictures, {first} and so on" if many else f"Exported {self._path.name}")

    def _end(self) -> None:
        self.reset()
        self.deleteLater()
