"""Exporting from the window: a panel's chart as a picture, the data behind it, or either to the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QMenu

from arplay.core.errors import Problem
from arplay.core.modalities.text import bytes_of
from arplay.export import charts
from arplay.export.provenance import Provenance
from arplay.export.writers import write
from arplay.gui import export_image, export_parts
from arplay.gui.contract import Panel, View
from arplay.gui.export_image import Chart
from arplay.gui.export_parts import Long

if TYPE_CHECKING:
    from arplay.gui.main_window import MainWindow
    from arplay.gui.panels.editor import EditorPanel

PICTURES = {"PNG picture": ".png", "SVG drawing": ".svg", "PDF document": ".pdf"}
DATA = {"CSV table": ".csv", "JSON data": ".json"}
WITH_DATA = ("next_token", "heatmap", "ledger", "kv_cache")


def menu_for(panel: Panel, window: MainWindow) -> QMenu:
    """Export … and Copy … for one panel."""
    menu = QMenu(panel.title, window)
    if panel.name not in WITH_DATA:
        copy = menu.addAction("Copy as &picture")
        copy.triggered.connect(_bound(copy_picture, panel, window))
        return menu
    for words, suffix in (PICTURES | DATA).items():
        menu.addAction(f"{words}…").triggered.connect(_bound(ask, panel, window, suffix))
    menu.addSeparator()
    menu.addAction("Copy as &picture").triggered.connect(_bound(copy_picture, panel, window))
    menu.addAction("Copy as &CSV").triggered.connect(_bound(copy_data, panel, window))
    return menu


def ask(panel: Panel, window: MainWindow, suffix: str = ".png") -> None:
    """Ask what of a long chart to export, then for a file name, and export there."""
    panel.show_view(window.playground.view)  # one that nobody sees is not kept up to date
    try:
        origin = _ready(panel, window.playground.view)
    except Problem as problem:
        window.tell(problem.cause, problem.remedy)
        return
    if suffix in DATA.values():
        _ask_file(panel, panel, window, suffix, origin)
    else:
        selection = _selection(window, window.playground.view)
        export_parts.ask_part(
            panel, suffix, origin, selection, window, lambda chart: _ask_file(panel, chart, window, suffix, origin)
        )


def _ready(panel: Panel, view: View) -> list[str]:
    """The lines below the chart. Raises Problem where there is nothing to export."""
    origin = provenance(panel, view).caption()
    if not (cast(Long, panel).count() if hasattr(panel, "sheet") else panel.chart_size()):
        raise Problem(f"there is nothing to export in {panel.title} yet", "wait for its first result")
    return origin


def _selection(window: MainWindow, view: View) -> tuple[int, int] | None:
    """The tokens [first, stop) that are selected in the editor."""
    area, ledger = cast("EditorPanel", window.panels["editor"]).area, view.ledger
    low, high = area.selected_bytes()
    if ledger is None or low >= high or area.shown.data[:high] != bytes_of(ledger.encoded)[:high]:
        return None
    first, last = (int(i) for i in ledger.ends.searchsorted([low, high - 1], "right"))
    return first, last + 1


def _ask_file(panel: Panel, chart: Chart, window: MainWindow, suffix: str, origin: list[str]) -> None:
    kinds = PICTURES | DATA
    words = next(words for words, ending in kinds.items() if ending == suffix)
    folder = Path(window.store.text("export_folder", ""))
    name, _ = QFileDialog.getSaveFileName(
        window, f"Export “{panel.title}”", str(folder / f"{panel.name}{suffix}"), f"{words} (*{suffix})"
    )
    if not name:
        return
    path = Path(name)
    if path.suffix.lower() not in kinds.values():
        path = path.with_name(path.name + suffix)
    window.store.set_text("export_folder", str(path.parent))
    if path.suffix.lower() in DATA.values():
        save(panel, path, window)
        return

    def tell(problem: Problem) -> None:
        window.tell(problem.cause, problem.remedy)

    export_parts.write(chart, path, origin, window, lambda words: window.statusBar().showMessage(words, 4000), tell)


def save(panel: Panel, path: Path, window: MainWindow) -> bool:
    """Export ``panel`` to ``path`` in the format it ends with; what fails is told and leaves the file as it was."""
    view = window.playground.view
    panel.show_view(view)
    try:
        if path.suffix in DATA.values():
            write(path, data_of(panel, view, "csv" if path.suffix == ".csv" else "json"))
        else:
            chart = cast(Long, panel).sheet() if hasattr(panel, "sheet") else None
            export_image.save(chart or panel, path, provenance(panel, view).caption())
    except Problem as problem:
        window.tell(problem.cause, problem.remedy)
        return False
    window.statusBar().showMessage(f"Exported {path.name}", 4000)
    return True


def data_of(panel: Panel, view: View, kind: charts.Kind) -> str:
    """The data that ``panel`` shows. Raises Problem where there is none yet."""
    if view.loaded is None or (panel.name == "next_token" and (view.answer is None or view.decoded is None)):
        raise Problem("there is nothing to export yet", "wait for the first result")
    vocabulary, origin = view.loaded.vocabulary, provenance(panel, view)
    if panel.name == "next_token":
        assert view.answer is not None and view.decoded is not None
        before = view.document.before(view.document.at(view.caret))
        return charts.bars(kind, view.answer, view.decoded, vocabulary, before, view.settings.bars, origin)
    if panel.name == "kv_cache":
        if panel.chart_size() is None:
            raise Problem("no answer was measured yet", "step, play or type with a model that keeps a cache")
        return charts.timings(kind, view.timings, origin)
    if view.ledger is None:
        raise Problem("the text is not scored yet", "wait for the first result")
    chart = "heatmap" if panel.name == "heatmap" else "ledger"
    return charts.tokens(chart, kind, view.ledger, vocabulary, origin)  # type: ignore[arg-type]


def provenance(panel: Panel, view: View) -> Provenance:
    """Where the figures of ``panel`` come from. Raises Problem where there are none."""
    shown = view.answer if panel.name in ("next_token", "kv_cache") else view.ledger or view.answer
    if view.loaded is None or shown is None:
        raise Problem("there is nothing to export yet", "wait for the first result")
    decoding = view.settings.decoding if panel.name == "next_token" else None
    seed = view.settings.seed if decoding is not None else None
    return Provenance(view.loaded.info, shown.first_piece, view.excerpt_of or "the text in the window", decoding, seed)


def copy_picture(panel: Panel, window: MainWindow) -> None:
    """The whole chart, at twice its size, or what the panel shows where it has no chart."""
    panel.show_view(window.playground.view)
    size, told = panel.chart_size(), "Copied the picture"
    if size is None or size[1] > export_image.TALLEST:
        QGuiApplication.clipboard().setPixmap(panel.grab())
        told = told if size is None else "Copied what is in sight: all of it would be too tall for a picture"
    else:
        image = QImage(2 * size[0], 2 * size[1], QImage.Format.Format_RGB32)
        image.fill(panel.theme.color("surface"))
        painter = QPainter(image)
        painter.scale(2, 2)
        panel.paint_chart(painter, QRectF(0, 0, *size))
        painter.end()
        QGuiApplication.clipboard().setImage(image)
    window.statusBar().showMessage(told, 3000)


def copy_data(panel: Panel, window: MainWindow) -> None:
    panel.show_view(window.playground.view)
    try:
        QGuiApplication.clipboard().setText(data_of(panel, window.playground.view, "csv"))
    except Problem as problem:
        window.tell(problem.cause, problem.remedy)
        return
    window.statusBar().showMessage("Copied the data", 3000)


def _bound(function: Callable[..., object], *given: object) -> Callable[[], None]:
    def call() -> None:
        function(*given)

    return call
