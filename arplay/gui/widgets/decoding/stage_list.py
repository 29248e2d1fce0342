"""The stages in the user's order."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from arplay.core.decoding.pipeline import Decoded
from arplay.core.decoding.rows import Row, Rows
from arplay.core.decoding.stage import StageProblem
from arplay.gui.settings import Unit
from arplay.gui.theme import LIGHT, SPACE, Theme
from arplay.gui.widgets.decoding.stage_row import StageRow


class StageList(QWidget):
    """Shows a layout; ``changed`` tells of a new one, and in words what was moved where, if something was."""

    cancelled = Signal()
    changed = Signal(object, str)
    theme: Theme = LIGHT

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[StageRow] = []
        self._seen: list[StageRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE[0])

    @property
    def layout_rows(self) -> Rows:
        return tuple(each.row for each in self.rows)

    def show_rows(self, rows: Rows, reason: str | None) -> bool:
        """Whether other stages stand there now, or in another order."""
        names = [each.stage for each in rows]
        if names != [each.stage.name for each in self.rows]:
            self._arrange(names)
        anew, self._seen = self.rows != self._seen, list(self.rows)
        for widget, row in zip(self.rows, rows, strict=True):
            widget.show_row(row, reason)
        return anew

    def _arrange(self, names: Sequence[str]) -> None:
        """Rows that stay are only moved: the mouse may hold one."""
        spare, self.rows = self.rows, []
        for name in names:
            row = next((each for each in spare if each.stage.name == name), None)
            if row is not None:
                spare.remove(row)
            else:
                row = self._made(name)
            self.rows.append(row)
        for gone in spare:
            self._column.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        self._place()

    def _place(self) -> None:
        for at, row in enumerate(self.rows):
            if self._column.indexOf(row) != at:
                self._column.removeWidget(row)
                self._column.insertWidget(at, row)
            row.show_place(at, len(self.rows))
            row.show()
        self._column.activate()

    def _made(self, name: str) -> StageRow:
        row = StageRow(name, self)
        row.set_theme(self.theme)
        row.changed.connect(self._on_changed)
        row.moved.connect(self._on_moved)
        row.dragged.connect(self._on_dragged)
        row.removed.connect(self._on_removed)
        row.cancelled.connect(self.cancelled)
        return row

    def show_traces(self, decoded: Decoded | None, problem: StageProblem | None, unit: Unit) -> None:
        working = [each for each in self.rows if each.row.works]
        traces = () if decoded is None else decoded.traces
        known = {id(row): trace for row, trace in zip(working, traces, strict=False) if row.stage is trace.stage}
        for row in self.rows:
            row.show_trace(known.get(id(row)), unit)
        for at, row in enumerate(working):
            row.show_problem(problem if problem is not None and problem.at == at else None)
        for row in self.rows:
            if not row.row.works:
                row.show_problem(None)

    def show_waits(self, lacking: Collection[str], doing: str) -> None:
        """What is done for the stages that lack their second distribution."""
        for row in self.rows:
            row.show_wait(doing if row.row.works and row.stage.name in lacking else "")

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for row in self.rows:
            row.set_theme(theme)

    # ---- what the user does

    def _asking(self) -> StageRow:
        return next(row for row in self.rows if row is self.sender())

    def _on_changed(self, new: Row) -> None:
        row = self._asking()
        self.changed.emit(tuple(new if each is row else each.row for each in self.rows), "")

    def _on_removed(self) -> None:
        row = self._asking()
        self.changed.emit(tuple(each.row for each in self.rows if each is not row), "")

    def _on_moved(self, by: int) -> None:
        self._move(self._asking(), by)

    def _move(self, row: StageRow, by: int) -> None:
        at = self.rows.index(row)
        if not 0 <= at + by < len(self.rows):
            return
        other, order = self.rows[at + by], list(self.rows)
        order[at], order[at + by] = other, row
        self.rows = order
        self._place()
        words = f"{row.stage.title} {'before' if by < 0 else 'after'} {other.stage.title}"
        self.changed.emit(self.layout_rows, words)
        self._bring_into_sight(row)

    def _on_dragged(self, mouse: QPoint) -> None:
        """It changes places with its neighbour once the mouse is past the middle of that one."""
        row = self._asking()
        at, y = self.rows.index(row), self.mapFromGlobal(mouse).y()
        if at and y < self.rows[at - 1].geometry().center().y():
            self._move(row, -1)
        elif at + 1 < len(self.rows) and y > self.rows[at + 1].geometry().center().y():
            self._move(row, 1)

    def _bring_into_sight(self, row: StageRow) -> None:
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is not None:
            above.ensureWidgetVisible(row, 0, 0)
