"""Exporting: a view's chart as a picture, the table behind it, or either to the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from PySide6.QtCore import QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from arplay.core.errors import Problem
from arplay.export import charts
from arplay.export.charts import Shown, Table
from arplay.export.writers import write
from arplay.gui import export_image, export_parts
from arplay.gui.contract import Panel
from arplay.gui.export_image import Chart
from arplay.gui.export_parts import Long, Span
from arplay.gui.host import Host
from arplay.gui.panels.entry import PanelEntry
from arplay.gui.view import View

if TYPE_CHECKING:
    from arplay.gui.panels.editor import EditorPanel

PICTURES = {"PNG picture": ".png", "SVG drawing": ".svg", "PDF document": ".pdf"}
DATA: dict[str, charts.Kind] = {
    "CSV table": "csv",
    "JSON data": "json",
    "JSON lines, a row a line": "jsonl",
    "Parquet table": "parquet",
}
KINDS = PICTURES | {words: f".{kind}" for words, kind in DATA.items()}


class Exported(Chart, Protocol):
    """A view with a chart, the table behind it, and lines that say where both are from; Problem: nothing yet."""

    def table(self) -> Table: ...

    def origin(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Export:
    """How one view is exported: over which window questions are asked, and where it is told what came of it."""

    view: Exported
    parent: QWidget
    done: Callable[[str], None]
    failed: Callable[[Problem], None]
    selection: Callable[[], Span | None] = lambda: None
    folder: Callable[[], str] = lambda: ""
    keep_folder: Callable[[str], None] = lambda folder: None
    also: tuple[tuple[str, str], ...] = ()
    """Other kinds of data that the view has: words and suffix."""

    @property
    def kinds(self) -> dict[str, str]:
        """Words and suffix of every file that it can be; a kind that the view names itself has those words."""
        own = {suffix: words for words, suffix in self.also}
        usual = {suffix: words for words, suffix in KINDS.items()}
        return {words: suffix for suffix, words in (usual | own).items()}

    def ask(self, suffix: str = ".png") -> None:
        """Ask what of a long chart to export, then for a file name, and export there."""
        try:
            origin = self._ready()
        except Problem as problem:
            self.failed(problem)
            return
        if suffix in PICTURES.values():
            chosen = self.selection()
            export_parts.ask_part(
                self.view, suffix, origin, chosen, self.parent, lambda chart: self._ask_file(chart, suffix, origin)
            )
        else:
            self._ask_file(self.view, suffix, origin)

    def write(self, path: Path) -> None:
        """Export all of it in the format that ``path`` ends with. Raises Problem; the file is then as it was."""
        kind = path.suffix.lower()
        if kind in PICTURES.values():
            origin = self.view.origin()
            long = cast(Long, self.view).sheet() if hasattr(self.view, "sheet") else None
            export_image.save(long or self.view, path, origin)
        else:
            write(path, self.view.table().content(kind[1:] if kind in self.kinds.values() else "json"))

    def save(self, path: Path) -> bool:
        """:meth:`write`, and tell what came of it."""
        try:
            self.write(path)
        except Problem as problem:
            self.failed(problem)
            return False
        self.done(f"Exported {path.name}")
        return True

    def copy_picture(self) -> None:
        """The whole chart, at twice its size, or what is in sight where there is no chart, or it is too tall."""
        size, told = self.view.chart_size(), "Copied the picture"
        if size is None or size[1] > export_image.TALLEST:
            QGuiApplication.clipboard().setPixmap(cast(QWidget, self.view).grab())
            told = told if size is None else "Copied what is in sight: all of it would be too tall for a picture"
        else:
            image = QImage(2 * size[0], 2 * size[1], QImage.Format.Format_RGB32)
            image.fill(self.view.theme.color("surface"))
            painter = QPainter(image)
            painter.scale(2, 2)
            self.view.paint_chart(painter, QRectF(0, 0, *size))
            painter.end()
            QGuiApplication.clipboard().setImage(image)
        self.done(told)

    def copy_data(self) -> None:
        try:
            QGuiApplication.clipboard().setText(self.view.table().text("csv"))
        except Problem as problem:
            self.failed(problem)
            return
        self.done("Copied the data")

    def menu(self, parent: QWidget, charted: bool = True) -> QMenu:
        """Export … and Copy …; only the latter of a view that has no chart."""
        menu = QMenu(self.view.title, parent)
        if charted:
            for words, suffix in self.kinds.items():
                menu.addAction(f"{words}…").setData(suffix)
            menu.addSeparator()
        menu.addAction("Copy as &picture").setData(Export.copy_picture)
        if charted:
            menu.addAction("Copy as &CSV").setData(Export.copy_data)
        menu.triggered.connect(lambda action: self._chosen(action.data()))
        return menu

    def _chosen(self, what: object) -> None:
        if isinstance(what, str):
            self.ask(what)
        else:
            cast(Callable[[Export], None], what)(self)

    def _ready(self) -> list[str]:
        """The lines below the chart. Raises Problem where there is nothing to export."""
        origin = self.view.origin()
        if not (cast(Long, self.view).count() if hasattr(self.view, "sheet") else self.view.chart_size()):
            self.view.table()  # says why there is nothing, where it is not that it is yet to come
            raise Problem(f"there is nothing to export in {self.view.title} yet", "wait for its first result")
        return origin

    def _ask_file(self, chart: Chart, suffix: str, origin: list[str]) -> None:
        words = next(words for words, ending in self.kinds.items() if ending == suffix)
        proposed = str(Path(self.folder()) / f"{self.view.name}{suffix}")
        name, _ = QFileDialog.getSaveFileName(
            self.parent, f"Export “{self.view.title}”", proposed, f"{words} (*{suffix})"
        )
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() not in self.kinds.values():
            path = path.with_name(path.name + suffix)
        self.keep_folder(str(path.parent))
        if path.suffix.lower() in PICTURES.values():
            export_parts.write(chart, path, origin, self.parent, self.done, self.failed)
        else:
            self.save(path)


class OfPanel:
    """A panel of the window as :class:`Exported`: always of what the window shows at this moment."""

    def __init__(self, entry: PanelEntry, window: Host) -> None:
        self.name, self.title, self.window = entry.name, entry.title, window

    @property
    def panel(self) -> Panel:
        return self.window.panels[self.name]

    def __getattr__(self, name: str) -> object:
        """All else is the panel's: its chart, its sheets."""
        return getattr(self.panel, name)

    def chart_size(self) -> tuple[int, int] | None:
        self._show()
        return self.panel.chart_size()

    def table(self) -> Table:
        self._show()
        chart = self.panel.entry.chart
        assert chart is not None, "it has no menu entry for data"
        return chart.table(shown(self.panel, self.window.playground.view))

    def origin(self) -> list[str]:
        self._show()
        return shown(self.panel, self.window.playground.view).origin().caption()

    def _show(self) -> None:
        """A panel that nobody sees is not kept up to date."""
        self.panel.show_view(self.window.playground.view)


def shown(panel: Panel, view: View) -> Shown:
    """What of ``view`` the chart of ``panel`` is of. Raises Problem before a model is loaded."""
    chart, settings = panel.entry.chart, view.settings
    loaded = view.game_of if chart is not None and chart.played else view.loaded
    if loaded is None:
        raise Problem("there is nothing to export yet", charts.NOT_YET)
    return Shown(
        loaded,
        view.document,
        view.caret,
        view.run.name if view.run is not None else view.excerpt_of or "the text in the window",
        view.answer,
        view.decoded,
        view.ledger if chart is None or chart.of == "scores" else None,
        view.timings,
        settings.bars,
        settings.decoding if chart is not None and chart.decodes else None,
        settings.seed if chart is not None and chart.decodes else None,
        view.tree,
        view.game if chart is not None and chart.played else None,
        cast(Any, panel).found if chart is not None and chart.finds else None,
    )


def of_panel(panel: Panel, window: Host) -> Export:
    """How a panel of the window is exported."""
    return of_entry(panel.entry, window)


def of_entry(entry: PanelEntry, window: Host) -> Export:
    """The same of a panel that may not be there yet."""
    return Export(
        cast(Exported, OfPanel(entry, window)),
        window,
        lambda words: window.statusBar().showMessage(words, 4_000),
        lambda problem: window.report(problem.cause, problem.remedy),
        lambda: cast("EditorPanel", window.panels["editor"]).selected_tokens(window.playground.view.ledger),
        lambda: window.store.text("export_folder", ""),
        lambda folder: window.store.set_text("export_folder", folder),
        entry.chart.also if entry.chart is not None else (),
    )
